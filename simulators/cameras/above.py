"""A drawn doorway seen straight from above, with its truth: heads and shoulders over a floor, soft shadows beside."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from simulators.cameras.people import Look, Rgb, random_look
from simulators.cameras.scene import expose

WIDTH: Final = 640
HEIGHT: Final = 480


@dataclass(frozen=True, slots=True)
class Passer:
    """One person: way points (second, y of the head in pixels), walking up or down the picture at `x`."""

    way: tuple[tuple[float, float], ...]
    x: float
    shoulders: float
    """Pixels across."""
    look: Look

    def y_at(self, second: float) -> float | None:
        """The head's y, None while he is not there."""
        if not self.way[0][0] <= second <= self.way[-1][0]:
            return None
        times, places = zip(*self.way, strict=True)
        return float(np.interp(second, times, places))


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
    line: tuple[float, float, float, float] = (0.0, HEIGHT / 2, float(WIDTH), HEIGHT / 2)
    in_side: Literal["left", "right"] = "left"

    @property
    def frames(self) -> int:
        """Frames of one play."""
        return round(self.seconds * self.fps)

    @classmethod
    def random(
        cls, seed: int, *, passers: int = 6, light: float = 1.0, noise: float = 2.0, settles_s: float = 0.0
    ) -> "Doorway":
        """One of many; the seed decides all. One in five turns back before the threshold, some come two abreast."""
        random = np.random.default_rng(seed)
        people: list[Passer] = []
        start = 4.0
        for _ in range(passers):
            abreast = random.random() < 0.2
            upwards = bool(random.integers(2))
            shoulders = float(random.uniform(105, 150))
            places = (190.0, 450.0) if abreast else (float(random.uniform(150, 490)),)
            people += [_passer(random, start, x, shoulders, upwards) for x in places]
            start += float(random.uniform(3.0, 6.0))
        end = max(person.way[-1][0] for person in people) + 2.0
        return cls(tuple(people), end, seed, light=light, noise=noise, exposure_settles_s=settles_s)

    def crossings(self) -> list[tuple[int, Literal["in", "out"]]]:
        """Frame and direction of each, in order."""
        found: list[tuple[int, Literal["in", "out"]]] = []
        middle = HEIGHT / 2
        for passer in self.passers:
            for (before_s, before), (after_s, after) in zip(passer.way, passer.way[1:], strict=False):
                if (before < middle) != (after < middle):
                    second = before_s + (after_s - before_s) * (middle - before) / (after - before)
                    found.append((round(second * self.fps), "in" if after < middle else "out"))
        return sorted(found)


def draw_doorway(doorway: Doorway) -> Iterator[Rgb]:
    """[480, 640, 3] RGB pictures, one a frame."""
    random = np.random.default_rng(doorway.seed + 1)
    empty = _floor(random)
    for frame in range(doorway.frames):
        second = frame / doorway.fps
        picture = empty.copy()
        for passer in doorway.passers:
            y = passer.y_at(second)
            if y is not None:
                _draw(picture, passer, y, second)
        settling = max(0.0, 1 - second / doorway.exposure_settles_s) if doorway.exposure_settles_s else 0.0
        yield expose(picture, doorway.light * (1 + 1.5 * settling), doorway.noise, random)


def _passer(random: np.random.Generator, start: float, x: float, shoulders: float, upwards: bool) -> Passer:
    pace = shoulders * float(random.uniform(1.6, 3.0))
    first, last = (HEIGHT + shoulders, -shoulders) if upwards else (-shoulders, HEIGHT + shoulders)
    if random.random() < 0.2:
        turn = HEIGHT / 2 + (1 if upwards else -1) * float(random.uniform(0.5, 0.9)) * shoulders
        there = start + abs(turn - first) / pace
        way = [(start, first), (there, turn), (there + 1.0, turn), (there + 1.0 + abs(turn - first) / pace, first)]
    else:
        way = [(start, first), (start + abs(last - first) / pace, last)]
    return Passer(tuple((float(t), float(y)) for t, y in way), x, shoulders, random_look(random))


def _floor(random: np.random.Generator) -> Rgb:
    base = np.array(((178, 170, 158), (120, 116, 110), (205, 203, 198))[int(random.integers(3))], np.float32)
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = base
    picture += cv2.resize(random.normal(0, 6, (30, 40, 1)).astype(np.float32), (WIDTH, HEIGHT))[..., None]
    for offset in range(0, WIDTH, 80):
        picture[:, offset : offset + 2] *= 0.8
        picture[min(offset, HEIGHT - 2) : offset + 2] *= 0.8
    picture[HEIGHT // 2 - 6 : HEIGHT // 2 + 6] *= 0.6
    return np.clip(picture, 0, 255).astype(np.uint8)


def _draw(picture: Rgb, passer: Passer, y: float, second: float) -> None:
    """Shadow, feet, shoulders, head."""
    x, across = passer.x, passer.shoulders
    shade = np.zeros(picture.shape[:2], np.float32)
    cv2.ellipse(
        shade,
        (int(x + 0.35 * across), int(y + 0.1 * across)),
        (int(0.6 * across), int(0.35 * across)),
        0,
        0,
        360,
        1.0,
        -1,
    )
    shade = np.asarray(cv2.GaussianBlur(shade, (0, 0), 0.12 * across), np.float32)
    picture[:] = (picture * (1 - 0.35 * shade[..., None])).astype(np.uint8)
    step = 0.28 * across * float(np.sin(2 * np.pi * 0.95 * second))
    for side in (-1, 1):
        foot = (int(x + side * 0.16 * across), int(y + side * step))
        cv2.ellipse(picture, foot, (int(0.08 * across), int(0.17 * across)), 0, 0, 360, (30, 28, 28), -1, cv2.LINE_AA)
        arm = (int(x + side * 0.46 * across), int(y - side * 0.7 * step))
        cv2.circle(picture, arm, int(0.08 * across), passer.look.skin, -1, cv2.LINE_AA)
    cv2.ellipse(
        picture, (int(x), int(y)), (int(0.5 * across), int(0.22 * across)), 0, 0, 360, passer.look.coat, -1, cv2.LINE_AA
    )
    cv2.circle(picture, (int(x), int(y)), int(0.19 * across), passer.look.hair, -1, cv2.LINE_AA)
