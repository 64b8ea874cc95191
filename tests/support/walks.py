"""Walks for the tests of tracker and line: places by second, turned into boxes and counted."""

from collections.abc import Callable, Iterable

import numpy as np

from edge_agent.counting.line import Crossing, Line, LineCounter
from edge_agent.counting.overhead import FROM_ABOVE
from edge_agent.counting.tracker import Detections, Tracker, TrackerSettings

FPS = 10
TALL = 100.0

VIEWS = {"oblique": TrackerSettings(), "overhead": FROM_ABOVE}
"""How each back end wants its people followed; the one from above makes squares of them."""

Way = Callable[[float], "tuple[float, float] | None"]


def box(middle: tuple[float, float], tall: float = TALL, wide: float = 0.4) -> tuple[float, float, float, float]:
    """`wide` in heights."""
    x, y = middle
    return x - 0.5 * wide * tall, y - 0.5 * tall, x + 0.5 * wide * tall, y + 0.5 * tall


def detections(boxes: Iterable[tuple[float, float, float, float]], score: float = 0.9) -> Detections:
    rows = np.array(list(boxes), float).reshape(-1, 4)
    return Detections(rows, np.full(len(rows), score))


def path(*points: tuple[float, float, float]) -> Way:
    """Way points of (second, x, y), straight in between; nobody before the first and after the last."""
    times, xs, ys = np.array(points).T

    def at(second: float) -> tuple[float, float] | None:
        if not times[0] <= second <= times[-1]:
            return None
        return float(np.interp(second, times, xs)), float(np.interp(second, times, ys))

    return at


def count(line: Line, ways: Iterable[Way], seconds: float, view: str = "oblique") -> list[Crossing]:
    """Crossings of these people, seen perfectly."""
    tracker, counter = Tracker(VIEWS[view]), LineCounter(line)
    found: list[Crossing] = []
    ways = list(ways)
    wide = 1.0 if view == "overhead" else 0.4
    for frame in range(round(seconds * FPS)):
        now = frame / FPS
        boxes = [box(place, wide=wide) for way in ways if (place := way(now)) is not None]
        tracks = tracker.step(detections(boxes), now)
        found += counter.step(tracks, {track.number for track in tracker.tracks}, frame, now)
    return found + counter.finish()
