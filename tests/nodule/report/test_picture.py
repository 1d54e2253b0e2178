import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nodule.errors import InputError, ReportError
from nodule.report import picture
from nodule.report.picture import write_picture


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


def test_nothing_is_cut_at_the_lower_edge(
    written: Path, chromium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "_WINDOW", (2200, 900))  # through the table of findings
    monkeypatch.setattr(picture, "_EDGE", 900 - 42)
    content = write_picture(written / "report.html", tmp_path / "report.png").read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        left = np.asarray(image.convert("L"))[:, : image.width // 2]
    assert np.ptp(left[-6:]) <= 3, "paper alone"
    assert np.ptp(left[-60:]) > 100, "and text above it"


def test_a_page_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="NO_SUCH_FILE"):
        write_picture(tmp_path / "report.html", tmp_path / "a.png", chromium="/bin/true")


def test_a_browser_that_makes_nothing_is_an_error(written: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="PICTURE_FAILED"):
        write_picture(written / "report.html", tmp_path / "a.png", chromium="/bin/true")
    assert list(tmp_path.iterdir()) == []
