import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nodule.errors import InputError, ReportError
from nodule.page import screenshot
from nodule.page.screenshot import write_picture


def test_takes_a_small_picture_with_the_viewer_drawn(
    written: Path, chromium: str, tmp_path: Path
) -> None:
    target = tmp_path / "report.png"
    assert write_picture(written / "report.html", target) == target
    content = target.read_bytes()
    assert len(content) < 300_000
    assert list(tmp_path.iterdir()) == [target]
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        assert image.width == 1400
        right = image.convert("L").crop((700, 0, 1400, image.height // 2))
        # a viewer that has not run leaves paper, not slices of lung
        dark = sum(right.histogram()[:110])
    assert dark > 50_000


def left_half(png: Path) -> NDArray[np.uint8]:
    """Return the half that ends with the table of findings, as greys [row, column]."""
    with Image.open(png) as image:
        return np.asarray(image.convert("L"))[:, : image.width // 2]


def test_nothing_is_cut_at_the_lower_edge(
    written: Path, chromium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = left_half(write_picture(written / "report.html", tmp_path / "whole.png"))
    end = int(np.flatnonzero(np.ptp(whole, axis=1) > 3)[-1])
    height = round((end - 20) * 2200 / 1400)  # through the last row of the table
    monkeypatch.setattr(screenshot, "_WINDOW", (2200, height))
    monkeypatch.setattr(screenshot, "_EDGE", height - 42)
    less = left_half(write_picture(written / "report.html", tmp_path / "less.png"))
    written_on = np.flatnonzero(np.ptp(less, axis=1) > 3)
    assert end - 120 < written_on[-1] < len(less) - 6, "a row is left out, and paper follows"


def test_a_page_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NO_SUCH_FILE"):
        write_picture(tmp_path / "report.html", tmp_path / "a.png", chromium="/bin/true")


def test_a_browser_that_makes_nothing_is_an_error(written: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="PICTURE_FAILED"):
        write_picture(written / "report.html", tmp_path / "a.png", chromium="/bin/true")
    assert list(tmp_path.iterdir()) == []
