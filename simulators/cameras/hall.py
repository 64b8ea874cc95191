"""A drawn corridor seen along its length, with its truth: people come towards the camera and walk away from it.

A pinhole camera under the ceiling looks down a little; who comes near is cut by the picture's lower edge.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np

from simulators.cameras.people import Look, Rgb, Way, draw_person, place_on, random_look
from simulators.cameras.scene import expose

WIDTH: Final = 640
HEIGHT: Final = 360
FOCAL: Final = 417.0
"""Pixels; 75 degrees across."""
FAR_M: Final = 10.0
NEAR_M: Final = 0.4
HALF_M: Final = 1.3
"""Half the corridor's width."""

HallConduct = Literal["pass", "turn", "step_over", "stop", "stop_back", "along", "abreast", "file", "meet"]
"""Turn before the line; set a foot over it and return; stop on it and go on, or go back; walk along it."""
EVERY_CONDUCT: Final[tuple[HallConduct, ...]] = (
    "pass", "turn", "step_over", "stop", "stop_back", "along", "abreast", "file", "meet"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comer:
    """One person: way points (second, metres aside, metres from the camera), straight in between."""

    way: Way
    tall_m: float
    look: Look

    def place_at(self, second: float) -> tuple[float, float] | None:
        """Metres aside and from the camera, None while he is not there."""
        return place_on(self.way, second)


@dataclass(frozen=True, slots=True)
class Hall:
    """The line lies across the corridor, `line_m` from the camera at hip height; towards the camera is "in"."""

    comers: tuple[Comer, ...]
    seconds: float
    seed: int
    fps: float = 10.0
    light: float = 1.0
    noise: float = 2.0
    camera_m: float = 2.5
    """Height of the camera."""
    pitch: float = 25.0
    """Degrees by which it looks down."""
    line_m: float = 4.0
    in_side: Literal["left", "right"] = "right"

    @property
    def line(self) -> tuple[float, float, float, float]:
        """Across the whole picture."""
        level = self._level()
        return 0.0, level, float(WIDTH), level

    @property
    def frames(self) -> int:
        """Frames of one play."""
        return round(self.seconds * self.fps)

    @classmethod
    def random(
        cls,
        seed: int,
        *,
        comers: int = 5,
        conducts: tuple[HallConduct, ...] = ("pass", "pass", "turn"),
        gap_s: tuple[float, float] = (3.0, 6.0),
        **scene: float,
    ) -> "Hall":
        """One of many; the seed decides all. `scene` holds fields of the hall: light, noise, fps, pitch, …"""
        random = np.random.default_rng(seed)
        line_m = scene.setdefault("line_m", float(random.uniform(3.0, 4.5)))
        people: list[Comer] = []
        start = 2.0
        for _ in range(comers):
            people += _group(random, conducts[int(random.integers(len(conducts)))], start, line_m)
            start = max(start, people[-1].way[-1][0] - 4.0) + float(random.uniform(*gap_s))
        end = max((person.way[-1][0] for person in people), default=0.0) + 2.0
        return replace(cls(tuple(people), end, seed), **scene)  # type: ignore[arg-type]  # names are checked by Python

    def crossings(self) -> list[tuple[int, Literal["in", "out"]]]:
        """Frame and direction of each who was clearly on one side and then on the other, at the last passage between.

        Clearly is a seventh of his height; a step over the line and back is nothing.
        """
        level, found = self._level(), list[tuple[int, Literal["in", "out"]]]()
        for comer in self.comers:
            side, passed, last = 0, 0, 0.0
            for frame in range(self.frames):
                box = self.box(comer, frame / self.fps)
                if box is None:
                    continue
                off = ((box[1] + box[3]) / 2 - level) / (box[3] - box[1])
                if (off > 0) != (last > 0):
                    passed = frame
                last = off
                now = int(np.sign(off)) if abs(off) > 0.15 else side
                if side and now != side:
                    found.append((passed, "in" if now > 0 else "out"))
                side = now
        return sorted(found)

    def box(self, comer: Comer, second: float) -> tuple[float, float, float, float] | None:
        """x1, y1, x2, y2 of the whole person, though the picture may cut him; None while he is not there."""
        place = comer.place_at(second)
        if place is None:
            return None
        x, bottom = self.seen(place[0], 0.0, place[1])
        top = self.seen(place[0], comer.tall_m, place[1])[1]
        half = 0.75 * comer.look.build * (bottom - top)
        return x - half, top, x + half, bottom

    def seen(self, aside: float, up: float, away: float) -> tuple[float, float]:
        """Where a point of the corridor, in metres, lies in the picture."""
        turn = np.deg2rad(self.pitch)
        below = self.camera_m - up
        depth = max(away * np.cos(turn) + below * np.sin(turn), 0.05)
        down = below * np.cos(turn) - away * np.sin(turn)
        return WIDTH / 2 + FOCAL * aside / depth, HEIGHT / 2 + FOCAL * down / depth

    def _level(self) -> float:
        return round(self.seen(0.0, 0.85, self.line_m)[1])


def draw_hall(hall: Hall) -> Iterator[Rgb]:
    """[360, 640, 3] RGB pictures, one a frame."""
    random = np.random.default_rng(hall.seed + 1)
    empty = draw_empty_hall(hall)
    for frame in range(hall.frames):
        second = frame / hall.fps
        there = [(place[1], comer) for comer in hall.comers if (place := comer.place_at(second)) is not None]
        picture = empty.copy()
        for _, comer in sorted(there, key=lambda one: -one[0]):
            _draw(picture, hall, comer, second)
        soft = np.asarray(cv2.GaussianBlur(picture, (3, 3), 0.8), np.uint8)
        yield expose(soft, hall.light, hall.noise, random)


def draw_empty_hall(hall: Hall) -> Rgb:
    """Walls with doors, tiles, a lamp at the far end."""
    picture: Rgb = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[:] = (206, 203, 194)

    def patch(corners: list[tuple[float, float, float]], colour: tuple[int, int, int]) -> None:
        points = np.array([hall.seen(*corner) for corner in corners])
        cv2.fillPoly(picture, [np.clip(points, -4000, 4000).astype(np.int32)], colour, cv2.LINE_AA)

    near, far, half = 0.2, FAR_M + 2, HALF_M
    patch([(-half, 0, near), (half, 0, near), (half, 0, far), (-half, 0, far)], (150, 146, 138))
    for side in (-half, half):
        patch([(side, 0, near), (side, 3, near), (side, 3, far), (side, 0, far)], (214, 208, 196))
        for door in (2.5, 5.0, 8.0):
            patch([(side, 0, door), (side, 2.1, door), (side, 2.1, door + 0.9), (side, 0, door + 0.9)], (122, 90, 62))
    for row in np.arange(0.6, far, 0.6):
        ends = [hall.seen(side, 0.0, float(row)) for side in (-half, half)]
        (x1, y1), (x2, y2) = ((round(x), round(y)) for x, y in ends)
        cv2.line(picture, (x1, y1), (x2, y2), (128, 124, 117), 1, cv2.LINE_AA)
    return picture


def _draw(picture: Rgb, hall: Hall, comer: Comer, second: float) -> None:
    box, before = hall.box(comer, second), comer.place_at(max(second - 0.1, comer.way[0][0]))
    now = comer.place_at(second)
    if box is None or now is None or before is None or box[3] - box[1] > 3 * HEIGHT:
        return
    walks = np.hypot(now[0] - before[0], now[1] - before[1]) > 0.02
    swing = 0.3 * float(np.sin(2 * np.pi * 0.95 * second + comer.tall_m * 40)) if walks else 0.03
    draw_person(picture, ((box[0] + box[2]) / 2, box[3]), box[3] - box[1], swing, comer.look)


def _group(random: np.random.Generator, conduct: HallConduct, start: float, line_m: float) -> list[Comer]:
    towards = bool(random.integers(2))
    aside, pace = float(random.uniform(-0.7, 0.7)), float(random.uniform(0.9, 1.5))
    if conduct in ("abreast", "meet"):
        other = towards if conduct == "abreast" else not towards
        return [
            _comer(random, "pass", start, -0.45, pace, line_m, towards=towards),
            _comer(random, "pass", start + float(random.uniform(0, 0.3)), 0.45, pace, line_m, towards=other),
        ]
    if conduct == "file":
        late = float(random.uniform(1.2, 1.8)) / pace
        return [
            _comer(random, "pass", start, aside, pace, line_m, towards=towards),
            _comer(random, "pass", start + late, aside + 0.25, pace, line_m, towards=towards),
        ]
    return [_comer(random, conduct, start, aside, pace, line_m, towards=towards)]


def _comer(  # noqa: PLR0917  # a drawing
    random: np.random.Generator, conduct: HallConduct, start: float, aside: float, pace: float, line_m: float, *,
    towards: bool,
) -> Comer:  # fmt: skip
    first, last = (FAR_M, NEAR_M) if towards else (NEAR_M, FAR_M)
    sign = 1 if towards else -1
    tall = float(random.uniform(1.55, 1.85))
    off = {"turn": (0.5, 1.2), "step_over": (-0.06, 0.1), "along": (-0.08, 0.08)}.get(conduct, (-0.05, 0.05))
    stop = line_m + sign * float(random.uniform(*off))
    pause = float(random.uniform(0.3, 3.0))
    there = start + abs(stop - first) / pace
    way = [(start, aside, first)]
    if conduct == "pass":
        way.append((start + abs(last - first) / pace, aside, last))
    elif conduct == "stop":
        way += [(there, aside, stop), (there + pause, aside, stop)]
        way.append((there + pause + abs(last - stop) / pace, aside, last))
    elif conduct == "along":
        # Out of one door, along the line, through the other.
        way = [(start, -sign * HALF_M, stop), (start + 2 * HALF_M / pace, sign * HALF_M, stop)]
    else:
        way += [(there, aside, stop), (there + pause, aside, stop)]
        way.append((there + pause + abs(stop - first) / pace, aside, first))
    return Comer(tuple(way), tall, random_look(random))
