"""A made-up nodule and a made-up scan whose tissues have known densities."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from nodule.geometry import Geometry
from nodule.lidc.packed import PackedCrop
from nodule.lidc.records import NoduleRecord
from nodule.malignancy.backgrounds import Background
from nodule.malignancy.examples import NoduleExample, View, count_votes
from nodule.malignancy.network import C3DMultitask
from nodule.weights import Weights, save_state

sys.path.insert(0, str(Path(__file__).parent))  # for hand_built

NODULE_HU, OWN_LUNG_HU, OTHER_LUNG_HU = 100, -780, -900
RADIUS_MM = 4.0


@pytest.fixture
def example() -> Callable[..., NoduleExample]:
    """Return a maker of a ball in lung, in a view of so many 2 mm slices."""

    def make(*, slices: int = 5, ratings: tuple[int, ...] = (3, 4, 5)) -> NoduleExample:
        spacing_mm = (2.0, 0.8, 0.8)
        shape = (slices, 70, 70)
        center = ((slices - 1) / 2, 34.5, 34.5)
        gap_mm = [
            (i - c) * s for i, c, s in zip(np.indices(shape), center, spacing_mm, strict=True)
        ]
        ball = np.linalg.norm(gap_mm, axis=0) < RADIUS_MM
        record = NoduleRecord(
            kind="stack", file="made/up.npz", patient_id="MADE-UP", fold=0, center_lps_mm=None,
            spacing_zyx_mm=spacing_mm, origin_lps_mm=None, diameter_mm=2 * RADIUS_MM,
            n_readers=len(ratings), readers=tuple(range(len(ratings))),
            ratings={"malignancy": ratings}, voi_file=None,
        )  # fmt: skip
        packed = PackedCrop(
            record=record,
            stored=np.where(ball, NODULE_HU, OWN_LUNG_HU).astype(np.int16),
            reader_bits=ball.astype(np.uint8),
            exact_slices=np.ones(slices, dtype=np.bool_),
            geometry=Geometry(shape_zyx=shape, spacing_zyx_mm=spacing_mm),
        )
        view = View(packed=packed, center_zyx=center)
        return NoduleExample(record=record, votes=count_votes(record), views=(view,))

    return make


@pytest.fixture
def background() -> Background:
    """Return lung without anything in it, whose places all lie in its middle."""
    middle = np.full((1, 3), 60.0, np.float32)
    return Background(
        hu=np.full((120, 120, 120), OTHER_LUNG_HU, np.int16),
        spacing_zyx_mm=(1.0, 1.0, 1.0),
        places={"parenchyma": middle, "structure": middle},
    )


@pytest.fixture
def make_member(tmp_path: Path) -> Callable[..., Weights]:
    """Return a maker of a small network's weights, different for every seed."""

    def make(
        *, seed: int, magnifications_mm: tuple[float, ...] = (1.0, 1.5), saw: tuple[str, ...] = ()
    ) -> Weights:
        torch.manual_seed(seed)
        network = C3DMultitask(magnifications_mm=magnifications_mm, channels=(8, 8, 8))
        path = tmp_path / f"malignancy.fold{seed}.safetensors"
        save_state(
            path, network.state_dict(), stage="malignancy", training_patients=saw,
            architecture={"magnifications_mm": list(magnifications_mm), "channels": [8, 8, 8]},
        )  # fmt: skip
        return Weights.open(path)

    return make
