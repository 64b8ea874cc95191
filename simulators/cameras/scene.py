"""A drawn corridor whose truth is known: who walks where and crosses the line when, in what light."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from simulators.cameras.people import Rgb, Walker, random_look

WIDTH: Final = 640
HEIGHT: Final = 360

Behaviour = Literal["pass", "turn", "wait", "along"]


@dataclass(frozen=True, slots=True)
class Corridor:
    """A corridor seen from its side, with a line across it in the middle."""

    walkers: tuple[Walker, ...]
    seconds: float
    seed: int
    width: int = WIDTH
    height: int = HEIGHT
    fps: float = 10.0
    light: float = 1.0
    """1 is day, 0.08 a corridor at night."""
    noise: float = 2.0
    """Standard deviation of the sensor's noise, of 255."""
    pillar: tuple[int, int] | None = None
    """x and width of a pillar that hides people."""
    in_side: Literal["left", "right"] = "right"

    @property
    def line(self) -> tuple[float, float, float, float]:
        """From the ceiling to the floor; onto the left half of the picture is "in" for `in_side` right."""
        middle = self.width / 2
        return middle, 0.0, middle, float(self.height)

    @property
    def frames(self) -> int:
        """Frames of one play."""
        return round(self.seconds * self.fps)

    @classmethod
    def random(
        cls,
        seed: int,
        *,
        walkers: int = 4,
        behaviours: tuple[Behaviour, ...] = ("pass", "pass", "pass", "turn", "wait"),
        light: float = 1.0,
        noise: float = 2.0,
        pillar: bool = False,
        gap_s: tuple[float, float] = (1.5, 5.0),
    ) -> "Corridor":
        """One of many corridors; the seed decides all."""
        random = np.random.default_rng(seed)
        people, start = [], 1.0
        for _ in range(walkers):
            behaviour = behaviours[int(random.integers(len(behaviours)))]
            people.append(_walker(random, behaviour, start, WIDTH, HEIGHT))
            start += float(random.uniform(*gap_s))
        end = max((person.way[-1][0] for person in people), default=0.0) + 2.0
        place = (int(random.uniform(0.55, 0.7) * WIDTH), 30) if pillar else None
        return cls(tuple(people), end, seed, light=light, noise=noise, pillar=place)

    def crossings(self) -> list[tuple[int, Literal["in", "out"]]]:
        """Frame and direction of each, in order. Who turns at the line or ends on it is not among them."""
        found: list[tuple[int, Literal["in", "out"]]] = []
        middle = self.width / 2
        for walker in self.walkers:
            for (before_s, before), (after_s, after) in zip(walker.way, walker.way[1:], strict=False):
                if (before < middle) != (after < middle):
                    second = before_s + (after_s - before_s) * (middle - before) / (after - before)
                    is_in = (after < middle) == (self.in_side == "right")
                    found.append((round(second * self.fps), "in" if is_in else "out"))
        return sorted(found)

    def boxes(self, second: float) -> list[tuple[float, float, float, float]]:
        """x1, y1, x2, y2 of everybody whose middle is in the picture, the farthest first."""
        there = sorted(self.walkers, key=lambda walker: walker.feet_y)
        found = [box for walker in there if (box := walker.box_at(second)) is not None]
        return [box for box in found if 0 <= (box[0] + box[2]) / 2 < self.width]


def draw_corridor(corridor: Corridor, *, empty_frames: int = 0) -> Iterator[Rgb]:
    """[height, width, 3] RGB pictures, one a frame; before and after them so many of the empty corridor."""
    random = np.random.default_rng(corridor.seed + 1)
    empty = draw_room(corridor)
    there = sorted(corridor.walkers, key=lambda walker: walker.feet_y)
    for frame in range(-empty_frames, corridor.frames + empty_frames):
        picture = empty.copy()
        for walker in there:
            walker.draw(picture, frame / corridor.fps)
        if corridor.pillar:
            x, width = corridor.pillar
            cv2.rectangle(picture, (x, 0), (x + width, corridor.height), (150, 146, 140), -1)
        # A lens is never as sharp as a drawing.
        soft = np.asarray(cv2.GaussianBlur(picture, (3, 3), 0.8), np.uint8)
        yield expose(soft, corridor.light, corridor.noise, random)


