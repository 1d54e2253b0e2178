import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodule.findings import Candidate, Malignancy, ScoredCandidate
from nodule.geometry import Geometry, as_vector
from nodule.masks import NoduleMask, Texture
from nodule.measure._joined_lesions import Grown, JoinedLesion, join_lesions

GRID = Geometry(
    shape_zyx=(6, 9, 24), spacing_zyx_mm=(2.0, 0.9, 0.7), origin_lps_mm=(-5.0, 8.0, 30.0)
)
EVEN = Malignancy(distribution=(0.2, 0.2, 0.2, 0.2, 0.2))
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def seen(index_zyx: Sequence[float], probability: float) -> ScoredCandidate:
    place = as_vector(GRID.index_to_lps(index_zyx))
    return ScoredCandidate(
        candidate=Candidate(center_lps_mm=place, score=0.5, diameter_mm=5.0),
        probability=probability,
        malignancy=EVEN,
    )


def block(box: Box, texture: Texture | None = "solid", core: Box | None = None) -> NoduleMask:
    """Return a block of voxels; its core, where it has one, is another within it."""
    arrays = []
    for each in (box, core or box):
        array = np.zeros(GRID.shape_zyx, np.bool_)
        array[tuple(slice(*ends) for ends in each)] = True
        arrays.append(array)
    return NoduleMask.cropped(
        arrays[0],
        start_zyx=(0, 0, 0),
        source=GRID,
        texture=texture,
        core_zyx=arrays[1] if core else None,
    )


def row(start: int, stop: int, texture: Texture | None = "solid") -> NoduleMask:
    return block(((2, 3), (4, 5), (start, stop)), texture)


def voxels(mask: NoduleMask | None) -> set[int]:
    return set() if mask is None else set(mask.voxel_numbers(GRID).tolist())


@st.composite
def candidates(draw: st.DrawFn) -> list[Grown]:
    """Draw boxes that often overlap, some of equal probability, some without a mask."""
    found: list[Grown] = []
    for _ in range(draw(st.integers(0, 7))):
        box = []
        for size in GRID.shape_zyx:
            start = draw(st.integers(0, size - 1))
            box.append((start, draw(st.integers(start + 1, min(start + 6, size)))))
        texture: Texture = draw(st.sampled_from(["solid", "part-solid", "ground-glass"]))
        place = seen([(a + b - 1) / 2 for a, b in box], draw(st.sampled_from([0.5, 0.7, 0.9])))
        bare = draw(st.integers(0, 4)) == 0
        found.append((place, None if bare else block((box[0], box[1], box[2]), texture)))
    return found


@given(candidates())
def test_no_two_lesions_share_a_voxel(grown: list[Grown]) -> None:
    joined = join_lesions(grown, grid=GRID)
    for one, other in itertools.combinations(joined, 2):
        assert not voxels(one.mask) & voxels(other.mask)


@given(candidates(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(grown: list[Grown], random: object) -> None:
    mixed = list(grown)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert join_lesions(mixed, grid=GRID) == join_lesions(grown, grid=GRID)


@given(candidates())
def test_what_is_joined_stays_as_it_is(grown: list[Grown]) -> None:
    joined = join_lesions(grown, grid=GRID)
    again = join_lesions([(each.lead, each.mask) for each in joined], grid=GRID)
    assert [(each.lead, each.mask) for each in again] == [(each.lead, each.mask) for each in joined]


@given(candidates())
def test_every_candidate_is_part_of_a_lesion_that_is_at_least_as_probable(
    grown: list[Grown],
) -> None:
    joined = join_lesions(grown, grid=GRID)
    probabilities = [each.lead.probability for each in joined]
    assert probabilities == sorted(probabilities, reverse=True)
    for each, mask in grown:
        if mask is not None:
            near = [lesion for lesion in joined if voxels(lesion.mask) & voxels(mask)]
            assert max(lesion.lead.probability for lesion in near) >= each.probability


@pytest.mark.parametrize(("common", "length"), [(4, 18), (5, 12), (6, 12)])
def test_masks_that_share_half_of_the_smaller_are_one_seen_twice(common: int, length: int) -> None:
    """Of 12 and 10 voxels: below half they are parts of one lesion, else the first counts."""
    first, second = row(0, 12), row(12 - common, 22 - common)
    (lesion,) = join_lesions(
        [(seen((2, 4, 5), 0.9), first), (seen((2, 4, 15), 0.8), second)], grid=GRID
    )
    assert lesion.mask is not None
    assert lesion.mask.array_zyx.sum() == length
    assert lesion.lead.probability == 0.9


def test_masks_that_only_touch_are_two_lesions() -> None:
    grown: list[Grown] = [(seen((2, 4, 2), 0.9), row(0, 5)), (seen((2, 4, 7), 0.8), row(5, 9))]
    assert len(join_lesions(grown, grid=GRID)) == 2


def test_what_was_seen_twice_joins_nothing_else() -> None:
    """The wide mask is the first nodule's again, and no bridge to the one at its other end."""
    grown: list[Grown] = [
        (seen((2, 4, 2), 0.9), row(0, 8)),
        (seen((2, 4, 9), 0.8), row(0, 16)),
        (seen((2, 4, 18), 0.7), row(15, 22)),
    ]
    assert [voxels(each.mask) for each in join_lesions(grown, grid=GRID)] == [
        voxels(row(0, 8)),
        voxels(row(15, 22)),
    ]


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        ("solid", "solid", "solid"),
        ("solid", "calcified", "solid"),
        ("calcified", "calcified", "calcified"),
        ("solid", "ground-glass", "part-solid"),
        ("ground-glass", "ground-glass", "ground-glass"),
        ("solid", None, None),
    ],
)
def test_what_a_lesion_is_follows_from_its_parts(
    one: Texture, other: Texture | None, joined: Texture | None
) -> None:
    grown: list[Grown] = [
        (seen((2, 4, 5), 0.9), row(0, 12, one)),
        (seen((2, 4, 15), 0.8), row(11, 22, other)),
    ]
    (lesion,) = join_lesions(grown, grid=GRID)
    assert lesion.mask is not None
    assert lesion.mask.texture == joined
    dense = None if lesion.mask.core_zyx is None else int(lesion.mask.core_zyx.sum())
    assert dense == (12 if joined == "part-solid" else None)


def test_the_cores_of_parts_are_one_core() -> None:
    wide = block(((1, 4), (2, 7), (0, 12)), "part-solid", core=((2, 3), (4, 5), (3, 6)))
    (lesion,) = join_lesions(
        [(seen((2, 4, 5), 0.9), wide), (seen((2, 4, 15), 0.8), row(11, 20))], grid=GRID
    )
    assert lesion.mask is not None
    assert lesion.mask.core_zyx is not None
    assert lesion.mask.core_zyx.sum() == 3 + 9


def test_a_candidate_without_a_mask_belongs_to_the_lesion_that_holds_its_centre() -> None:
    surer = seen((2, 4, 3), 0.95)
    masked = seen((2, 4, 5), 0.8)
    (lesion,) = join_lesions([(surer, None), (masked, row(0, 12))], grid=GRID)
    assert lesion == JoinedLesion(lead=surer, mask=row(0, 12), grown_from=masked.candidate)


def test_candidates_without_a_mask_are_lesions_where_they_lie_alone() -> None:
    bare = [seen((1, 1, 1), 0.9), seen((1, 1, 1.2), 0.7), seen((4, 4, 4), 0.8)]
    joined = join_lesions([(each, None) for each in bare], grid=GRID)
    assert [each.lead for each in joined] == [bare[0], bare[2]]
