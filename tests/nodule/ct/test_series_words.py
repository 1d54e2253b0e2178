"""Words in descriptions of series, as people write them."""

import pytest

from nodule.ct._series_words import described_sharpness, word_of_no_scan, word_of_reformat


@pytest.mark.parametrize(
    ("description", "word"),
    [
        ("Axial MIP 8x2", "MIP"),
        ("MinIP_axial", "MINIP"),
        ("Thorax MIN-IP", "MIN IP"),
        ("Localizer", "LOCALIZER"),
        ("LOCALISERS", "LOCALISERS"),
        ("Scout", "SCOUT"),
        ("Topogram  0.6  T20f", "TOPOGRAM"),
        ("Surview", "SURVIEW"),
        ("PreMonitoring", "PREMONITORING"),
        ("Smart Prep Series", "SMART PREP"),
        ("Dose Report", "DOSE REPORT"),
        ("Mono 40 keV", "MONO 40 KEV"),
        ("MonoE 55keV[HU]", "MONOE 55KEV"),
        ("Iodine no Water", "IODINE"),
        ("VNC", "VNC"),
        ("SECONDARY CAPTURE", "SECONDARY"),
    ],
)
def test_words_that_mean_no_scan(description: str, word: str) -> None:
    assert word_of_no_scan(description) == word


@pytest.mark.parametrize(
    "description",
    [None, "", "CHEST", "Thorax 1.0 Br40", "SCOUTED", "MIPSY", "Lung CAD 1.0", "LUNG LD 1.25"],
)
def test_words_that_mean_nothing_of_that_kind(description: str | None) -> None:
    assert word_of_no_scan(description) is None
    assert word_of_reformat(description) is None


@pytest.mark.parametrize("description", ["Axial MPR 3mm", "AX_MPVR", "REFORMATTED", "Refmt axial"])
def test_words_that_mean_reformatted(description: str) -> None:
    assert word_of_reformat(description) is not None
    assert word_of_no_scan(description) is None


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("CHEST LUNG 1.25", "sharp"),
        ("Thorax_Lungs", "sharp"),
        ("BONE", "sharp"),
        ("HI-RES chest", "sharp"),
        ("SOFT TISSUE", "standard"),
        ("Mediastinum 3.0", "standard"),
        ("STD 1.25", "standard"),
        ("LUNG SCREENING", "unknown"),
        ("Lung cancer screening", "unknown"),
        ("LUNG NODULE FU", "unknown"),
        ("Lung-screen SOFT", "standard"),
        ("CHEST", "unknown"),
        (None, "unknown"),
    ],
)
def test_kernels_by_description(description: str | None, expected: str) -> None:
    assert described_sharpness(description) == expected