def draw_room(corridor: Corridor) -> Rgb:
    """The empty corridor: wall, doors, skirting, floor tiles."""
    width, height = corridor.width, corridor.height
    picture: Rgb = np.empty((height, width, 3), np.uint8)
    horizon = int(0.52 * height)
    shade = np.linspace(200, 225, horizon)[:, None, None]
    picture[:horizon] = (shade * np.array([1.0, 0.98, 0.93])).astype(np.uint8)
    shade = np.linspace(120, 165, height - horizon)[:, None, None]
    picture[horizon:] = (shade * np.array([1.0, 0.97, 0.92])).astype(np.uint8)
    for i in range(-6, 14):
        cv2.line(
            picture,
            (int(width * (0.5 + (i - 4) * 0.07)), horizon),
            (int(width * (0.5 + (i - 4) * 0.2)), height),
            (110, 106, 100),
            1,
        )
    for y in np.geomspace(1, height - horizon, 8):
        cv2.line(picture, (0, horizon + int(y)), (width, horizon + int(y)), (112, 108, 102), 1)
    for x in (0.08, 0.3, 0.62, 0.84):
        left, right = int(x * width), int((x + 0.09) * width)
        cv2.rectangle(picture, (left, int(0.12 * height)), (right, horizon), (126, 92, 62), -1)
        cv2.rectangle(picture, (left, int(0.12 * height)), (right, horizon), (86, 62, 42), 2)
        cv2.circle(picture, (right - 6, int(0.34 * height)), 2, (200, 190, 120), -1)
    cv2.rectangle(picture, (0, horizon - 6), (width, horizon), (96, 92, 86), -1)
    return picture


def expose(picture: Rgb, light: float, noise: float, random: np.random.Generator) -> Rgb:
    """What a sensor makes of it: less light, the same noise."""
    grain = random.normal(0.0, noise, picture.shape[:2])[..., None]
    return np.clip(picture * light + grain, 0, 255).astype(np.uint8)


def _walker(random: np.random.Generator, behaviour: Behaviour, start: float, width: int, height: int) -> Walker:
    depth = float(random.uniform(0.0, 1.0))
    feet_y = (0.66 + 0.3 * depth) * height
    tall = (0.40 + 0.28 * depth) * height * float(random.uniform(0.9, 1.1))
    speed = float(random.uniform(0.5, 1.1)) * tall
    beyond = 0.25 * tall
    sign = 1 if random.integers(2) else -1
    middle = width / 2
    first, last = (-beyond, width + beyond) if sign > 0 else (width + beyond, -beyond)

    def after(second: float, from_x: float, to_x: float) -> float:
        return second + abs(to_x - from_x) / speed

    way = [(start, first)]
    if behaviour == "pass":
        way.append((after(start, first, last), last))
    elif behaviour == "turn":
        turn = middle - sign * float(random.uniform(0.15, 0.6)) * tall
        there = after(start, first, turn)
        pause = there + float(random.uniform(0.2, 2.0))
        way += [(there, turn), (pause, turn), (after(pause, turn, first), first)]
    elif behaviour == "wait":
        stop = middle - sign * float(random.uniform(0.2, 0.8)) * tall
        there = after(start, first, stop)
        pause = there + float(random.uniform(1.0, 4.0))
        way += [(there, stop), (pause, stop), (after(pause, stop, last), last)]
    else:
        edge = middle - sign * float(random.uniform(0.3, 0.8)) * tall
        there = after(start, first, edge)
        way += [(there, edge), (there + 3.0, edge + 0.1 * tall), (after(there + 3.0, edge, first), first)]
    return Walker(tuple(way), feet_y, tall, random_look(random))
