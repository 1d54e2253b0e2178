"""What each stage says of one phantom, pinned by stage, version and weights.

A stage whose answer changes under the same version would leave old answers in caches as if they
were new. So when a number here no longer holds, raise the stage's version and pin the new one.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest

from nodule.candidates import ProposeCandidates
from nodule.chain import Chain, Pass
from nodule.inference import Precision
from nodule.lungs import SegmentLungs
from nodule.malignancy import ScoreMalignancy
from nodule.measure.stage import Measure
from nodule.phantom import NodulePlan, PhantomSpec, make_phantom
from nodule.resample import Resample
from nodule.study import SeriesHeader, Study

SPEC = PhantomSpec(
    seed=3,
    shape_zyx=(90, 160, 200),
    spacing_zyx_mm=(2.5, 1.8, 1.8),
    nodules=(NodulePlan(diameter_mm=14.0),),
)


@cache
def answers(precision: Precision) -> Pass:
    """Return a pass over the phantom, in which a stage runs when its answer is asked for."""
    study = Study(volume=make_phantom(SPEC).volume, series=SeriesHeader(source_format="nifti"))
    chain = Chain(
        lungs=SegmentLungs(precision=precision),
        candidates=ProposeCandidates(precision=precision),
        malignancy=ScoreMalignancy(precision=precision),
    )
    return chain.on(study)


def known_as(stage: Any) -> tuple[str, int, *tuple[str, ...]]:
    weights = getattr(stage, "weights", ())
    networks = weights if isinstance(weights, tuple) else (weights,)
    return stage.name, stage.version, *(each.sha256[:8] for each in networks)


@pytest.mark.slow
def test_resample() -> None:
    assert known_as(Resample()) == ("resample", 3)
    volume = answers("fp32").volume
    assert volume.geometry.shape_zyx == (225, 288, 360)
    assert volume.array_zyx.mean(dtype=np.float64) == pytest.approx(-523.489, abs=0.01)


@pytest.mark.slow
def test_lungs() -> None:
    assert known_as(SegmentLungs()) == ("lungs", 4, "efcb3f5c")
    assert answers("fp32").lungs.volume_ml == pytest.approx((1731.12, 1682.08), rel=1e-3)


@pytest.mark.slow
def test_candidates() -> None:
    assert known_as(ProposeCandidates()) == ("candidates", 2, "8d21a43b")
    first = answers("fp32").candidates[0]
    assert first.center_lps_mm == pytest.approx((88.617, 45.646, -9.079), abs=0.05)
    assert first.score == pytest.approx(0.8032, abs=1e-3)


@pytest.mark.slow
def test_malignancy() -> None:
    members = (
        *("ec6b8cbd", "5c85d660", "7355d29d", "0a3cd49e", "6c6358f9", "3ca4c237"),
        *("cf7648c1", "9b7fde1e", "211cdba2"),
    )
    assert known_as(ScoreMalignancy()) == ("malignancy", 6, *members)
    first = answers("fp32").scored[0]
    assert first.probability == pytest.approx(0.8941, abs=1e-3)
    assert first.malignancy.score == pytest.approx(4.001, abs=5e-3)


@pytest.mark.slow
def test_measure() -> None:
    assert known_as(Measure()) == ("measure", 9)
    first = answers("fp32").findings[0]
    assert first.nodule.center_lps_mm == pytest.approx((88.460, 45.870, -9.181), abs=1e-2)
    assert first.nodule.measurement is not None
    assert first.nodule.measurement.volume_mm3 == pytest.approx(1458.0, rel=1e-3)


@pytest.mark.slow
def test_bfloat16_finds_what_float32_finds() -> None:
    ours, reference = answers("bf16").findings, answers("fp32").findings
    assert len(ours) == len(reference)
    for one, other in zip(ours, reference, strict=True):
        assert one.nodule.center_lps_mm == pytest.approx(other.nodule.center_lps_mm, abs=0.5)
        assert one.assessment is not None
        assert other.assessment is not None
        assert one.assessment.probability == pytest.approx(other.assessment.probability, abs=0.02)
        ours_mean, reference_mean = (
            one.assessment.malignancy.score,
            other.assessment.malignancy.score,
        )
        assert ours_mean == pytest.approx(reference_mean, abs=0.05)
