from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_agent.counting.assignment import assign

sides = st.integers(1, 5)


@given(sides.flatmap(lambda n: sides.flatmap(lambda m: arrays(float, (n, m), elements=st.floats(0, 1, width=16)))))
def test_no_other_full_pairing_is_cheaper(cost):
    pairs = assign(cost, 1.0)

    rows, columns = cost.shape
    if rows <= columns:
        least = min(sum(cost[i, c] for i, c in enumerate(p)) for p in permutations(range(columns), rows))
    else:
        least = min(sum(cost[r, i] for i, r in enumerate(p)) for p in permutations(range(rows), columns))
    assert len(pairs) == min(rows, columns)
    assert abs(sum(cost[pair] for pair in pairs) - least) < 1e-9


@given(arrays(float, (4, 6), elements=st.floats(0, 3, width=16)))
def test_everything_is_paired_once_and_nothing_beyond_the_limit(cost):
    pairs = assign(cost, 1.0)

    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(cost[pair] <= 1.0 for pair in pairs)


def test_a_hopeless_row_does_not_spoil_a_good_pair():
    cost = np.array([[5.0, 900.0], [0.1, 900.0]])

    assert assign(cost, 1.0) == [(1, 0)]


def test_nobody_and_nothing_make_no_pairs():
    assert assign(np.zeros((0, 3)), 1.0) == []
    assert assign(np.zeros((3, 0)), 1.0) == []
