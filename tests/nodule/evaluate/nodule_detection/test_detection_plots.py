"""Pictures are written; what they show is for the eye."""

from pathlib import Path

from PIL import Image

from nodule.evaluate._bootstrap import BootstrapSettings
from nodule.evaluate.luna16_froc._froc import bootstrap_froc, froc
from nodule.evaluate.luna16_froc._luna16_matching import match_scan
from nodule.evaluate.nodule_detection._detection_plots import draw_froc, draw_sensitivities
from nodule.weights.model_card import CardFigure


def test_draws_a_curve_with_its_interval(tmp_path: Path) -> None:
    scans = [
        match_scan(
            marks_lps_mm=[(0, 0, 0), (50, 0, 0)],
            scores=[0.9, 0.5],
            nodules_lps_mm=[(1, 0, 0)],
            diameters_mm=[6],
        )
    ]
    band = bootstrap_froc(scans, bootstrap=BootstrapSettings(draws=5))
    draw_froc(tmp_path / "froc.png", froc(scans), band)
    with Image.open(tmp_path / "froc.png") as image:
        assert image.size == (720, 540)


def test_draws_a_row_for_each_share(tmp_path: Path) -> None:
    rows = [
        CardFigure(name=name, value=0.8, interval=(0.6, 0.9), n=10) for name in ("a", "b", "c", "d")
    ]
    draw_sensitivities(tmp_path / "shares.png", rows)
    with Image.open(tmp_path / "shares.png") as image:
        assert image.size == (960, 288)  # 120 dots an inch; 1.2 inches and 0.3 a row
