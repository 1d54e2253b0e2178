import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodule.findings import Finding, Malignancy, masks_of, without_mask
from nodule.followup import Change, Comparison, ExamIdentity, Registration, Unmatched
from nodule.geometry import Geometry
from nodule.guidelines.growth import Volumetry, judge_growth
from nodule.masks import NoduleMask
from nodule.measure.segment import GrowthRules
from nodule.nodules import Measurement, Seed
from nodule.outputs import write_report_files
from nodule.report import Provenance, Report, build_report
from nodule.study import PatientHeader, SeriesHeader, SliceReference, Study, StudyWarning
from nodule.volume import LungMask, Volume

sys.path.insert(0, str(Path(__file__).parent))  # for made_findings

from made_findings import ball_mask, made_finding, voxel_mask

DEPTH = 30
BENIGN = Malignancy(distribution=(0.6, 0.25, 0.1, 0.05, 0.0))
RULES = asdict(GrowthRules())


@pytest.fixture(scope="session")
def study() -> Study:
    """A block of lung with a bright ball at LPS (20, 30, -40); InstanceNumber falls with z."""
    geometry = Geometry(
        shape_zyx=(DEPTH, 64, 72), spacing_zyx_mm=(2.0, 0.9, 0.8), origin_lps_mm=(-8.8, 1.2, -70.0)
    )
    index = np.moveaxis(np.indices(geometry.shape_zyx), 0, -1)
    away_mm = np.linalg.norm(geometry.index_to_lps(index) - (20.0, 30.0, -40.0), axis=-1)
    hu = np.where(away_mm < 6.0, 30.0, -870.0).astype(np.float32)
    return Study(
        volume=Volume(array_zyx=hu, geometry=geometry),
        series=SeriesHeader(
            source_format="dicom",
            study_instance_uid="1.2.3",
            series_instance_uid="1.2.3.4",
            frame_of_reference_uid="1.2.3.5",
            series_number=7,
            manufacturer="Maker",
            model_name="Model",
            convolution_kernel="B30f",
            slice_thickness_mm=2.0,
            kvp=120.0,
            ctdi_vol_mgy=3.25,
        ),
        slices=tuple(
            SliceReference(instance_number=DEPTH - z, sop_instance_uid=f"1.2.3.4.{z}")
            for z in range(DEPTH)
        ),
        warnings=(StudyWarning(code="RESCALED", message="Slices differ in rescale."),),
    )


@pytest.fixture(scope="session")
def lungs() -> LungMask:
    """Two boxes on an oblique grid whose three spacings differ."""
    c, s = np.cos(0.2), np.sin(0.2)
    geometry = Geometry(
        shape_zyx=(20, 22, 24),
        spacing_zyx_mm=(3.0, 2.5, 2.0),
        origin_lps_mm=(-5.0, 2.0, -70.0),
        direction=((0.0, -s, c), (0.0, c, s), (1.0, 0.0, 0.0)),
    )
    labels = np.zeros(geometry.shape_zyx, np.uint8)
    labels[2:18, 3:20, 1:10] = LungMask.RIGHT
    labels[2:18, 3:20, 14:23] = LungMask.LEFT
    return LungMask(labels_zyx=labels, geometry=geometry)


@pytest.fixture(scope="session")
def findings(study: Study) -> tuple[Finding, ...]:
    """A measured nodule, a mass, and one that could not be measured."""
    malignancy = Malignancy(distribution=(0.05, 0.1, 0.15, 0.3, 0.4))
    nodule = Measurement(
        center_lps_mm=(20.0, 30.0, -40.4),
        long_axis_mm=12.6,
        short_axis_mm=11.94,
        effective_diameter_mm=12.0,
        volume_mm3=904.78,
        volume_ci95_mm3=(490.0, 1670.0),
        volume_error_share=0.1,
        long_axis_ends_lps_mm=((13.7, 30.0, -42.0), (26.3, 30.0, -42.0)),
        short_axis_ends_lps_mm=((20.0, 24.03, -42.0), (20.0, 35.97, -42.0)),
        texture="solid",
        mean_hu=-31.4,
        sphericity=0.8764,
    )
    mass = Measurement(
        center_lps_mm=(10.0, 20.0, -30.0),
        long_axis_mm=34.2,
        short_axis_mm=28.0,
    )
    grid = study.volume.geometry
    return (
        made_finding(
            "N1",
            nodule.center_lps_mm,
            probability=0.93,
            malignancy=malignancy,
            measurement=nodule,
            mask=ball_mask(grid, (20.0, 30.0, -40.0), radius_mm=6.0, texture="solid"),
            lung="left",
            lung_zone="upper",
            study=study,
            pleura_distance_mm=7.26,
            seed=Seed(center_lps_mm=(20.0, 30.0, -40.4), diameter_mm=12.0),
        ),
        made_finding(
            "N2",
            mass.center_lps_mm,
            probability=0.81,
            malignancy=BENIGN,
            measurement=mass,
            mask=ball_mask(grid, mass.center_lps_mm, radius_mm=9.0),
            study=study,
        ),
        made_finding("N3", (5.0, 15.0, -60.0), probability=0.6, malignancy=BENIGN, study=study),
    )


