"""The literal digests pin the form of every key ever written: they must not change."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_flows import Scale

from nodule.errors import StageError
from nodule.hu import HuWindow
from nodule.inference import SPEED_ONLY
from nodule.weights import Weights
from pipelines.fingerprint import Recipe, canonical_json, tag, tag_fields

KEYED = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
NESTED = st.recursive(
    KEYED,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@dataclass(frozen=True, kw_only=True)
class Everything:
    name: ClassVar[str] = "everything"
    version: ClassVar[int] = 3

    threshold: float = 0.1
    count: int = 2
    flag: bool = True
    nothing: None = None
    sizes: tuple[int, ...] = (1, 2)
    window: HuWindow = HuWindow(low_hu=-1000.0, high_hu=400.0)  # noqa: RUF009  # frozen
    table: Any = field(default_factory=lambda: {"b": 1, "a": 2})
    device: str = field(default="auto", metadata=SPEED_ONLY)

    def run(self, **_: Any) -> None: ...


def test_the_canonical_form_is_spelled_out() -> None:
    assert canonical_json(tag_fields(Everything())) == (
        '{"count":2,"flag":true,"nothing":null,"sizes":["tuple",1,2],'
        '"table":["mapping",["a",2],["b",1]],"threshold":0.1,'
        '"window":["dataclass","HuWindow",{"high_hu":400.0,"low_hu":-1000.0}]}'
    )


def test_the_key_is_the_documented_digest() -> None:
    recipe = Recipe.of(Scale(), inputs={"number": "k"}, constants={"toy.LIMIT": "3.5"})
    by_hand = '["stage-key-v2","scale",1,{"toy.LIMIT":"3.5"},{"factor":2},{"number":"k"}]'
    assert recipe.key == hashlib.sha256(by_hand.encode()).hexdigest()


def test_golden_keys() -> None:
    assert Recipe.of(Scale(), inputs={"number": "k"}, constants={}).key == (
        "5cc64b2f6a55528cb82e33c9ca2a29d02bf0e887c0a506885c4a2baea10b6973"
    )
    assert Recipe.of(Everything(), inputs={}, constants={"toy.LIMIT": "3.5"}).key == (
        "56bef00886d322dcb68807650c0fe0d83396ce0d51a751dd0e8a09b14b9d066f"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        (0.0, -0.0),
        ("1", 1),
        (None, "None"),
        ((), []),
        ((1,), [1]),
        ([], {}),
        (["tuple", 1], (1,)),
        ({"a": 1}, [["a", 1]]),
        (0.1, 0.1 + 2**-56),
        (HuWindow(low_hu=0, high_hu=1), {"low_hu": 0, "high_hu": 1}),
    ],
)
def test_tells_types_and_neighbouring_floats_apart(one: object, other: object) -> None:
    assert canonical_json(tag(one)) != canonical_json(tag(other))


@given(NESTED)
def test_survives_a_trip_through_json(value: object) -> None:
    text = canonical_json(tag(value))
    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_a_mapping_does_not_matter(mapping: dict[str, int]) -> None:
    assert tag(dict(reversed(mapping.items()))) == tag(mapping)


def test_weights_count_by_content_alone() -> None:
    def weights(sha256: str, path: str) -> Weights:
        return Weights(
            sha256=sha256, path=Path(path), stage="s", architecture={}, training_patients=()
        )

    assert tag(weights("a", "here")) == tag(weights("a", "there"))
    assert tag(weights("a", "here")) != tag(weights("b", "here"))


@pytest.mark.parametrize("value", [Path("x"), {1, 2}, object(), float("nan"), float("inf"), b"x"])
def test_refuses_what_has_no_canonical_form(value: object) -> None:
    with pytest.raises(StageError, match="UNKEYED_VALUE"):
        tag(value)
