"""One image of labels holds every mask, and gives each back as it was."""

from dataclasses import replace

import numpy as np
import pytest
from made_findings import GRID, ball_mask, box

from nodule.errors import InputError
from nodule.mask_labels import MaskReference, label_masks, refer_to_masks, restore_masks
from nodule.masks import Texture

SOLID: Texture = "solid"


def test_every_mask_comes_back_from_one_image_of_labels_even_where_they_overlap() -> None:
    center = GRID.index_to_lps((9, 11, 13))
    masks = {
        "N1": box((3, 5, 7), (6, 9, 12)),
        "N2": box((5, 8, 10), (9, 12, 16)),  # shares (5, 8, 10) and (5, 8, 11) with N1
        "R1": box((0, 0, 0), (1, 1, 1)),
        "R2": ball_mask(GRID, (center[0], center[1], center[2]), radius_mm=4.0, texture="solid"),
    }
    references = refer_to_masks(masks, grid=GRID)
    assert [each.labels[0] for each in references.values()] == [1, 2, 3, 4]
    assert references["R1"].labels == (3,)
    labels = label_masks(masks, grid=GRID)
    assert labels.dtype == np.uint8
    assert labels[5, 8, 10] == labels[5, 8, 11] == 5
    assert 5 in references["N1"].labels
    assert 5 in references["N2"].labels
    solid = dict.fromkeys(masks, SOLID)
    assert restore_masks(references, labels, grid=GRID, textures=solid) == masks


def test_no_mask_gives_an_empty_image() -> None:
    assert refer_to_masks({}, grid=GRID) == {}
    assert not label_masks({}, grid=GRID).any()


def test_many_masks_take_two_bytes_a_label() -> None:
    places = [(z, y, x) for z in range(2) for y in range(0, 24) for x in range(0, 28, 4)][:256]
    masks = {
        f"N{n}": box((z, y, x), (z + 1, y + 1, x + 1)) for n, (z, y, x) in enumerate(places, 1)
    }
    labels = label_masks(masks, grid=GRID)
    assert (labels.dtype, labels.max()) == (np.uint16, 256)
    assert label_masks(dict(list(masks.items())[:255]), grid=GRID).dtype == np.uint8


def test_labels_of_another_report_are_refused() -> None:
    mask = box((3, 5, 7), (6, 9, 12))
    labels = label_masks({"N1": mask}, grid=GRID)
    labels[5, 8, 11] = 0
    reference = MaskReference(labels=(1,), sha256=mask.sha256)
    for foreign in (labels, np.zeros_like(labels)):
        with pytest.raises(InputError, match="FOREIGN_MASKS"):
            restore_masks({"N1": reference}, foreign, grid=GRID, textures={"N1": SOLID})


def test_refuses_a_mask_of_another_grid() -> None:
    aside = replace(GRID, origin_lps_mm=(-31.7, 12.3, -139.9))
    small = replace(GRID, shape_zyx=(5, 24, 28))
    for grid in (aside, small):
        with pytest.raises(InputError, match="MASK_OUTSIDE_GRID"):
            refer_to_masks({"N1": box((3, 5, 7), (6, 9, 12))}, grid=grid)
