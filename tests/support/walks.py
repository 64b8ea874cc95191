"""Walks for the tests of tracker and line: places by second, turned into boxes and counted."""

from collections.abc import Callable, Iterable

import numpy as np

from edge_agent.counting.line import Crossing, Line, LineCounter
from edge_agent.counting.tracker import Detections, Tracker

FPS = 10
TALL = 100.0

Way = Callable[[float], "tuple[float, float] | None"]


def box(middle: tuple[float, float], tall: float = TALL) -> tuple[float, float, float, float]:
    x, y = middle
    return x - 0.2 * tall, y - 0.5 * tall, x + 0.2 * tall, y + 0.5 * tall


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


def count(line: Line, ways: Iterable[Way], seconds: float) -> list[Crossing]:
    """Crossings of these people, seen perfectly."""
    tracker, counter = Tracker(), LineCounter(line)
    found: list[Crossing] = []
    ways = list(ways)
    for frame in range(round(seconds * FPS)):
        now = frame / FPS
        boxes = [box(place) for way in ways if (place := way(now)) is not None]
        tracks = tracker.step(detections(boxes), now)
        found += counter.step(tracks, {track.number for track in tracker.tracks}, frame, now)
    return found
