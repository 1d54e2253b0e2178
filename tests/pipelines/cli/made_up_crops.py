"""Crop sets of made-up balls in lung, each with the ratings that it is given."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nodule.geometry import Geometry, as_vector
from nodule.lidc import CHARACTERISTICS, LidcNodule, fold_of
from nodule.lidc._xml import NoduleReading
from nodule.study import SeriesHeader, Study
from nodule.training import NoduleStack, write_table
from nodule.training._crop_set_writing import write_stacks
from nodule.volume import Volume

GRID = Geometry(shape_zyx=(24, 64, 64), spacing_zyx_mm=(2.0, 0.8, 0.8))


def patients_of(fold: int) -> Iterator[str]:
    """Name patients of one fold, without end."""
    return (name for n in itertools.count(1) if fold_of(name := f"MADE-UP-{n:04d}") == fold)


def write_crops(folder: Path, ratings: Mapping[str, tuple[int, ...]]) -> Path:
    """Write a nodule a patient, larger the more malignant its readers call it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (patient, votes) in enumerate(ratings.items()):
        study, ball = _scan(number, diameter_mm=4.0 + 2.0 * float(np.mean(votes)))
        nodule = LidcNodule(
            readings=tuple(_reading(reader, vote) for reader, vote in enumerate(votes)),
            start_zyx=(0, 0, 0),
            reader_masks=np.repeat(ball[None], len(votes), axis=0),
            geometry=GRID,
        )
        boxed = _boxed(nodule)
        stack = NoduleStack.of_lidc(boxed, study=study, margin_mm=12.0)
        rows += write_stacks(folder, study=study, patient_id=patient, stacks=[stack])
    write_table(folder, rows)
    return folder


def _scan(seed: int, *, diameter_mm: float) -> tuple[Study, np.ndarray]:
    index = np.moveaxis(np.indices(GRID.shape_zyx), 0, -1)
    middle = GRID.index_to_lps((np.asarray(GRID.shape_zyx) - 1) / 2)
    ball = np.linalg.norm(GRID.index_to_lps(index) - middle, axis=-1) <= diameter_mm / 2
    noise = np.random.default_rng(seed).normal(0.0, 20.0, GRID.shape_zyx)
    hu = (np.where(ball, 30.0, -860.0) + noise).astype(np.float32)
    header = SeriesHeader(source_format="dicom", series_instance_uid=f"1.2.3.{seed + 1}")
    return Study(volume=Volume(array_zyx=np.rint(hu), geometry=GRID), series=header), ball


def _reading(reader: int, malignancy: int) -> NoduleReading:
    ratings = dict.fromkeys(CHARACTERISTICS, 1) | {"malignancy": malignancy}
    return NoduleReading(reader=reader, nodule_id=f"r{reader}", ratings=ratings, contours=())


def _boxed(nodule: LidcNodule) -> LidcNodule:
    """Keep the box that holds the outlines, a voxel wider."""
    places = np.argwhere(nodule.reader_masks[0])
    low, high = places.min(axis=0) - 1, places.max(axis=0) + 2
    box = tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))
    masks = nodule.reader_masks[(slice(None), *box)]
    z, y, x = low.tolist()
    return replace(
        nodule,
        start_zyx=(z, y, x),
        reader_masks=masks,
        geometry=replace(
            GRID, shape_zyx=masks.shape[1:], origin_lps_mm=as_vector(GRID.index_to_lps(low))
        ),
    )
