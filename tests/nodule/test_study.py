"""A study names any of its points in every frame, and an invalid one cannot exist."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest

from nodule.errors import GeometryError, InputError
from nodule.findings import Candidate, Malignancy
from nodule.geometry import Geometry
from nodule.hu import HuWindow
from nodule.nodules import Measurement
from nodule.study import PatientHeader, SeriesHeader, SliceReference, Study, StudyWarning, dicom_day
from nodule.volume import LungMask, Volume

GRID = Geometry(shape_zyx=(4, 5, 6), spacing_zyx_mm=(2.0, 0.5, 0.25), origin_lps_mm=(10, 20, -30))


def study(slices: int = 4) -> Study:
    return Study(
        volume=Volume(array_zyx=np.zeros(GRID.shape_zyx, np.float32), geometry=GRID),
        series=SeriesHeader(source_format="dicom", series_instance_uid="1.2.3"),
        slices=tuple(
            SliceReference(instance_number=9 - z, sop_instance_uid=f"1.2.3.{z}")
            for z in range(slices)
        ),
    )


def test_names_a_point_in_every_frame() -> None:
    frames = study().locate((10.5, 21.0, -26.9))
    assert frames.index_zyx == pytest.approx((1.55, 2.0, 2.0))
    assert frames.ras_mm == pytest.approx((-10.5, -21.0, -26.9))
    assert frames.slice_number == 3
    assert frames.instance_number == 7
    assert frames.sop_instance_uid == "1.2.3.2"
    assert frames.luna16 == ("1.2.3", 10.5, 21.0, -26.9)


def test_finds_a_slice_by_its_dicom_names() -> None:
    assert study().slice_index(instance_number=8) == 1
    assert study().slice_index(sop_instance_uid="1.2.3.3") == 3
    with pytest.raises(InputError, match="NO_SUCH_SLICE"):
        study().slice_index(instance_number=1)
    with pytest.raises(InputError, match="NO_SUCH_SLICE"):
        study().slice_index(instance_number=8, sop_instance_uid="1.2.3.3")


def test_a_point_outside_the_scan_is_refused() -> None:
    with pytest.raises(InputError, match="OUTSIDE_VOLUME"):
        study().locate((10.5, 21.0, 100.0))


def test_names_the_nearest_image_beyond_the_ends_too() -> None:
    """Slices lie at z = -30, -28, -26 and -24 mm."""
    for z_mm, number in ((-29.1, 1), (-28.9, 2), (-900.0, 1), (900.0, 4)):
        image = study().image_at((10.5, 21.0, z_mm))
        assert (image.number, image.count, image.instance_number) == (number, 4, 10 - number)
    bare = replace(study(), slices=()).image_at((10.5, 21.0, -26.0))
    assert (bare.number, bare.instance_number, bare.sop_instance_uid) == (3, None, None)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20240229", date(2024, 2, 29)),
        (" 20240229 ", date(2024, 2, 29)),
        ("20230229", None),
        ("2024229", None),
        ("2024-02-29", None),
        ("", None),
        (None, None),
    ],
)
def test_reads_the_day_of_a_dicom_date(text: str | None, day: date | None) -> None:
    assert dicom_day(text) == day


def test_refuses_slices_that_do_not_match_the_volume() -> None:
    with pytest.raises(InputError, match="SLICE_COUNT"):
        study(slices=3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_voxels_that_are_not_finite(bad: float) -> None:
    array = np.zeros(GRID.shape_zyx, np.float32)
    array[1, 2, 3] = bad
    with pytest.raises(InputError, match="NOT_FINITE"):
        Volume(array_zyx=array, geometry=GRID)


def test_refuses_an_array_of_another_shape_or_type() -> None:
    with pytest.raises(GeometryError, match="SHAPE_MISMATCH"):
        Volume(array_zyx=np.zeros((6, 5, 4), np.float32), geometry=GRID)
    with pytest.raises(InputError, match="BAD_DTYPE"):
        Volume(array_zyx=np.zeros(GRID.shape_zyx, np.int32), geometry=GRID)


def test_lung_volumes_are_voxels_times_voxel_volume() -> None:
    labels = np.zeros(GRID.shape_zyx, np.uint8)
    labels[0] = LungMask.RIGHT
    labels[1, :2] = LungMask.LEFT
    right_ml, left_ml = LungMask(labels_zyx=labels, geometry=GRID).volume_ml
    assert right_ml == pytest.approx(30 * 0.25 / 1000)
    assert left_ml == pytest.approx(12 * 0.25 / 1000)


def test_refuses_an_unknown_lung_label() -> None:
    labels = np.full(GRID.shape_zyx, 3, np.uint8)
    with pytest.raises(InputError, match="BAD_LABEL"):
        LungMask(labels_zyx=labels, geometry=GRID)


def test_malignancy_is_the_mean_rating() -> None:
    assert Malignancy(distribution=(0.0, 0.25, 0.25, 0.5, 0.0)).score == pytest.approx(3.25)


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("BAD_DISTRIBUTION", (0.5, 0.0, 0.0, 0.0, 0.0)),
        ("BAD_DISTRIBUTION", (0.5, 0.5)),
        ("BAD_PROBABILITY", (1.5, -0.5, 0.0, 0.0, 0.0)),
    ],
)
def test_refuses_what_is_no_distribution(code: str, values: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=code):
        Malignancy(distribution=values)


def test_refuses_sizes_and_scores_out_of_range() -> None:
    with pytest.raises(InputError, match="BAD_PROBABILITY"):
        Candidate(center_lps_mm=(0, 0, 0), score=1.01, diameter_mm=5)
    with pytest.raises(InputError, match="BAD_SIZE"):
        Candidate(center_lps_mm=(0, 0, 0), score=0.5, diameter_mm=float("nan"))
    with pytest.raises(InputError, match="BAD_SIZE"):
        Measurement(
            center_lps_mm=(0, 0, 0), long_axis_mm=5, short_axis_mm=0, effective_diameter_mm=4,
            volume_mm3=30,
        )  # fmt: skip


def test_a_window_clips_and_normalises() -> None:
    window = HuWindow(low_hu=-1000, high_hu=400)
    hu = np.array([-3024, -1000, -300, 400, 3000], np.float32)
    np.testing.assert_allclose(window.clip(hu), [-1000, -1000, -300, 400, 400])
    np.testing.assert_allclose(window.normalise(hu), [0, 0, 0.5, 1, 1])
    with pytest.raises(InputError, match="BAD_WINDOW"):
        HuWindow(low_hu=0, high_hu=0)


@dataclass(frozen=True)
class Files:
    """Files of a study, with a patient in them."""

    series_uid: str | None = "1.2.3"
    digest: str = "f" * 64
    patient: PatientHeader = PatientHeader(patient_name="Doe^Jane", patient_id="P-17")  # noqa: RUF009


def test_a_study_of_files_takes_its_digest_and_patient_from_them() -> None:
    read = replace(study(), origin=Files())
    assert read.digest == "f" * 64
    assert read.patient.patient_id == "P-17"


def test_an_image_of_no_file_is_known_by_its_voxels_and_its_grid() -> None:
    made = study()
    assert made.patient == PatientHeader()
    assert made.digest == study().digest
    brighter = replace(made, volume=replace(made.volume, array_zyx=made.volume.array_zyx + 1))
    moved_grid = replace(GRID, origin_lps_mm=(0.0, 0.0, 0.0))
    moved = replace(made, volume=replace(made.volume, geometry=moved_grid))
    assert len({made.digest, brighter.digest, moved.digest}) == 3


def test_a_study_shows_itself_without_its_patient() -> None:
    header = SeriesHeader(
        source_format="dicom", manufacturer="<b>A & B</b>", convolution_kernel="B30f"
    )
    warning = StudyWarning(code="LOSSY", message="compressed > twice")
    read = replace(study(), series=header, warnings=(warning,), origin=Files())
    z, y, x = GRID.spacing_zyx_mm
    assert repr(read) == (
        f"Study(dicom, shape_zyx={GRID.shape_zyx}, spacing_zyx_mm={(z, y, x)}, 1 warnings)"
    )
    table = read._repr_html_()
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in table
    assert "<th>LOSSY</th><td>compressed &gt; twice</td>" in table
    for shown in (repr(read), table):
        assert "Doe" not in shown
        assert "P-17" not in shown
