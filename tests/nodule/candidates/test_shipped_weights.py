"""The weights that ship find what they must, on a synthetic chest and on a patient never seen."""

from pathlib import Path

import numpy as np
import pytest

from nodule.candidates import ProposeCandidates
from nodule.ct import read_ct
from nodule.findings import Candidate
from nodule.lungs.training import label_lungs
from nodule.phantom import NodulePlan, PhantomSpec, make_phantom
from nodule.resample import Resample, resample_mask
from nodule.weights import Weights

SIX_MEGABYTES = 6 * 1024 * 1024
# LUNA16, annotations.csv, LIDC-IDRI-0001: LPS mm and diameter
NODULE_0001_LPS_MM, NODULE_0001_MM = (56.208, 86.343, -115.868), 23.35


def ranks_within(
    marks: tuple[Candidate, ...], center_lps_mm: tuple[float, float, float], radius_mm: float
) -> list[int]:
    gaps = [np.linalg.norm(np.subtract(m.center_lps_mm, center_lps_mm)) for m in marks]
    return [rank for rank, gap in enumerate(gaps, start=1) if gap < radius_mm]


def test_are_small_and_name_their_patients() -> None:
    weights = Weights.shipped("candidates")
    assert weights.path.stat().st_size <= SIX_MEGABYTES
    assert "LIDC-IDRI-0002" in weights.training_patients
    assert "LIDC-IDRI-0001" not in weights.training_patients


@pytest.mark.slow
def test_find_the_solid_nodule_of_a_phantom() -> None:
    plan = NodulePlan(diameter_mm=14.0)
    phantom = make_phantom(
        PhantomSpec(
            seed=3, shape_zyx=(90, 160, 200), spacing_zyx_mm=(2.5, 1.8, 1.8), nodules=(plan,)
        )
    )
    volume = Resample().run(volume=phantom.volume)
    lungs = resample_mask(phantom.lungs, geometry=volume.geometry)
    marks = ProposeCandidates().run(volume=volume, lungs=lungs)
    (nodule,) = phantom.nodules
    ranks = ranks_within(marks, nodule.center_lps_mm, nodule.diameter_mm / 2)
    assert ranks
    assert ranks[0] <= 5


@pytest.mark.slow
def test_find_the_nodule_of_a_patient_they_never_saw(shared: Path) -> None:
    study = read_ct(shared / "data" / "ct" / "LIDC-IDRI-0001")
    volume = Resample().run(volume=study.volume)
    marks = ProposeCandidates().run(volume=volume, lungs=label_lungs(volume))
    ranks = ranks_within(marks, NODULE_0001_LPS_MM, NODULE_0001_MM / 2)
    assert ranks
    assert ranks[0] <= 5