@pytest.fixture(scope="session")
def masks(findings: tuple[Finding, ...]) -> dict[str, NoduleMask]:
    return masks_of(findings)


@pytest.fixture(scope="session")
def patient() -> PatientHeader:
    return PatientHeader(
        patient_name="Doe^Jane", patient_id="P-17", study_date="20260102", sex="F", age="061Y"
    )


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return Provenance(
        input_sha256="a" * 64,
        weights={"lungs": "1" * 64, "candidates": "2" * 64, "malignancy": "3" * 64},
        config={"measure": {"probability_threshold": 0.5, **RULES}},
        versions={"nodule": "0.1.0"},
    )


@pytest.fixture(scope="session")
def report(
    study: Study,
    lungs: LungMask,
    findings: tuple[Finding, ...],
    patient: PatientHeader,
    provenance: Provenance,
) -> Report:
    return build_report(
        study=study, lungs=lungs, findings=findings, patient=patient, provenance=provenance
    )


@pytest.fixture(scope="session")
def written(
    report: Report,
    study: Study,
    lungs: LungMask,
    masks: dict[str, NoduleMask],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return the folder of a whole report; not to be changed."""
    folder = tmp_path_factory.mktemp("written")
    write_report_files(report, study=study, lungs=lungs, masks=masks, folder=folder)
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on the PATH")
    return path


@pytest.fixture(scope="session")
def browser_driver() -> Iterator[Any]:
    """The one Playwright of this process, which does not bear a second one."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(chromium: str, browser_driver: Any) -> Iterator[Any]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    browser = browser_driver.chromium.launch(executable_path=chromium, args=flags)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def comparison(study: Study, findings: tuple[Finding, ...], patient: PatientHeader) -> Comparison:
    """N1 grew from 600 mm³ in 300 days, N2 is new, a prior N5 is gone."""
    nodule, mass, _ = findings
    assert nodule.nodule.measurement is not None
    smaller = replace(
        nodule.nodule.measurement,
        volume_mm3=600.0,
        effective_diameter_mm=10.46,
        long_axis_mm=10.9,
        short_axis_mm=10.2,
    )
    then = replace(
        nodule,
        nodule=replace(nodule.nodule, id="N2", measurement=smaller),
        mask=voxel_mask(nodule.nodule.center_lps_mm, 600.0),
    )
    gone = made_finding("N5", (9.0, 20.0, -55.0), probability=0.6, malignancy=BENIGN, study=study)
    growth = judge_growth(
        before=Volumetry(volume_mm3=600.0, error_share=0.1),
        after=Volumetry(volume_mm3=904.78, error_share=0.1),
        days=300,
    )
    change = Change(
        current=without_mask(nodule),
        prior=without_mask(then),
        distance_mm=1.0,
        ambiguous=False,
        volume_change_mm3=304.78,
        volume_change=growth.figure("volume change"),
        diameter_change_mm=1.54,
        growth=growth.answer,
        doubling_time=growth.figure("volume doubling time"),
        notes=growth.caveats,
    )
    return Comparison(
        current=_identity(study, patient.study_date, "a"),
        prior=_identity(study, "20250308", "b"),
        days=300,
        registration=Registration(overlap=0.97, surface_error_mm=1.2),
        changes=(change,),
        new=(_unmatched(mass),),
        resolved=(_unmatched(gone),),
        warnings=(StudyWarning(code="KERNEL_DIFFERS", message="Kernels differ."),),
    )


def _identity(study: Study, study_date: str | None, digit: str) -> ExamIdentity:
    return ExamIdentity(
        study_instance_uid=study.series.study_instance_uid,
        series_instance_uid=study.series.series_instance_uid,
        study_date=study_date,
        input_sha256=digit * 64,
    )


def _unmatched(finding: Finding) -> Unmatched:
    return Unmatched(
        finding=without_mask(finding),
        place_in_other_lps_mm=finding.nodule.center_lps_mm,
        covered=True,
        ambiguous=False,
    )
