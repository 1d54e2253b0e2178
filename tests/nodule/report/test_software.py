"""What a report says of the software that made it changes whenever its answers may."""

import numpy as np
import pytest

import nodule
from nodule.detection import Detection
from nodule.dicom._instance import device_uid
from nodule.geometry import Geometry
from nodule.report import Provenance
from nodule.report.software import answers_digest, provenance_of, software_of
from nodule.stage_record import StageRecord
from nodule.study import SeriesHeader, Study
from nodule.volume import LungMask, Volume

GRID = Geometry(shape_zyx=(2, 2, 2), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(0.0, 0.0, 0.0))


def test_every_network_and_setting_is_named() -> None:
    found = Detection(
        study=Study(
            volume=Volume(array_zyx=np.zeros(GRID.shape_zyx, np.float32), geometry=GRID),
            series=SeriesHeader(source_format="nifti"),
        ),
        lungs=LungMask(labels_zyx=np.zeros(GRID.shape_zyx, np.uint8), geometry=GRID),
        findings=(),
        stages=(
            StageRecord(
                name="one",
                version=1,
                constants_sha256="1" * 64,
                settings={"mm": 2.0},
                weights={"one": "a" * 64},
            ),
            StageRecord(
                name="two",
                version=3,
                constants_sha256="2" * 64,
                settings={},
                weights={"two.1": "b" * 64},
            ),
        ),
    )
    told = provenance_of(found)
    assert told.weights == {"one": "a" * 64, "two.1": "b" * 64}
    assert told.stages == {"one": 1, "two": 3}
    assert told.constants == {"one": "1" * 64, "two": "2" * 64}
    assert told.config == {"one": {"mm": 2.0}, "two": {}}
    assert told.input_sha256 == found.study.digest
    assert told.versions["nodule"] == nodule.__version__
    assert {"numpy", "torch"} <= told.versions.keys()


@pytest.mark.parametrize(
    "other",
    [
        {"stages": {"lungs": 3}},
        {"stages": {"lung": 2}},
        {"constants": {"lungs": "f" * 64}},
        {"weights": {"lungs": "b" * 64}},
        {"versions": {"nodule": "9.9.9"}},
    ],
)
def test_the_identifier_and_the_device_change_with_all_that_moves_an_answer(
    other: dict[str, dict[str, object]],
) -> None:
    made = Provenance(
        input_sha256="d" * 64,
        stages={"lungs": 2},
        constants={"lungs": "e" * 64},
        weights={"lungs": "a" * 64},
        config={},
        versions={"nodule": "1.2.3"},
    )
    changed = made.model_copy(update=other)
    assert software_of(made).identifier == f"nodule/1.2.3/{answers_digest(made)}"
    assert software_of(changed).identifier != software_of(made).identifier
    assert device_uid(changed) != device_uid(made)


def test_a_report_from_before_stages_were_named_can_be_read() -> None:
    old = {"input_sha256": "d" * 64, "weights": {}, "config": {}, "versions": {}}
    assert Provenance.model_validate(old).stages == {}
