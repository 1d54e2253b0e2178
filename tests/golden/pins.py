"""Pinned answers: plain JSON files, and what differs from them."""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PINNED = Path(__file__).with_name("pinned")
RENEW = "python tests/golden/renew.py"
DIGITS = 6
_WIDTH = 160
_SHOWN = 40  # differences in one message
_RELATIVE, _ABSOLUTE = 1e-6, 2e-6  # beyond the digits that are kept


def plain(value: Any) -> Any:
    """Return a value as JSON holds it, numbers to six decimals."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else str(value)
    return value


def hold(name: str, answers: Any, *, versions: Mapping[str, int] | None = None) -> None:
    """Fail where answers are not the pinned ones, and say which.

    Parameters
    ----------
    name : of the file, without its suffix.
    answers : what the code says now.
    versions : of the stages that give these answers.
    """
    pinned, now = read(name), dict(versions or {})
    if pinned["versions"] != now:
        raise AssertionError(
            f"{name}: pinned under {pinned['versions']}, now {now}: see that the answers are "
            f"meant, then {RENEW} {name}"
        )
    found = list(differences(pinned["answers"], plain(answers)))
    if found:
        under = f" under the same versions {now}" if now else ""
        more = f"\n  ... and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        lines = "\n  ".join(found[:_SHOWN])
        raise AssertionError(f"{name}: {len(found)} answers changed{under}:\n  {lines}{more}")


def read(name: str) -> dict[str, Any]:
    pinned: dict[str, Any] = json.loads((PINNED / f"{name}.json").read_text(encoding="utf-8"))
    return pinned


def renew(
    name: str, answers: Any, *, versions: Mapping[str, int], same_version: bool = False
) -> int:
    """Write a file again; return how many answers changed.

    Raises
    ------
    SystemExit : where a pinned answer of a stage changed and its version did not.
    """
    path, found = PINNED / f"{name}.json", plain(answers)
    changed: list[str] = []
    if path.exists():
        before = read(name)
        changed = list(differences(before["answers"], found))
        if versions and before["versions"] == versions and changed and not same_version:
            lines = "\n  ".join(changed[:_SHOWN])
            raise SystemExit(
                f"{name}: answers changed under {dict(versions)}. Raise the stage's version, or "
                f"give --same-version where only names or cases changed:\n  {lines}"
            )
    path.parent.mkdir(exist_ok=True)
    text = _text({"versions": dict(versions), "answers": found})
    path.write_text(f"{text}\n", encoding="utf-8")
    return len(changed)


def differences(pinned: Any, now: Any, at: str = "") -> Iterator[str]:
    """Name every place where two JSON values differ."""
    if isinstance(pinned, dict) and isinstance(now, dict):
        for key in [*pinned, *(key for key in now if key not in pinned)]:
            place = f"{at}.{key}" if at else key
            if key not in now:
                yield f"{place}: gone, was {_short(pinned[key])}"
            elif key not in pinned:
                yield f"{place}: not pinned, now {_short(now[key])}"
            else:
                yield from differences(pinned[key], now[key], place)
    elif isinstance(pinned, list) and isinstance(now, list):
        if len(pinned) != len(now):
            yield f"{at}: {len(pinned)} items, now {len(now)}"
        for number, (one, other) in enumerate(zip(pinned, now, strict=False)):
            yield from differences(one, other, f"{at}[{number}]")
    elif not _same(pinned, now):
        yield f"{at}: {_short(pinned)}, now {_short(now)}"


def _same(pinned: Any, now: Any) -> bool:
    numbers = (int, float)
    if type(pinned) in numbers and type(now) in numbers:
        return math.isclose(pinned, now, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return type(pinned) is type(now) and bool(pinned == now)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 2 * _WIDTH else f"{text[: 2 * _WIDTH]}..."


def _text(value: Any, indent: int = 0) -> str:
    """Write JSON with what fits on a line on one, so that a diff is short and can be read."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner, outer = " " * (indent + 1), " " * indent
    if isinstance(value, list):
        parts = [_text(each, indent + 1) for each in value]
        left, right = "[", "]"
    else:
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_text(each, indent + 1)}"
            for key, each in value.items()
        ]
        left, right = "{", "}"
    body = f",\n{inner}".join(parts)
    return f"{left}\n{inner}{body}\n{outer}{right}"
