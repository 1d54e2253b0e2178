"""A scan belongs to the patient it is named after, and a held-out one stays out."""

from pathlib import Path

import pytest

from nodule.errors import ConfigError
from nodule.lidc.scans import patient_of, refuse_held_out


@pytest.mark.parametrize(
    "path", ["LIDC-IDRI-0001", "deep/LIDC-IDRI-0001", "LIDC-IDRI-0001.nii.gz", "LIDC-IDRI-0001.zip"]
)
def test_a_scan_is_named_after_its_patient(path: str) -> None:
    assert patient_of(Path(path)) == "LIDC-IDRI-0001"


def test_refuses_a_scan_of_a_held_out_patient() -> None:
    scans = [Path("a/P1"), Path("b/P2.nii.gz")]
    refuse_held_out(scans, {"P3"})
    with pytest.raises(ConfigError, match=r"HELD_OUT_SCAN.*P2"):
        refuse_held_out(scans, {"P2", "P3"})
