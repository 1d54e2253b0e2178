"""Files that people write, generated: a valid value or one coded error, and what was written."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodule.advice.context import Context, FindingFacts, read_context
from nodule.errors import ConfigError, GeometryError, InputError, NoduleError, WeightsError
from nodule.geometry import Geometry
from nodule.guidelines.facts import Setting
from nodule.lidc import read_lidc_xml
from nodule.lidc._xml import CHARACTERISTICS
from nodule.report.reader_review import Addition, Decision, Review
from nodule.review.review_file import read_report, read_review
from pipelines.config import load_stages, read_toml
from pipelines.flows import detect_stage_types

EXAMPLES_A_ROUND = 40
Check = Callable[..., None]


@pytest.fixture
def many(rounds: int) -> Callable[[Check], None]:
    """Return a function that runs a check on more examples the more rounds there are."""

    def run(check: Check) -> None:
        settings(
            max_examples=rounds * EXAMPLES_A_ROUND,
            deadline=None,
            derandomize=rounds <= 2,
            database=None,
            suppress_health_check=list(HealthCheck),
        )(check)()

    return run


def one_coded_error(read: Callable[[], object], *kinds: type[NoduleError]) -> None:
    """Anything but an error of these kinds is let through, and fails the test."""
    told = ""
    try:
        read()
    except kinds as error:
        told = str(error)
    assert "\n" not in told


ANY_FLOAT = st.floats(width=64)
LENGTH = st.floats(1e-3, 1e3)
SHAPE = st.tuples(*[st.integers(1, 600)] * 3)
SIZES = st.tuples(*[st.integers(-1, 600)] * 3)


def test_any_affine_is_a_grid_or_refused(many: Any) -> None:
    @given(st.lists(ANY_FLOAT, min_size=16, max_size=16), SIZES)
    def check(numbers: list[float], shape: tuple[int, int, int]) -> None:
        affine = np.array(numbers).reshape(4, 4)
        with np.errstate(all="ignore"):
            one_coded_error(lambda: Geometry.from_affine(affine, shape_zyx=shape), GeometryError)

    many(check)


def test_a_grid_is_its_affine_and_an_index_its_point(many: Any) -> None:
    @given(
        SHAPE,
        st.tuples(LENGTH, LENGTH, LENGTH),
        st.tuples(*[st.floats(-1e4, 1e4)] * 3),
        st.tuples(*[st.floats(-math.pi, math.pi)] * 3),
        st.tuples(*[st.floats(-100, 700)] * 3),
    )
    def check(shape: Any, spacing: Any, origin: Any, angles: Any, index: Any) -> None:
        turn = np.eye(3)
        for axis, angle in enumerate(angles):
            one = np.eye(3)
            others = [a for a in range(3) if a != axis]
            c, s = np.cos(angle), np.sin(angle)
            one[np.ix_(others, others)] = [[c, -s], [s, c]]
            turn = turn @ one
        grid = Geometry(
            shape_zyx=shape,
            spacing_zyx_mm=spacing,
            origin_lps_mm=origin,
            direction=tuple(map(tuple, turn.tolist())),
        )
        again = Geometry.from_affine(grid.affine, shape_zyx=shape)
        assert again.is_close(grid, tolerance_mm=1e-6 * max(1.0, max(spacing) * max(shape)))
        back = grid.lps_to_index(grid.index_to_lps(index))
        np.testing.assert_allclose(back, index, atol=1e-6 * max(1.0, 1e4 / min(spacing)))

    many(check)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
PIXEL = st.integers(0, 511)
ODD_NUMBERS = st.sampled_from(
    ["", "x", "1.5", "-1", "nan", "inf", "1e999", "9" * 25, "9" * 5000, " 7 ", "٣", "0x10", "1_0"]
)


def lidc_xml(nodules: list[dict[str, Any]], uid: str = "1.2.3") -> str:
    """Return a file of one session, every value given as text."""
    parts = []
    for nodule in nodules:
        ratings = "".join(f"<{k}>{v}</{k}>" for k, v in nodule["ratings"].items())
        rois = "".join(
            f"<roi><imageZposition>{roi['z']}</imageZposition><imageSOP_UID>1.2</imageSOP_UID>"
            f"<inclusion>{roi['inclusion']}</inclusion>"
            + "".join(
                f"<edgeMap><xCoord>{x}</xCoord><yCoord>{y}</yCoord></edgeMap>"
                for y, x in roi["edge"]
            )
            + "</roi>"
            for roi in nodule["rois"]
        )
        parts.append(
            f"<unblindedReadNodule><noduleID>{escape(nodule['id'])}</noduleID>"
            f"<characteristics>{ratings}</characteristics>{rois}</unblindedReadNodule>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><LidcReadMessage><ResponseHeader>'
        f"<SeriesInstanceUID>{uid}</SeriesInstanceUID></ResponseHeader>"
        f"<readingSession>{''.join(parts)}</readingSession></LidcReadMessage>"
    )


RIGHT_NODULE = st.fixed_dictionaries(
    {
        "id": st.text("abc<&>123 ", min_size=1, max_size=9).map(str.strip),
        "ratings": st.fixed_dictionaries({name: st.integers(1, 5) for name in CHARACTERISTICS}),
        "rois": st.lists(
            st.fixed_dictionaries(
                {
                    "z": st.floats(-2000, 2000).map(lambda v: round(v, 3)),
                    "inclusion": st.sampled_from(["TRUE", "FALSE"]),
                    "edge": st.lists(st.tuples(PIXEL, PIXEL), min_size=2, max_size=6),
                }
            ),
            min_size=1,
            max_size=3,
        ),
    }
)


def test_readings_are_those_that_were_written(many: Any, tmp_path: Path) -> None:
    @given(st.lists(RIGHT_NODULE, max_size=4))
    def check(nodules: list[dict[str, Any]]) -> None:
        (tmp_path / "a.xml").write_text(lidc_xml(nodules), encoding="utf-8")
        read = read_lidc_xml(tmp_path / "a.xml").nodules
        assert [nodule.nodule_id for nodule in read] == [nodule["id"] for nodule in nodules]
        assert [dict(nodule.ratings) for nodule in read] == [n["ratings"] for n in nodules]
        for found, stated in zip(read, nodules, strict=True):
            for contour, roi in zip(found.contours, stated["rois"], strict=True):
                assert contour.z_mm == roi["z"]
                assert contour.inclusion == (roi["inclusion"] == "TRUE")
                assert contour.edge_rc.tolist() == [list(pixel) for pixel in roi["edge"]]

    many(check)


@pytest.mark.parametrize("place", ["z", "inclusion", "x", "y", "rating"])
def test_an_odd_number_in_readings_is_one_coded_error(
    many: Any, tmp_path: Path, place: str
) -> None:
    @given(RIGHT_NODULE, st.one_of(ODD_NUMBERS, TEXT))
    def check(nodule: dict[str, Any], odd: str) -> None:
        odd = escape(odd)
        roi = nodule["rois"][0]
        if place in roi:
            roi[place] = odd
        elif place == "rating":
            nodule["ratings"][CHARACTERISTICS[0]] = odd
        else:
            y, x = roi["edge"][0]
            roi["edge"][0] = (odd, x) if place == "y" else (y, odd)
        (tmp_path / "a.xml").write_text(lidc_xml([nodule]), encoding="utf-8")
        one_coded_error(lambda: read_lidc_xml(tmp_path / "a.xml"), InputError)

    many(check)


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """Draw a file with a stretch left out, doubled or replaced by any bytes."""
    place = st.integers(0, len(content))
    return st.builds(
        lambda a, b, put: content[: min(a, b)] + put + content[max(a, b) :],
        place,
        place,
        st.one_of(
            st.binary(max_size=30), st.sampled_from([b"[" * 3000, b"<a>" * 3000, b"{" * 999])
        ),
    )


RIGHT_XML = lidc_xml([{"id": "1", "ratings": {}, "rois": []}]).encode()


def test_damaged_readings_are_one_coded_error(many: Any, tmp_path: Path) -> None:
    encodings = [RIGHT_XML.replace(b"UTF-8", name) for name in (b"utf-7", b"utf-16", b"none", b"")]

    @given(st.one_of(damaged(RIGHT_XML), st.binary(), st.sampled_from(encodings)))
    def check(content: bytes) -> None:
        (tmp_path / "a.xml").write_bytes(content)
        one_coded_error(lambda: read_lidc_xml(tmp_path / "a.xml"), InputError)

    many(check)


TOML_TEXT = st.one_of(
    st.sampled_from(["1", "-1", "0", "0.5", "1e999", "nan", "inf", "-inf", "9" * 30, "9" * 5000]),
    st.sampled_from(["true", '""', '"x"', '"none"', '"$x"', "[]", "[1]", "{}", "{a=1}", "[[1]]"]),
    st.sampled_from(["1979-05-27", "07:32:00", '"../../etc/passwd.safetensors"', "[" * 900]),
    st.floats().map(repr),
    st.text("abc$ .", max_size=9).map(json.dumps),
)


def settings_text(sections: dict[str, dict[str, str]]) -> str:
    return "\n".join(
        f"[{section}]\n" + "\n".join(f"{key} = {value}" for key, value in keys.items())
        for section, keys in sections.items()
    )


def detect_settings() -> st.SearchStrategy[str]:
    stages = detect_stage_types()
    keys = sorted({name for stage in stages for name in stage.__dataclass_fields__})
    sections = st.sampled_from([*(stage.name for stage in stages), "other"])
    tables = st.dictionaries(st.sampled_from([*keys, "odd"]), TOML_TEXT, max_size=3)
    return st.dictionaries(sections, tables, max_size=3).map(settings_text)


def test_any_settings_are_a_chain_or_one_coded_error(many: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"

    @given(
        st.one_of(detect_settings().map(str.encode), damaged(b"[lungs]\n[measure]\n"), st.binary())
    )
    def check(content: bytes) -> None:
        path.write_bytes(content)
        one_coded_error(
            lambda: load_stages(path, detect_stage_types()), ConfigError, WeightsError, InputError
        )

    many(check)


def test_settings_that_are_written_are_read(many: Any, tmp_path: Path) -> None:
    @given(st.dictionaries(st.from_regex("[a-z_]{1,9}", fullmatch=True), st.integers(-9, 9)))
    def check(table: dict[str, int]) -> None:
        (tmp_path / "a.toml").write_text("".join(f"{k} = {v}\n" for k, v in table.items()))
        assert read_toml(tmp_path / "a.toml") == table

    many(check)


STATED = st.builds(
    Context,
    setting=st.sampled_from([None, *get_args(Setting)]),
    indication=st.none() | st.text("abc\"\\'[]# é", min_size=1, max_size=30).filter(str.strip),
    age_years=st.none() | st.integers(0, 130),
    sex=st.sampled_from([None, "female", "male"]),
    smoking=st.sampled_from([None, "never", "former", "current"]),
    known_cancer=st.none() | st.booleans(),
    findings=st.dictionaries(
        st.integers(1, 99).map(lambda n: f"N{n}"),
        st.builds(FindingFacts, lobe=st.sampled_from([None, "RUL", "LLL"])),
        max_size=2,
    ),
)


def person_toml(stated: Context) -> str:
    """Write what is stated; JSON's strings, numbers and truths are TOML's as well."""
    document = stated.model_dump(exclude_none=True, exclude_defaults=True)
    findings = document.pop("findings", {})
    lines = [f"{key} = {json.dumps(value)}" for key, value in document.items()]
    for name, facts in findings.items():
        lines += [f"[findings.{name}]", *(f"{k} = {json.dumps(v)}" for k, v in facts.items())]
    return "\n".join(lines)


def test_a_person_is_who_was_stated(many: Any, tmp_path: Path) -> None:
    @given(STATED)
    def check(stated: Context) -> None:
        (tmp_path / "p.toml").write_text(person_toml(stated), encoding="utf-8")
        assert read_context(tmp_path / "p.toml") == stated

    many(check)


def test_any_person_file_is_stated_or_one_coded_error(many: Any, tmp_path: Path) -> None:
    keys = st.sampled_from([*Context.model_fields, "odd", "findings.N1", "findings.X"])
    lines = st.dictionaries(keys, TOML_TEXT, max_size=4)
    text = lines.map(lambda d: "\n".join(f"{k} = {v}" for k, v in d.items()))

    @given(st.one_of(text.map(str.encode), damaged(b"age_years = 61\n[reader]\n"), st.binary()))
    def check(content: bytes) -> None:
        (tmp_path / "p.toml").write_bytes(content)
        one_coded_error(lambda: read_context(tmp_path / "p.toml"), InputError)

    many(check)


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
POINT = st.tuples(*[st.floats(-1e4, 1e4).map(lambda v: round(v, 1) + 0.0)] * 3)
DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)
REVIEWS = st.builds(
    Review,
    format=st.just("nodule-review-1"),
    report_sha256=DIGEST,
    input_sha256=DIGEST,
    series_instance_uid=st.none() | st.just("1.2.3"),
    reader=st.none() | TEXT,
    saved_at=st.integers(0, 10**6).map(
        lambda m: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(0, m)
    ),
    decisions=st.lists(
        st.builds(
            Decision,
            id=st.integers(1, 99).map(lambda n: f"N{n}"),
            verdict=st.sampled_from([None, "accepted", "rejected"]),
            moved_to_lps_mm=st.none() | POINT,
            comment=st.none() | TEXT,
        ),
        max_size=3,
    ).map(tuple),
    additions=st.lists(st.builds(Addition, center_lps_mm=POINT, comment=st.none() | TEXT)).map(
        tuple
    ),
)


def test_a_review_is_what_was_saved(many: Any, tmp_path: Path) -> None:
    @given(REVIEWS)
    def check(review: Review) -> None:
        (tmp_path / "r.json").write_text(review.model_dump_json(), encoding="utf-8")
        again = read_review(tmp_path / "r.json")
        assert again == review
        assert again.sha256 == review.sha256

    many(check)


JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("read", [read_review, read_report])
def test_any_review_or_report_is_read_or_one_coded_error(
    many: Any, tmp_path: Path, read: Callable[[Path], object]
) -> None:
    keys = st.sampled_from([*Review.model_fields, "odd"])
    document = st.dictionaries(keys, JSON_VALUE, max_size=9).map(lambda d: json.dumps(d).encode())

    @given(st.one_of(document, damaged(b'{"format": "nodule-review-1"}'), st.binary()))
    def check(content: bytes) -> None:
        (tmp_path / "r.json").write_bytes(content)
        one_coded_error(lambda: read(tmp_path / "r.json"), InputError)

    many(check)
