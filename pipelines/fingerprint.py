"""Canonical keys: what a stage's answer depends on, as one digest.

Every value is first turned into JSON whose tags keep types apart, so that a tuple never meets a
list of the same items and ``1`` never meets ``1.0``. Floats are written by ``repr``, which is
exact. The form is part of every key ever written: change it only with ``_KEY_FORMAT``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING

from nodule.errors import StageError

if TYPE_CHECKING:
    from pipelines.stage import Stage

_KEY_FORMAT = "stage-key-v2"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that a stage's output depends on.

    Parameters
    ----------
    stage, version : which code made it.
    constants : of that code, source text by dotted name; whatever may move an answer.
    fields : its configuration in tagged form, speed-only fields left out.
    inputs : upstream key by input name; an input that takes one attribute of an output ends in
        ``.attribute``.
    """

    stage: str
    version: int
    constants: Mapping[str, str]
    fields: Mapping[str, object]
    inputs: Mapping[str, str]

    @classmethod
    def of(cls, stage: Stage, *, inputs: Mapping[str, str], constants: Mapping[str, str]) -> Recipe:
        """Describe a stage on the inputs of these keys.

        Raises
        ------
        StageError : ``UNKEYED_VALUE`` when a field holds what has no canonical form.
        """
        return cls(
            stage=stage.name,
            version=stage.version,
            constants=dict(constants),
            fields=tag_fields(stage),
            inputs=dict(inputs),
        )

    @property
    def key(self) -> str:
        """Hexadecimal sha256 of the canonical form."""
        code = [self.stage, self.version, dict(self.constants)]
        parts = [_KEY_FORMAT, *code, dict(self.fields), dict(self.inputs)]
        return text_sha256(canonical_json(parts))


def tag(value: object) -> object:
    """Turn a value into JSON that keeps its type.

    Plain values stay as they are; containers become a list whose first item names the kind.
    A dataclass is its name and its fields, without those marked ``speed_only``.

    Raises
    ------
    StageError : ``UNKEYED_VALUE`` for other types, paths among them, and for NaN and infinity.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, tuple):
        return ["tuple", *map(tag, value)]
    if isinstance(value, list):
        return ["list", *map(tag, value)]
    if isinstance(value, Mapping):
        return ["mapping", *tag_items(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return ["dataclass", type(value).__name__, tag_fields(value)]
    raise StageError(
        "a stage's field has no canonical form",
        code="UNKEYED_VALUE",
        expected="a finite number, text, None, a container of these or a dataclass",
        got=type(value).__name__,
        hint="Hold a digest instead, or mark the field speed_only if it cannot change the answer",
    )


def tag_items(mapping: Mapping[object, object]) -> list[list[object]]:
    """Return tagged ``[key, value]`` pairs, sorted by the key's canonical JSON."""
    pairs = [[tag(key), tag(value)] for key, value in mapping.items()]
    return sorted(pairs, key=lambda pair: canonical_json(pair[0]))


def tag_fields(instance: object) -> dict[str, object]:
    """Return the tagged fields of a dataclass that may change an answer, by name."""
    return {name: tag(value) for name, value in _keyed_fields(instance)}


def _keyed_fields(instance: object) -> Iterator[tuple[str, object]]:
    for each in fields(instance):  # type: ignore[arg-type]  # callers pass dataclasses
        if not each.metadata.get("speed_only", False):
            yield each.name, getattr(instance, each.name)


def canonical_json(tagged: object) -> str:
    """Write tagged JSON in its one form: sorted keys, ASCII, no blanks."""
    return json.dumps(
        tagged, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")
    )


def text_sha256(text: str) -> str:
    """Return the hexadecimal sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
