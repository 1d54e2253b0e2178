"""The stage marks what is there, in the patient's millimetres, and refuses what it cannot use."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nodule.candidates import ProposeCandidates, load_network, reachable_cells
from nodule.candidates import stage as stage_module
from nodule.errors import ConfigError, GeometryError, InputError, WeightsError
from nodule.geometry import Geometry
from nodule.volume import LungMask, Volume
from nodule.weights import Weights, save_state

GRID = Geometry(
    shape_zyx=(60, 72, 90), spacing_zyx_mm=(1.0, 1.0, 1.0), origin_lps_mm=(-40.0, 15.0, -300.0)
)


def sees_bright_voxels(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say ten times as hot as a cell's voxel is bright, 8 mm large, here."""
    answers = np.zeros((len(images), 5, *[n // 4 for n in images.shape[2:]]), np.float32)
    answers[:, 0] = 10 * images[:, 0, ::4, ::4, ::4] - 5
    return answers


@pytest.fixture
def proposer(monkeypatch: pytest.MonkeyPatch) -> ProposeCandidates:
    monkeypatch.setattr(stage_module, "load_network", lambda *_, **__: sees_bright_voxels)
    return ProposeCandidates(window_mm=(64,), precision="fp32")


def scan(bright_zyx: tuple[tuple[int, int, int], ...] = (), hu: float = 300.0) -> Volume:
    array = np.full(GRID.shape_zyx, -1000.0, np.float32)
    for index in bright_zyx:
        array[index] = hu
    return Volume(array_zyx=array, geometry=GRID)


def lungs(*, columns: slice = slice(0, 90)) -> LungMask:
    labels = np.zeros(GRID.shape_zyx, np.uint8)
    labels[:, :, columns] = LungMask.RIGHT
    return LungMask(labels_zyx=labels, geometry=GRID)


def weights_file(folder: Path, *, stage: str = "candidates") -> Weights:
    from nodule.candidates import HeatmapNetwork

    channels, depths = (4, 4, 4, 4), (1, 1, 1, 1)
    torch.manual_seed(0)
    save_state(
        folder / "w.safetensors",
        HeatmapNetwork(channels, depths).state_dict(),
        stage=stage,
        architecture={"channels": list(channels), "depths": list(depths)},
        training_patients=(),
    )
    return Weights.open(folder / "w.safetensors")


def test_marks_lie_where_the_patient_has_them(proposer: ProposeCandidates) -> None:
    (mark,) = proposer.run(volume=scan(((56, 68, 88),)), lungs=lungs())
    # 88 columns left, 68 rows back, 56 slices up from the origin
    assert mark.center_lps_mm == pytest.approx((48.0, 83.0, -244.0))
    assert mark.diameter_mm == pytest.approx(8.0)
    assert mark.score == pytest.approx(1 / (1 + np.exp(5 - 10 * 1300 / 1400)), abs=1e-4)


def test_marks_outside_the_widened_lungs_do_not_count(proposer: ProposeCandidates) -> None:
    volume = scan(((20, 20, 20), (20, 20, 36), (20, 20, 60)))
    near = proposer.run(volume=volume, lungs=lungs(columns=slice(0, 30)))
    assert sorted(c.center_lps_mm[0] for c in near) == pytest.approx([-20.0, -4.0])


def test_scores_fall(proposer: ProposeCandidates) -> None:
    volume = scan(((20, 20, 20),), hu=100.0)
    volume.array_zyx[40, 40, 40] = 300.0
    scores = [c.score for c in proposer.run(volume=volume, lungs=lungs())]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)


def test_no_lung_no_candidates(proposer: ProposeCandidates) -> None:
    empty = LungMask(labels_zyx=np.zeros(GRID.shape_zyx, np.uint8), geometry=GRID)
    assert proposer.run(volume=scan(((20, 20, 20),)), lungs=empty) == ()


def test_reports_its_progress_to_the_end(proposer: ProposeCandidates) -> None:
    told: list[float] = []
    proposer.run(volume=scan(), lungs=lungs(), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_runs_weights_from_a_file_the_same_for_any_batch(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.uniform(-1000, 400, GRID.shape_zyx).astype(np.float32)
    volume = Volume(array_zyx=noise, geometry=GRID)
    marks = [
        ProposeCandidates(
            weights=weights_file(tmp_path), score_threshold=0.0, window_mm=(64,), batch=batch,
            precision="fp32", device="cpu",
        ).run(volume=volume, lungs=lungs())
        for batch in (1, 3)
    ]  # fmt: skip
    assert 0 < len(marks[0]) <= 100
    for one, other in zip(*marks, strict=True):
        assert one.center_lps_mm == pytest.approx(other.center_lps_mm, abs=1e-3)
        assert one.score == pytest.approx(other.score, abs=1e-5)


def test_reachable_cells_are_measured_in_millimetres() -> None:
    lung = np.zeros((9, 9, 61), bool)
    lung[4, 4, 30] = True  # in cell 7 of 16
    cells: NDArray[np.bool_] = reachable_cells(lung, margin_mm=8.0)
    assert cells.shape == (3, 3, 16)
    assert np.flatnonzero(cells[1, 1]).tolist() == [5, 6, 7, 8, 9]


def test_refuses_lungs_on_another_grid(proposer: ProposeCandidates) -> None:
    shifted = Geometry(shape_zyx=GRID.shape_zyx, spacing_zyx_mm=(1.0, 1.0, 1.0))
    elsewhere = LungMask(labels_zyx=np.zeros(GRID.shape_zyx, np.uint8), geometry=shifted)
    with pytest.raises(GeometryError, match="LUNGS_ELSEWHERE"):
        proposer.run(volume=scan(), lungs=elsewhere)


def test_refuses_another_spacing(proposer: ProposeCandidates) -> None:
    coarse = Geometry(shape_zyx=(8, 8, 8), spacing_zyx_mm=(2.0, 1.0, 1.0))
    volume = Volume(array_zyx=np.zeros((8, 8, 8), np.float32), geometry=coarse)
    mask = LungMask(labels_zyx=np.zeros((8, 8, 8), np.uint8), geometry=coarse)
    with pytest.raises(InputError, match="NOT_ONE_MM"):
        proposer.run(volume=volume, lungs=mask)


def test_refuses_windows_off_the_networks_grid() -> None:
    with pytest.raises(ConfigError, match=r"BAD_VALUE: window_mm.*a multiple of 16.*100"):
        ProposeCandidates(window_mm=(112, 100))


def test_refuses_windows_that_are_all_halo() -> None:
    assert ProposeCandidates(window_mm=(48,), halo_mm=16).window_mm == (48,)
    with pytest.raises(ConfigError, match=r"BAD_WINDOW_SIZE.*two halos.*48.*32"):
        ProposeCandidates(window_mm=(112, 48), halo_mm=32)


def test_refuses_weights_of_another_stage(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="WRONG_STAGE"):
        load_network(weights_file(tmp_path, stage="lungs"))


@pytest.mark.parametrize(("spacing_mm", "refused"), [(1.0009, False), (1.0011, True)])
def test_the_grid_is_of_1_mm_to_a_thousandth(
    proposer: ProposeCandidates, spacing_mm: float, refused: bool
) -> None:
    grid = Geometry(shape_zyx=(16, 16, 16), spacing_zyx_mm=(spacing_mm, 1.0, 1.0))
    volume = Volume(array_zyx=np.zeros(grid.shape_zyx, np.float32), geometry=grid)
    empty = LungMask(labels_zyx=np.zeros(grid.shape_zyx, np.uint8), geometry=grid)
    if refused:
        with pytest.raises(InputError, match="NOT_ONE_MM"):
            proposer.run(volume=volume, lungs=empty)
    else:
        assert proposer.run(volume=volume, lungs=empty) == ()


@pytest.mark.parametrize(("margin_mm", "reached"), [(7.9, 3), (8.0, 5), (8.1, 5)])
def test_a_cell_at_the_margin_is_reached(margin_mm: float, reached: int) -> None:
    """Cells lie 4 mm apart."""
    lung = np.zeros((4, 4, 60), bool)
    lung[2, 2, 30] = True
    assert reachable_cells(lung, margin_mm=margin_mm).sum() == reached
