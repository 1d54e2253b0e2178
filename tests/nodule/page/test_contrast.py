"""Text stands out from what it is written on: WCAG 2.1, success criterion 1.4.3, 4.5 to 1."""

import re
from importlib.resources import files

import pytest

WRITTEN_ON = {  # as the style sheet lays them
    "ink": ("paper", "card", "track"),
    "soft": ("paper", "card"),
    "accent": ("paper", "card"),
    "alert": ("card", "alert-paper"),
    "good": ("card",),
    "card": ("accent",),  # a pressed button
}


def colours(scheme: str) -> dict[str, str]:
    style = files("nodule.page").joinpath("assets", "report.css").read_text(encoding="utf-8")
    light, dark, *_ = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    named = re.findall(r"--([\w-]+): (#\w+)", light + (dark if scheme == "dark" else ""))
    return dict(named)


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, #rgb or #rrggbb."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [(t, g) for t in WRITTEN_ON for g in WRITTEN_ON[t]])
def test_text_stands_out(scheme: str, text: str, ground: str) -> None:
    known = colours(scheme)
    darker, lighter = sorted((luminance(known[text]), luminance(known[ground])))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_white_on_black_is_21_to_1() -> None:
    assert (luminance("#fff") + 0.05) / (luminance("#000000") + 0.05) == pytest.approx(21.0)
