"""A drawn doorway seen straight from above, with its truth: heads and shoulders over a floor, soft shadows beside."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from simulators.cameras.people import Look, Rgb, Way, place_on, random_look
from simulators.cameras.scene import expose

WIDTH: Final = 640
HEIGHT: Final = 480
MIDDLE: Final = HEIGHT / 2

Conduct = Literal["pass", "turn", "stop", "stop_back", "along", "abreast", "file", "meet"]
"""Turn before the threshold; stop on it and go on, or go back; walk along it; two side by side, behind or past each
other."""
Floor = Literal["tiles", "plain", "planks", "carpet", "step"]
USUAL: Final[tuple[Conduct, ...]] = ("pass", "pass", "pass", "turn", "abreast")


@dataclass(frozen=True, slots=True)
class Passer:
    """One person: way points (second, x, y of the feet in pixels), straight in between."""

    way: Way
    shoulders: float
    """Pixels across."""
    look: Look

    def place_at(self, second: float) -> tuple[float, float] | None:
        """x and y of the feet, None while he is not there."""
        return place_on(self.way, second)


@dataclass(frozen=True, slots=True)
class Doorway:
    """The threshold lies across the middle; onto the upper half is "in"."""

    passers: tuple[Passer, ...]
    seconds: float
    seed: int
    fps: float = 10.0
    light: float = 1.0
    noise: float = 2.0
    exposure_settles_s: float = 0.0
    """The picture begins too bright and takes so long to be right."""
    floor: Floor = "tiles"
    lean: float = 0.0
    """Part of the distance from the picture's middle by which heads lie farther out than feet: a low camera has 0.5."""
    line: tuple[float, float, float, float] = (0.0, MIDDLE, float(WIDTH), MIDDLE)
    in_side: Literal["left", "right"] = "left"

    @property
    def frames(self) -> int:
        """Frames of one play."""
        return round(self.seconds * self.fps)

    @classmethod
    def random(
        cls,
        seed: int,
        *,
        passers: int = 6,
        conducts: tuple[Conduct, ...] = USUAL,
        shoulders: tuple[float, float] = (105.0, 150.0),
        gap_s: tuple[float, float] = (3.0, 6.0),
        **scene: float | str,
    ) -> "Doorway":
        """One of many; the seed decides all. `scene` holds fields of the doorway: light, noise, floor, lean, …"""
        random = np.random.default_rng(seed)
        people: list[Passer] = []
        start = 4.0
        for _ in range(passers):
            conduct = conducts[int(random.integers(len(conducts)))]
            people += _group(random, conduct, start, float(random.uniform(*shoulders)))
            start += float(random.uniform(*gap_s))
        end = max(person.way[-1][0] for person in people) + 2.0
        return cls(tuple(people), end, seed, **scene)  # type: ignore[arg-type]  # the fields' names are checked by Python

    def crossings(self) -> list[tuple[int, Literal["in", "out"]]]:
        """Frame and direction of each, in order."""
        found: list[tuple[int, Literal["in", "out"]]] = []
        for passer in self.passers:
            for (before_s, _, before), (after_s, _, after) in zip(passer.way, passer.way[1:], strict=False):
                if (before < MIDDLE) != (after < MIDDLE):
                    second = before_s + (after_s - before_s) * (MIDDLE - before) / (after - before)
                    found.append((round(second * self.fps), "in" if after < MIDDLE else "out"))
        return sorted(found)


def draw_doorway(doorway: Doorway) -> Iterator[Rgb]:
    """[480, 640, 3] RGB pictures, one a frame."""
    random = np.random.default_rng(doorway.seed + 1)
    empty = _floor(random, doorway.floor)
    for frame in range(doorway.frames):
        second = frame / doorway.fps
        picture = empty.copy()
        for passer in doorway.passers:
            place = passer.place_at(second)
            if place is not None:
                _draw(picture, passer, place, second, doorway.lean)
        settling = max(0.0, 1 - second / doorway.exposure_settles_s) if doorway.exposure_settles_s else 0.0
        yield expose(picture, doorway.light * (1 + 1.5 * settling), doorway.noise, random)


def _group(random: np.random.Generator, conduct: Conduct, start: float, across: float) -> list[Passer]:
    sign = 1 if random.integers(2) else -1
    x = float(random.uniform(0.24 * WIDTH, 0.76 * WIDTH))
    if conduct == "along":
        return [_sidler(random, start, across, sign)]
    pace = across * float(random.uniform(1.6, 3.0))
    if conduct in ("abreast", "meet"):
        apart = across * float(random.uniform(1.15, 1.5)) / 2
        x = float(np.clip(x, 1.7 * across, WIDTH - 1.7 * across))
        other = sign if conduct == "abreast" else -sign
        return [
            _passer(random, "pass", start, x - apart, across, pace, sign),
            _passer(random, "pass", start + float(random.uniform(0, 0.3)), x + apart, across, pace, other),
        ]
    if conduct == "file":
        behind = across * float(random.uniform(1.6, 2.4)) / pace
        return [_passer(random, "pass", start + late, x, across, pace, sign) for late in (0.0, behind)]
    return [_passer(random, conduct, start, x, across, pace, sign)]


