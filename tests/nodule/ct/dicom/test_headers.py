"""Attributes that only describe never refuse a study; those that place or scale it do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataelem import DataElement

from nodule.ct import inventory, read_ct
from nodule.errors import NoduleError


def malformed(slices: list[Any], tag: int, vr: str, value: str) -> list[Any]:
    """Set an attribute as text of a VR that takes any, as a careless writer does."""
    for ds in slices:
        ds[tag] = DataElement(tag, vr, value)
    return slices


@pytest.mark.parametrize(
    ("tag", "keyword", "value"),
    [
        (0x00180060, "KVP", "120 kV"),
        (0x00180050, "SliceThickness", "2,5"),
        (0x00200011, "SeriesNumber", "3.1"),
        (0x00200013, "InstanceNumber", "A001"),
        (0x00181152, "Exposure", "forty"),
        (0x00189345, "CTDIvol", "abc"),
    ],
)
def test_a_malformed_description_is_left_out_with_a_warning(
    synthetic: Any, tmp_path: Path, tag: int, keyword: str, value: str
) -> None:
    study = read_ct(synthetic.save(malformed(synthetic.make_slices(), tag, "LO", value), tmp_path))
    np.testing.assert_array_equal(study.volume.array_zyx, synthetic.hounsfield_zyx())
    (warning,) = [w for w in study.warnings if w.code == "MALFORMED_ATTRIBUTES"]
    assert warning.message.startswith(f"{keyword}:")
    assert value not in warning.message


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x00200032, "left"),  # ImagePositionPatient
        (0x00280030, "0,7"),  # PixelSpacing
        (0x00281053, "one"),  # RescaleSlope
    ],
)
def test_a_malformed_place_or_scale_refuses(
    synthetic: Any, tmp_path: Path, tag: int, value: str
) -> None:
    with pytest.raises(NoduleError, match="BAD_VALUE"):
        read_ct(synthetic.save(malformed(synthetic.make_slices(), tag, "LO", value), tmp_path))


def test_a_malformed_age_hides_no_other_attribute(synthetic: Any, tmp_path: Path) -> None:
    slices = malformed(synthetic.make_slices(), 0x00101010, "LO", "fifty")
    patient = inventory(synthetic.save(slices, tmp_path)).choose().patient
    assert patient.patient_id == "4711"


@pytest.mark.parametrize("written", ["ct", "CT "])
def test_a_modality_is_one_in_any_case(synthetic: Any, tmp_path: Path, written: str) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.add_new(0x00080060, "LO", written)
    (series,) = inventory(synthetic.save(slices, tmp_path)).series
    assert (series.verdict, series.modality) == ("OK", "CT")


@pytest.mark.parametrize(
    ("written", "verdict"), [("Hounsfield Unit", "OK"), ("hu", "OK"), ("OD", "NOT_HU")]
)
def test_hounsfield_units_may_be_spelt_out(
    synthetic: Any, tmp_path: Path, written: str, verdict: str
) -> None:
    slices = synthetic.make_slices()
    for ds in slices:
        ds.RescaleType = written
    (series,) = inventory(synthetic.save(slices, tmp_path)).series
    assert series.verdict == verdict
