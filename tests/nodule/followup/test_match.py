"""Gates, assignment and doubt, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_findings import made_finding

from nodule.errors import InputError
from nodule.findings import Finding
from nodule.followup import LungMap, assign, match_findings
from nodule.geometry import Geometry
from nodule.nodules import Measurement

GRID = Geometry(shape_zyx=(2, 2, 2), spacing_zyx_mm=(100.0, 100.0, 100.0))
TABLES = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(0, 15))
)


def finding(x_mm: float, diameter_mm: float | None = None) -> Finding:
    measured = diameter_mm and Measurement(
        center_lps_mm=(x_mm, 0.0, 0.0),
        long_axis_mm=diameter_mm,
        short_axis_mm=diameter_mm,
        effective_diameter_mm=diameter_mm,
        volume_mm3=np.pi / 6 * diameter_mm**3,
    )
    return made_finding("N1", (x_mm, 0.0, 0.0), measurement=measured or None)


def shift_by(x_mm: float, *, surface_error_mm: float = 1.0) -> LungMap:
    shift = np.zeros((2, 2, 2, 3), np.float32)
    shift[..., 0] = x_mm
    return LungMap(
        shift_lps_mm=shift, geometry=GRID, overlap=1.0, surface_error_mm=surface_error_mm
    )


def test_the_nearest_in_all_wins_not_the_nearest_each() -> None:
    """Alone, each would take prior 0; together 1 + 4 beats 0.5 + 9.5."""
    found = assign([[1.0, 9.5], [0.5, 4.0]], gate_mm=np.full((2, 2), 12.0))
    assert [(p.current, p.prior) for p in found.pairs] == [(0, 0), (1, 1)]
    # without (0, 0): 0.5 + 9.5 is 10 against 5
    assert found.pairs[0].regret_mm == pytest.approx(5.0)


def test_at_its_gate_a_pair_is_none() -> None:
    found = assign([[8.0]], gate_mm=[[8.0]])
    assert (found.pairs, found.new, found.resolved) == ((), (0,), (0,))
    (pair,) = assign([[7.9]], gate_mm=[[8.0]]).pairs
    assert pair.regret_mm == pytest.approx(0.1)
    assert pair.ambiguous


@pytest.mark.parametrize(("distance_mm", "ambiguous"), [(4.99, False), (5.0, False), (5.01, True)])
def test_a_pair_that_saves_less_than_3_mm_is_ambiguous(distance_mm: float, ambiguous: bool) -> None:
    (pair,) = assign([[distance_mm]], gate_mm=[[8.0]]).pairs
    assert pair.ambiguous == ambiguous


def test_a_close_rival_makes_a_pair_ambiguous_and_is_named() -> None:
    """One prior nodule, two current ones 1 and 2.5 mm from it: which of them is new?"""
    found = assign([[2.5], [1.0], [30.0]], gate_mm=np.full((3, 1), 9.0))
    (pair,) = found.pairs
    assert (pair.current, pair.regret_mm) == (1, pytest.approx(1.5))
    assert pair.ambiguous
    assert found.new == (0, 2)
    assert found.ambiguous_new == {0}


def test_neighbours_that_both_match_well_are_sure() -> None:
    """Two pairs 1 mm off, 7 mm from each other: crossing them would cost 12 mm."""
    found = assign([[1.0, 7.0], [7.0, 1.0]], gate_mm=np.full((2, 2), 12.0))
    assert [p.regret_mm for p in found.pairs] == [pytest.approx(11.0), pytest.approx(11.0)]
    assert not any(p.ambiguous for p in found.pairs)


@pytest.mark.parametrize(
    ("sizes_mm", "surface_error_mm", "gate_mm"),
    [
        ((None, None), 0.0, 3.0),
        ((None, None), 1.0, 5.0),
        ((10.0, 14.0), 1.0, 11.0),  # 3 + 2 x 1 + (5 + 7) / 2
        ((10.0, 14.0), 4.0, 17.0),
    ],
)
def test_the_gate_grows_with_size_and_with_the_maps_error(
    sizes_mm: tuple[float | None, float | None], surface_error_mm: float, gate_mm: float
) -> None:
    one, other = (finding(50.0, size) for size in sizes_mm)
    found = match_findings(
        [one], [other], lung_map=shift_by(1.0, surface_error_mm=surface_error_mm)
    )
    assert found.pairs[0].gate_mm == pytest.approx(gate_mm)
    assert found.pairs[0].distance_mm == pytest.approx(1.0)


def test_findings_meet_where_the_map_takes_them() -> None:
    current, prior = [finding(10.0), finding(80.0)], [finding(60.0), finding(30.0)]
    found = match_findings(current, prior, lung_map=shift_by(20.0))
    assert [(p.current, p.prior) for p in found.pairs] == [(0, 1)]
    assert (found.new, found.resolved) == ((1,), (0,))


@pytest.mark.parametrize(("current", "prior"), [(0, 0), (2, 0), (0, 3)])
def test_without_findings_in_one_study_all_of_the_other_stand_alone(
    current: int, prior: int
) -> None:
    found = match_findings(
        [finding(20.0 * i) for i in range(current)],
        [finding(20.0 * i) for i in range(prior)],
        lung_map=shift_by(0.0),
    )
    assert found.new == tuple(range(current))
    assert found.resolved == tuple(range(prior))


@given(distance=TABLES)
def test_swapping_the_studies_swaps_new_and_resolved(distance: np.ndarray) -> None:
    gate = np.full(distance.shape, 8.0)
    # distances that no two assignments share, so that the best one is unique
    distance = distance + 0.001 * 2.0 ** -np.arange(distance.size).reshape(distance.shape)
    one, other = assign(distance, gate_mm=gate), assign(distance.T, gate_mm=gate.T)
    assert (one.new, one.resolved) == (other.resolved, other.new)
    assert {(p.current, p.prior) for p in one.pairs} == {(p.prior, p.current) for p in other.pairs}


@given(distance=TABLES)
def test_every_finding_is_told_once_and_every_pair_is_within_its_gate(
    distance: np.ndarray,
) -> None:
    found = assign(distance, gate_mm=np.full(distance.shape, 8.0))
    rows, columns = distance.shape
    assert sorted([p.current for p in found.pairs] + list(found.new)) == list(range(rows))
    assert sorted([p.prior for p in found.pairs] + list(found.resolved)) == list(range(columns))
    assert all(p.distance_mm < p.gate_mm and p.regret_mm >= 0 for p in found.pairs)
    assert found.ambiguous_new <= set(found.new)
    assert found.ambiguous_resolved <= set(found.resolved)


def test_the_order_of_findings_does_not_matter() -> None:
    prior = [finding(10.0), finding(40.0), finding(70.0)]
    current = [finding(11.0), finding(41.0), finding(71.0)]
    found = match_findings(current[::-1], prior, lung_map=shift_by(-1.0))
    assert [(p.current, p.prior) for p in found.pairs] == [(0, 2), (1, 1), (2, 0)]


def test_refuses_tables_of_two_shapes() -> None:
    with pytest.raises(InputError, match="SHAPE_MISMATCH"):
        assign([[1.0, 2.0]], gate_mm=[[1.0]])
