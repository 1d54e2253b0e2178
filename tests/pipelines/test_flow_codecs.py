import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nodule.findings import Assessment, Candidate, Finding, Malignancy, ScoredCandidate
from nodule.geometry import Geometry
from nodule.masks import NoduleMask
from nodule.nodules import Measurement, Nodule
from nodule.saliency import SaliencyChecks, SaliencyMap
from nodule.study import ImageReference, SeriesHeader, SliceReference, Study, StudyWarning
from nodule.volume import LungMask, Volume
from pipelines.codec import Files, unpack
from pipelines.flow_codecs import CODECS

OBLIQUE = Geometry(
    shape_zyx=(3, 4, 5),
    spacing_zyx_mm=(1.25, 0.7, 0.1 + 0.2),
    origin_lps_mm=(-1 / 3, 2e-17, 1e9),
    direction=((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0)),
)
MM = st.floats(min_value=-1e4, max_value=1e4)
SIZE = st.floats(min_value=1e-3, max_value=1e3)
SHARE = st.floats(min_value=0.0, max_value=1.0)
CANDIDATES = st.builds(
    Candidate, center_lps_mm=st.tuples(MM, MM, MM), score=SHARE, diameter_mm=SIZE
)
MALIGNANCIES = SHARE.map(lambda p: Malignancy(distribution=(p, 1.0 - p, 0.0, 0.0, 0.0)))
ARRAYS = arrays(np.bool_, OBLIQUE.shape_zyx).filter(np.any)
MASKS = st.builds(
    NoduleMask,
    array_zyx=ARRAYS,
    start_zyx=st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)),
    geometry=st.just(OBLIQUE),
    texture=st.sampled_from(["solid", "part-solid", None]),
    core_zyx=st.none() | arrays(np.bool_, OBLIQUE.shape_zyx),
)
MEASUREMENTS = st.builds(
    Measurement,
    center_lps_mm=st.tuples(MM, MM, MM),
    long_axis_mm=SIZE,
    short_axis_mm=SIZE,
    effective_diameter_mm=SIZE,
    volume_mm3=SIZE,
)


@st.composite
def some_findings(draw: st.DrawFn) -> Finding:
    """Return a finding, measured and with a mask or neither, assessed or not."""
    measurement = draw(st.none() | MEASUREMENTS)
    nodule = Nodule(
        id=draw(st.from_regex("[NR][1-9][0-9]?", fullmatch=True)),
        center_lps_mm=draw(st.tuples(MM, MM, MM)),
        image=ImageReference(number=draw(st.integers(1, 9)), count=9),
        lung=draw(st.sampled_from(["left", "right", None])),
        measurement=measurement,
    )
    return Finding(
        nodule=nodule,
        assessment=draw(
            st.none() | st.builds(Assessment, probability=SHARE, malignancy=MALIGNANCIES)
        ),
        mask=None if measurement is None else draw(MASKS),
    )


def _bytes(files: Files) -> dict[str, bytes]:
    return {name: bytes(data) for name, data in files.items()}


def volume(array: np.ndarray) -> Volume:
    return Volume(array_zyx=array.astype(np.float32), geometry=OBLIQUE)


def whole_hu() -> np.ndarray:
    return np.random.default_rng(1).integers(-1024, 3072, OBLIQUE.shape_zyx)


@pytest.mark.parametrize(
    ("array", "stored"),
    [
        (whole_hu(), np.int16),
        (np.full(OBLIQUE.shape_zyx, -32768.0), np.int16),
        (np.full(OBLIQUE.shape_zyx, 32767.0), np.int16),
        (np.full(OBLIQUE.shape_zyx, 32768.0), np.float32),
        (np.full(OBLIQUE.shape_zyx, -0.5), np.float32),
        (whole_hu() + 0.25, np.float32),
        (np.full(OBLIQUE.shape_zyx, np.finfo(np.float32).tiny), np.float32),
        (np.full(OBLIQUE.shape_zyx, 3e38), np.float32),
    ],
)
def test_volumes_are_small_where_they_can_be_and_equal_always(
    array: np.ndarray, stored: type
) -> None:
    given_volume = volume(array)
    files = CODECS[Volume].encode(given_volume)
    assert unpack(files["array.blosc2"]).dtype == stored
    got = CODECS[Volume].decode(files)
    np.testing.assert_array_equal(got.array_zyx, given_volume.array_zyx)
    assert got.array_zyx.dtype == stored
    assert got.geometry == OBLIQUE


