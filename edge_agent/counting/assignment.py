"""The cheapest pairing of tracks and boxes (Hungarian method), in numpy alone."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FORBIDDEN: Final = 1e6


def assign(cost: NDArray[np.float64], limit: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of least total cost; a pair dearer than `limit` is left out. Cost is [n, m], finite.

    Shortest augmenting paths with potentials, O(n² m): a frame has a few dozen people at most.
    """
    if cost.size == 0:
        return []
    if cost.shape[0] > cost.shape[1]:
        return [(row, column) for column, row in assign(cost.T, limit)]
    # Beyond the limit every pair is equally useless, so that one hopeless row cannot spoil the good ones.
    capped = np.where(cost > limit, FORBIDDEN, cost)
    n, m = capped.shape
    row_price, column_price = np.zeros(n + 1), np.zeros(m + 1)
    owner = np.zeros(m + 1, np.intp)  # row (from 1) of each column (from 1); column 0 is the row being placed
    for row in range(1, n + 1):
        owner[0] = row
        column = 0
        least = np.full(m + 1, np.inf)
        before = np.zeros(m + 1, np.intp)
        used = np.zeros(m + 1, bool)
        while owner[column] != 0:
            used[column] = True
            reduced = capped[owner[column] - 1] - row_price[owner[column]] - column_price[1:]
            better = ~used[1:] & (reduced < least[1:])
            least[1:][better] = reduced[better]
            before[1:][better] = column
            column_next = int(np.argmin(np.where(used[1:], np.inf, least[1:]))) + 1
            step = least[column_next]
            row_price[owner[used]] += step
            column_price[used] -= step
            least[~used] -= step
            column = column_next
        while column:
            owner[column] = owner[before[column]]
            column = int(before[column])
    return [(int(row) - 1, c) for c, row in enumerate(owner[1:]) if row and cost[row - 1, c] <= limit]
