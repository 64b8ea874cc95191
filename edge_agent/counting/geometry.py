"""Boxes, lines and polygons as arrays in, arrays out. Pixels; x to the right, y down; a box is x1, y1, x2, y2."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]  # [n, 4]
Points = NDArray[np.float64]  # [n, 2]
Floats = NDArray[np.float64]


def areas(boxes: Boxes) -> Floats:
    """[n]; a box turned inside out has none."""
    return np.clip(boxes[:, 2] - boxes[:, 0], 0, None) * np.clip(boxes[:, 3] - boxes[:, 1], 0, None)


def intersections(first: Boxes, second: Boxes) -> Floats:
    """[n, m] common areas."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def ious(first: Boxes, second: Boxes) -> Floats:
    """[n, m] intersection over union, 0 for empty boxes."""
    common = intersections(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - common
    return np.asarray(common / np.maximum(union, 1e-9))


def covered(first: Boxes, second: Boxes) -> Floats:
    """[n, m] common area as a part of the smaller box, 0 for empty boxes."""
    smaller = np.minimum(areas(first)[:, None], areas(second)[None, :])
    return np.asarray(intersections(first, second) / np.maximum(smaller, 1e-9))


def suppress(boxes: Boxes, scores: Floats, iou: float) -> NDArray[np.intp]:
    """Indices that survive greedy non-maximum suppression, best first."""
    order = np.argsort(-scores, kind="stable")
    overlap = ious(boxes[order], boxes[order]) > iou
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~overlap[i, i + 1 :]
    return order[alive]


def centres(boxes: Boxes) -> Points:
    """[n, 2]."""
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2)


def inside_polygon(points: Points, polygon: Points) -> NDArray[np.bool_]:
    """[n]; even-odd rule, so that a polygon may be given in either sense."""
    x, y = points[:, 0, None], points[:, 1, None]
    (x1, y1), (x2, y2) = polygon.T, np.roll(polygon, -1, axis=0).T
    is_between = (y1 > y) != (y2 > y)
    # The slope of a level edge is not used: no ray crosses it.
    rise = np.where(y2 == y1, 1.0, y2 - y1)
    is_left = x < (x2 - x1) * (y - y1) / rise + x1
    return np.asarray(np.count_nonzero(is_between & is_left, axis=1) % 2 == 1)
