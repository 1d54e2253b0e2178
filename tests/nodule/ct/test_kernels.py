"""Kernels of all large makers, by the names that stand in public collections."""

import pytest

from nodule.ct._kernels import sharpness_of

STANDARD = (
    # GE
    *("STANDARD", "SOFT", "CHEST", "DETAIL", "STND", "STD+", "Standard"),
    # Siemens: with suffix and without, with the strength of an iterative reconstruction
    *("B30f", "B31f", "B31s", "B30", "B41s", "B45f", "B49f", "Br40d", "Br40d\\3", "Br38f\\3"),
    *("I31f\\2", "I41s\\3", "Bf37f\\2", "Bv40", "Qr40u", "D30f", "H31s", "b30f"),
    # Philips: head and heart have a letter more
    *("A", "B", "C", "UB", "UA", "CB", "XCA", "XCB", "EB", "IMR Body Routine", "Brain Standard"),
    # Canon and Toshiba
    *("FC01", "FC02", "FC08", "FC10", "FC13", "FC18", "FC03", "FC26", "FC43", "FC64", "FL03"),
    *("FC08-H", "FC13-H"),
    # United Imaging
    *("B_SOFT_B", "B_VSOFT_C"),
)
SHARP = (
    *("LUNG", "BONE", "BONEPLUS", "EDGE", "ULTRA", "Lung"),
    *("B50f", "B60f", "B70f", "B70s", "B80f", "B90s", "Bl57d", "Bl57d\\3", "Br64d\\2", "I70f\\1"),
    *("I50f\\3", "Br59f", "U90u", "B60"),
    *("D", "E", "F", "L", "YA", "YB", "YC", "YD", "UD", "XCD", "EE", "Y-Sharp", "Y-Detail"),
    *("FC30", "FC35", "FC50", "FC51", "FC52", "FC53", "FC55", "FC56", "FC80", "FC81", "FC86"),
    *("B_SHARP_C", "LUNG_SHARP", "BODY SHARP"),
)
UNKNOWN = (None, "", "11", "FC90", "FC77", "Kernel A17", "???", "Lv2", "0")


@pytest.mark.parametrize("kernel", STANDARD)
def test_kernels_for_soft_tissue_are_standard(kernel: str) -> None:
    assert sharpness_of(kernel) == "standard"


@pytest.mark.parametrize("kernel", SHARP)
def test_kernels_for_lung_and_bone_are_sharp(kernel: str) -> None:
    assert sharpness_of(kernel) == "sharp"


@pytest.mark.parametrize("kernel", UNKNOWN)
def test_what_no_maker_calls_a_kernel_is_unknown(kernel: str | None) -> None:
    assert sharpness_of(kernel) == "unknown"


@pytest.mark.parametrize(("number", "expected"), [(49, "standard"), (50, "sharp"), (51, "sharp")])
def test_siemens_calls_its_kernels_sharp_from_50_on(number: int, expected: str) -> None:
    assert sharpness_of(f"Br{number}d") == expected