def _passer(  # noqa: PLR0917  # a drawing
    random: np.random.Generator, conduct: Conduct, start: float, x: float, across: float, pace: float, sign: int
) -> Passer:
    """`sign` -1 walks up the picture."""
    first, last = (-1.2 * across, HEIGHT + 1.2 * across)[::sign]
    drift = float(random.uniform(-0.15, 0.15)) * WIDTH
    short_of_it = (0.5, 0.9) if conduct == "turn" else (-0.05, 0.05)
    stop = MIDDLE - sign * across * float(random.uniform(*short_of_it))
    pause = float(random.uniform(1.0, 4.0))

    def side(y: float) -> float:
        return float(np.clip(x + drift * (y - MIDDLE) / HEIGHT, 0.6 * across, WIDTH - 0.6 * across))

    there = start + abs(stop - first) / pace
    way = [(start, first)]
    if conduct == "pass":
        way.append((start + abs(last - first) / pace, last))
    elif conduct == "stop":
        way += [(there, stop), (there + pause, stop), (there + pause + abs(last - stop) / pace, last)]
    else:
        if conduct == "stop_back" and (stop < MIDDLE) != (first < MIDDLE):
            stop = 2 * MIDDLE - stop
        way += [(there, stop), (there + pause, stop), (there + pause + abs(stop - first) / pace, first)]
    return Passer(tuple((float(t), side(y), float(y)) for t, y in way), across, random_look(random))


def _sidler(random: np.random.Generator, start: float, across: float, sign: int) -> Passer:
    """Along the threshold, a little before it, from one side of the picture to the other."""
    first, last = (-1.2 * across, WIDTH + 1.2 * across)[::sign]
    y = MIDDLE - sign * across * float(random.uniform(0.02, 0.15))
    end = start + abs(last - first) / (across * float(random.uniform(1.6, 3.0)))
    return Passer(((start, first, y), (end, last, y)), across, random_look(random))


def _floor(random: np.random.Generator, kind: Floor) -> Rgb:
    colours = ((178, 170, 158), (120, 116, 110), (205, 203, 198), (74, 70, 68))
    base = np.array(colours[int(random.integers(4))], np.float32)
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = base
    picture += cv2.resize(random.normal(0, 6, (30, 40, 1)).astype(np.float32), (WIDTH, HEIGHT))[..., None]
    if kind == "tiles":
        for offset in range(0, WIDTH, 80):
            picture[:, offset : offset + 2] *= 0.8
            picture[min(offset, HEIGHT - 2) : offset + 2] *= 0.8
    elif kind == "planks":
        for offset in range(0, HEIGHT, 34):
            picture[offset : offset + 34] *= float(random.uniform(0.8, 1.15))
            picture[offset : offset + 2] *= 0.5
    elif kind == "carpet":
        picture += cv2.resize(random.normal(0, 30, (160, 213, 1)).astype(np.float32), (WIDTH, HEIGHT))[..., None]
    elif kind == "step":
        # The upper half lies in the house's shade, the lower one is a bright landing with the edge of a step.
        picture[: HEIGHT // 2] *= 0.5
        picture[HEIGHT // 2 + 60 : HEIGHT // 2 + 72] *= 0.7
    picture[HEIGHT // 2 - 6 : HEIGHT // 2 + 6] *= 0.6
    return np.clip(picture, 0, 255).astype(np.uint8)


def _draw(picture: Rgb, passer: Passer, feet: tuple[float, float], second: float, lean: float) -> None:
    """Shadow, feet, trunk, shoulders, head; what is higher lies farther from the picture's middle."""
    across = passer.shoulders

    def up(part: float) -> tuple[float, float]:
        grown = 1 + lean * part
        return WIDTH / 2 + (feet[0] - WIDTH / 2) * grown, MIDDLE + (feet[1] - MIDDLE) * grown

    x, y = up(0.8)
    _shade(picture, feet, across)
    step = 0.28 * across * float(np.sin(2 * np.pi * 0.95 * second))
    for side in (-1, 1):
        foot = (int(feet[0] + side * 0.16 * across), int(feet[1] + side * step))
        cv2.ellipse(picture, foot, (int(0.08 * across), int(0.17 * across)), 0, 0, 360, (30, 28, 28), -1, cv2.LINE_AA)
        hip = up(0.5)
        thigh = (int(hip[0] + side * 0.16 * across), int(hip[1]))
        cv2.line(picture, foot, thigh, passer.look.trousers, max(1, int(0.2 * across)), cv2.LINE_AA)
        arm = (int(x + side * 0.46 * across), int(y - side * 0.7 * step))
        cv2.circle(picture, arm, int(0.08 * across), passer.look.skin, -1, cv2.LINE_AA)
    for part in (0.5, 0.65, 0.8):
        trunk = up(part)
        size = (int((0.36 + 0.17 * part) * across), int(0.22 * across))
        cv2.ellipse(picture, (int(trunk[0]), int(trunk[1])), size, 0, 0, 360, passer.look.coat, -1, cv2.LINE_AA)
    head = up(1.0)
    cv2.circle(picture, (int(head[0]), int(head[1])), int(0.19 * across), passer.look.hair, -1, cv2.LINE_AA)


def _shade(picture: Rgb, feet: tuple[float, float], across: float) -> None:
    """A soft shadow beside the feet; only that part of the picture is touched, which is most of the time spent."""
    reach, x, y = round(1.2 * across), round(feet[0] + 0.35 * across), round(feet[1] + 0.1 * across)
    top, bottom = max(0, y - reach), min(HEIGHT, y + reach)
    left, right = max(0, x - reach), min(WIDTH, x + reach)
    if top >= bottom or left >= right:
        return
    shade = np.zeros((bottom - top, right - left), np.float32)
    cv2.ellipse(shade, (x - left, y - top), (int(0.6 * across), int(0.35 * across)), 0, 0, 360, 1.0, -1)
    shade = np.asarray(cv2.GaussianBlur(shade, (0, 0), 0.12 * across), np.float32)
    part = picture[top:bottom, left:right]
    picture[top:bottom, left:right] = (part * (1 - 0.35 * shade[..., None])).astype(np.uint8)
