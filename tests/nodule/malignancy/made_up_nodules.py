"""Made-up nodules and small networks to look at them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from nodule.geometry import Geometry
from nodule.malignancy.network import C3DMultitask
from nodule.malignancy.training import NoduleCropView, NoduleExample
from nodule.malignancy.training._nodule_examples import count_votes
from nodule.training import NoduleRecord, PackedCrop
from nodule.weights import Weights, save_state

NODULE_HU, OWN_LUNG_HU = 100, -780
RADIUS_MM = 4.0


def make_example(*, slices: int = 5, ratings: tuple[int, ...] = (3, 4, 5)) -> NoduleExample:
    """Return a ball in lung, in a view of so many 2 mm slices."""
    spacing_mm = (2.0, 0.8, 0.8)
    shape = (slices, 70, 70)
    center = ((slices - 1) / 2, 34.5, 34.5)
    gap_mm = [(i - c) * s for i, c, s in zip(np.indices(shape), center, spacing_mm, strict=True)]
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
    view = NoduleCropView(packed=packed, center_zyx=center)
    return NoduleExample(record=record, votes=count_votes(record), views=(view,))


def write_member(
    folder: Path,
    *,
    seed: int,
    magnifications_mm: tuple[float, ...] = (1.0, 1.5),
    saw: tuple[str, ...] = (),
    answers: str = "all",
) -> Weights:
    """Write a small network's weights, different for every seed."""
    torch.manual_seed(seed)
    network = C3DMultitask(magnifications_mm=magnifications_mm, channels=(8, 8, 8))
    path = folder / f"malignancy.fold{seed}.safetensors"
    save_state(
        path, network.state_dict(), stage="malignancy", training_patients=saw,
        architecture={
            "magnifications_mm": list(magnifications_mm), "channels": [8, 8, 8], "answers": answers,
        },
    )  # fmt: skip
    return Weights.open(path)
