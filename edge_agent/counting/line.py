"""Counts tracks across a directed, finite line, with hysteresis.

A track counts when it was seen clearly on one side and then clearly on the other, and passed between the line's ends.
Who touches the line and turns back, walks along it, stands on it or is last seen on it is not counted; nor is who
sets a foot over it and is back at once.

    picture coordinates, y down;  cross = (bx - ax)(py - ay) - (by - ay)(px - ax)
    cross < 0: left of the arrow a -> b, cross > 0: right of it
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from edge_agent.counting.track import Track

Direction = Literal["in", "out"]

MARGIN: Final = 0.12
"""Heights of the person by which his middle must be off the line to be clearly on a side."""

FAR: Final = 0.3
"""Heights beyond the line at which nobody is thought to be about to turn back."""
STAYS_S: Final = 1.5
"""Who is over the line, but not far, counts when he has stayed there that long, or is gone."""

OVERHANG: Final = 0.15
"""Part of a person's height by which his middle may pass beyond an end of the line."""


@dataclass(frozen=True, slots=True)
class Line:
    """The segment a -> b in pixels; walking onto `in_side` is "in"."""

    ax: float
    ay: float
    bx: float
    by: float
    in_side: Literal["left", "right"]

    @property
    def length(self) -> float:
        """In pixels."""
        return float(np.hypot(self.bx - self.ax, self.by - self.ay))

    def distance(self, x: float, y: float) -> float:
        """Signed, in pixels: positive on `in_side`."""
        cross = (self.bx - self.ax) * (y - self.ay) - (self.by - self.ay) * (x - self.ax)
        return cross / self.length * (1 if self.in_side == "right" else -1)

    def along(self, x: float, y: float) -> float:
        """Pixels from a towards b of the foot of the perpendicular."""
        return ((x - self.ax) * (self.bx - self.ax) + (y - self.ay) * (self.by - self.ay)) / self.length


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody passed the line."""

    direction: Direction
    frame: int
    """At which his middle was on the line; not the later one at which it became certain."""
    time_s: float
    confidence: float


@dataclass(slots=True)
class _Walk:
    """What is known of one track."""

    side: int
    """+1 in, -1 out, 0 not yet clear."""
    last_x: float
    last_y: float
    last_distance: float
    last_frame: int
    last_time: float
    crossed: "tuple[int, float, bool] | None" = None
    """Frame, time and whether between the ends, of the last change of sign since the side was clear."""
    waiting: "Crossing | None" = None
    """He is over the line, but may still turn back."""
    is_proved: bool = False


class LineCounter:
    """Give it each frame's tracks that were seen; it returns who has crossed.

    A track is followed from its first box, but its crossings come out only when it is proved to be a person.
    """

    def __init__(self, line: Line) -> None:
        if line.length == 0:
            raise ValueError("LineCounter: the line has no length")
        self.line = line
        self._walks: dict[int, _Walk] = {}
        self._owed: dict[int, list[Crossing]] = {}

    def step(self, tracks: list[Track], alive: set[int], frame: int, time_s: float) -> list[Crossing]:
        """`alive` holds the numbers of all tracks that the tracker still follows, seen now or not."""
        done = [*self._gone(alive)]
        self._owed = {number: owed for number, owed in self._owed.items() if number in alive}
        for track in tracks:
            found = self._follow(track, frame, time_s)
            owed = self._owed.pop(track.number, []) + ([found] if found else [])
            self._walks[track.number].is_proved = track.is_proved
            if track.is_proved:
                done += owed
            elif owed:
                self._owed[track.number] = owed
        return done

    def finish(self) -> list[Crossing]:
        """Those who are over the line when the video ends."""
        return [*self._gone(set())]

    def _gone(self, alive: set[int]) -> Iterator[Crossing]:
        """Forget who is followed no longer; who was over the line then has crossed it."""
        for number in [number for number in self._walks if number not in alive]:
            walk = self._walks.pop(number)
            if walk.waiting is not None and walk.is_proved:
                yield walk.waiting

    def _follow(self, track: Track, frame: int, time_s: float) -> Crossing | None:
        x, y = track.centre
        distance = self.line.distance(x, y)
        clear = MARGIN * track.height
        walk = self._walks.get(track.number)
        if walk is None:
            side = 0 if abs(distance) < clear else int(np.sign(distance))
            self._walks[track.number] = _Walk(side, x, y, distance, frame, time_s)
            return None
        if (distance > 0) != (walk.last_distance > 0):
            walk.crossed = self._passage(walk, track, distance, frame, time_s)
        walk.last_x, walk.last_y, walk.last_distance = x, y, distance
        walk.last_frame, walk.last_time = frame, time_s
        # Who stops short runs on for a moment in the filter: his box has to be over there too.
        boxed = self.line.distance(*track.middle)
        if min(abs(distance), abs(boxed)) < clear or (distance > 0) != (boxed > 0):
            return None
        side = int(np.sign(distance))
        if side != walk.side:
            before, passage = walk.side, walk.crossed
            walk.side, walk.crossed = side, None
            if walk.waiting is not None:
                # Back already: neither the step over the line nor the one back is a crossing.
                walk.waiting = None
            elif before and passage is not None and passage[2]:
                direction: Direction = "in" if side > 0 else "out"
                walk.waiting = Crossing(direction, passage[0], passage[1], track.best_score)
        if walk.waiting is None:
            return None
        if min(abs(distance), abs(boxed)) < FAR * track.height and time_s - walk.waiting.time_s < STAYS_S:
            return None
        done, walk.waiting = walk.waiting, None
        return done

    def _passage(
        self, walk: _Walk, track: Track, distance: float, frame: int, time_s: float
    ) -> tuple[int, float, bool]:
        """When and whether between the ends, by the straight way between the two sightings."""
        x, y = track.centre
        part = walk.last_distance / (walk.last_distance - distance)
        along = self.line.along(walk.last_x + part * (x - walk.last_x), walk.last_y + part * (y - walk.last_y))
        slack = OVERHANG * track.height
        when = walk.last_time + part * (time_s - walk.last_time)
        at = round(walk.last_frame + part * (frame - walk.last_frame))
        return at, when, -slack <= along <= self.line.length + slack
