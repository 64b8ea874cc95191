import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.counting.geometry import covered, inside_polygon, ious, suppress

SQUARE = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)])

corner = st.floats(-100, 100)
box = st.tuples(corner, corner, st.floats(0.1, 100), st.floats(0.1, 100)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
boxes = st.lists(box, min_size=1, max_size=6).map(np.array)


@given(boxes, boxes)
def test_overlap_lies_between_nothing_and_all_and_is_symmetric(first, second):
    overlap = ious(first, second)

    assert overlap.shape == (len(first), len(second))
    assert (overlap >= 0).all()
    assert (overlap <= 1 + 1e-9).all()
    assert np.allclose(overlap, ious(second, first).T)
    assert (covered(first, second) >= overlap - 1e-9).all()


@given(boxes)
def test_what_survives_suppression_overlaps_little_and_the_best_survives(found):
    scores = np.linspace(0.9, 0.1, len(found))

    kept = suppress(found, scores, 0.5)

    assert kept[0] == 0
    left = ious(found[kept], found[kept]) - np.eye(len(kept))
    assert (left <= 0.5).all()


@pytest.mark.parametrize(
    ("point", "is_in"),
    [((5, 5), True), ((-1, 5), False), ((11, 5), False), ((5, -1), False), ((5, 11), False), ((0.1, 9.9), True)],
)
def test_a_point_is_in_a_square_or_not(point, is_in):
    assert inside_polygon(np.array([point], float), SQUARE)[0] == is_in
    assert inside_polygon(np.array([point], float), SQUARE[::-1])[0] == is_in


def test_a_hollow_of_a_polygon_is_outside():
    arrow = np.array([(0, 0), (10, 0), (10, 10), (5, 2)], float)

    assert inside_polygon(np.array([(8.0, 3.0), (3.0, 5.0)]), arrow).tolist() == [True, False]
