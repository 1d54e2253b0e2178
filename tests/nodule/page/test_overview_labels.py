"""Names on the picture of the chest, which is 300 mm wide and 250 mm high."""

import itertools

from nodule.page._overview_labels import FONT_MM, RADIUS_MM, Mark, place_marks

SIZE_MM = (300.0, 250.0)


def box(mark: Mark) -> tuple[float, float, float, float]:
    """Return where a name lies at most: no letter is wider than it is high."""
    width, (x, baseline) = 0.7 * FONT_MM * len(mark.id), mark.text_mm
    left = {"start": x, "middle": x - width / 2, "end": x - width}[mark.anchor]
    return left, baseline - 0.7 * FONT_MM, left + width, baseline


def apart(one: Mark, other: Mark) -> bool:
    a, b = box(one), box(other)
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_name_stands_to_the_right_of_its_ring_at_its_height() -> None:
    (mark,) = place_marks([("N1", 100.0, 80.0)], size_mm=SIZE_MM)
    left, top, _, bottom = box(mark)
    assert mark.center_mm == (100.0, 80.0)
    assert left > 100.0 + RADIUS_MM
    assert abs((top + bottom) / 2 - 80.0) < 1.0


def test_names_of_neighbours_do_not_overlap() -> None:
    places = [("N1", 100.0, 80.0), ("N2", 112.0, 82.0), ("N10", 118.0, 70.0), ("N3", 90.0, 95.0)]
    marks = place_marks(places, size_mm=SIZE_MM)
    assert [mark.id for mark in marks] == [name for name, _, _ in places]
    assert all(apart(one, other) for one, other in itertools.combinations(marks, 2))


def test_a_name_stays_within_the_picture() -> None:
    (mark,) = place_marks([("N12", 290.0, 120.0)], size_mm=SIZE_MM)
    assert box(mark)[2] <= 290.0 - RADIUS_MM