def test_lung_masks_come_back_equal() -> None:
    labels = np.random.default_rng(2).integers(0, 3, OBLIQUE.shape_zyx).astype(np.uint8)
    codec = CODECS[LungMask]
    got = codec.decode(codec.encode(LungMask(labels_zyx=labels, geometry=OBLIQUE)))
    np.testing.assert_array_equal(got.labels_zyx, labels, strict=True)
    assert got.geometry == OBLIQUE


@pytest.mark.parametrize("has_references", [True, False])
def test_studies_come_back_equal(has_references: bool) -> None:
    references = tuple(
        SliceReference(instance_number=i, sop_instance_uid=f"1.2.{i}") for i in range(3)
    )
    study = Study(
        volume=volume(whole_hu()),
        series=SeriesHeader(source_format="dicom", slice_thickness_mm=0.1, lossy=True),
        slices=references if has_references else (),
        warnings=(StudyWarning(code="LOSSY", message="é"),),
    )
    codec = CODECS[Study]
    got = codec.decode(codec.encode(study))
    np.testing.assert_array_equal(got.volume.array_zyx, study.volume.array_zyx)
    assert got.volume.geometry == study.volume.geometry
    assert (got.series, got.slices, got.warnings) == (study.series, study.slices, study.warnings)


@settings(deadline=None)
@given(st.lists(CANDIDATES).map(tuple))
def test_candidates_come_back_equal(candidates: tuple[Candidate, ...]) -> None:
    codec = CODECS[tuple[Candidate, ...]]
    assert codec.decode(codec.encode(candidates)) == candidates


@settings(deadline=None)
@given(
    st.lists(
        st.builds(ScoredCandidate, candidate=CANDIDATES, probability=SHARE, malignancy=MALIGNANCIES)
    ).map(tuple)
)
def test_scored_candidates_come_back_equal(scored: tuple[ScoredCandidate, ...]) -> None:
    codec = CODECS[tuple[ScoredCandidate, ...]]
    assert codec.decode(codec.encode(scored)) == scored


@settings(deadline=None)
@given(st.lists(some_findings(), max_size=3).map(tuple))
def test_findings_come_back_equal(findings: tuple[Finding, ...]) -> None:
    codec = CODECS[tuple[Finding, ...]]
    files = codec.encode(findings)
    assert codec.decode(files) == findings
    assert _bytes(codec.encode(codec.decode(files))) == _bytes(files)


@pytest.mark.parametrize("count", [0, 1, 11])
def test_heat_maps_come_back_equal(count: int) -> None:
    rng = np.random.default_rng(4)
    maps = tuple(
        SaliencyMap(
            finding_id=f"N{number}",
            answer="malignancy",
            saliency_zyx=rng.random(OBLIQUE.shape_zyx).astype(np.float16),
            geometry=OBLIQUE,
            checks=SaliencyChecks(
                score=1 / 3,
                score_without_hottest=2.0,
                scores_without_elsewhere=(2.5, 0.1 + 0.2),
                likeness_random_head=-0.1,
                likeness_random_network=0.0,
            ),
        )
        for number in range(count)
    )
    codec = CODECS[tuple[SaliencyMap, ...]]
    got = codec.decode(codec.encode(maps))
    assert len(got) == count
    for one, other in zip(got, maps, strict=True):
        np.testing.assert_array_equal(one.saliency_zyx, other.saliency_zyx, strict=True)
        assert (one.finding_id, one.answer, one.geometry) == (
            other.finding_id,
            other.answer,
            other.geometry,
        )
        assert one.checks == other.checks
    assert _bytes(codec.encode(got)) == _bytes(codec.encode(maps))


def test_what_is_read_passes_the_constructor_again() -> None:
    files = {"value.json": b'[{"center_lps_mm":[0,0,0],"score":7.0,"diameter_mm":1.0}]'}
    with pytest.raises(Exception, match="BAD_PROBABILITY"):
        CODECS[tuple[Candidate, ...]].decode(files)
