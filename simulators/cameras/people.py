"""People of a drawn scene: where each walks, and how an articulated figure of him is drawn."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Colour = tuple[int, int, int]
Place = tuple[float, float]
Way = tuple[tuple[float, float, float], ...]
"""Points: a second, and where somebody is then."""


@dataclass(frozen=True, slots=True)
class Look:
    """Clothes and build."""

    coat: Colour
    trousers: Colour
    skin: Colour
    hair: Colour
    build: float
    """Width of the shoulders per height."""


@dataclass(frozen=True, slots=True)
class Walker:
    """One person: way points (second, x of the middle in pixels), straight in between."""

    way: tuple[tuple[float, float], ...]
    feet_y: float
    height: float
    look: Look

    def x_at(self, second: float) -> float | None:
        """The middle's x, or None before the first and after the last way point."""
        if not self.way[0][0] <= second <= self.way[-1][0]:
            return None
        times, places = zip(*self.way, strict=True)
        return float(np.interp(second, times, places))

    def box_at(self, second: float) -> tuple[float, float, float, float] | None:
        """x1, y1, x2, y2 in pixels, as a perfect detector would draw it."""
        x = self.x_at(second)
        if x is None:
            return None
        half = self.look.build * self.height * 0.75
        return x - half, self.feet_y - self.height, x + half, self.feet_y

    def draw(self, picture: Rgb, second: float) -> None:
        """Paint him into the picture."""
        x = self.x_at(second)
        if x is None:
            return
        before = self.x_at(max(second - 0.1, self.way[0][0]))
        pace = 0.0 if before is None else (x - before) / 0.1
        pose = _Pose(self.height, self._swing(second, pace), int(np.sign(pace)))
        _draw_figure(picture, (x, self.feet_y), pose, self.look)

    def _swing(self, second: float, pace: float) -> float:
        """Angle of the legs in radians; nothing while he stands."""
        if abs(pace) < 0.05 * self.height:
            return 0.03
        return 0.42 * float(np.sin(2 * np.pi * 0.95 * second + self.feet_y))


def place_on(way: Way, second: float) -> Place | None:
    """Where on a way somebody is, straight between its points; None before its first and after its last second."""
    if not way[0][0] <= second <= way[-1][0]:
        return None
    times, firsts, seconds = zip(*way, strict=True)
    return float(np.interp(second, times, firsts)), float(np.interp(second, times, seconds))


def draw_person(picture: Rgb, feet: Place, height: float, swing: float, look: Look) -> None:
    """Paint somebody who walks towards the onlooker or away from him; `swing` is the legs' angle in radians."""
    _draw_figure(picture, feet, _Pose(height, swing, 0), look)


def random_look(random: np.random.Generator) -> Look:
    """Everyday clothes."""

    def pick(choices: tuple[Colour, ...]) -> Colour:
        return choices[int(random.integers(len(choices)))]

    skin = pick(((214, 172, 145), (190, 145, 118), (145, 102, 80)))
    coats = ((35, 40, 60), (60, 30, 30), (40, 50, 40), (30, 30, 32), (70, 75, 85), (90, 60, 45), (45, 70, 95))
    trousers = ((25, 30, 45), (35, 35, 38), (50, 45, 40), (22, 22, 24))
    hair = ((25, 20, 18), (45, 32, 22), (70, 66, 62))
    return Look(pick(coats), pick(trousers), skin, pick(hair), float(random.uniform(0.23, 0.28)))


@dataclass(frozen=True, slots=True)
class _Pose:
    """How he stands in one frame."""

    height: float
    swing: float
    """Angle of the legs in radians."""
    facing: int
    """+1 to the right, -1 to the left, 0 at the onlooker."""


def _draw_figure(picture: Rgb, feet: Place, pose: _Pose, look: Look) -> None:
    """Shoes to hair, back limbs first; lengths after the proportions of an adult of 7.5 heads."""
    height = pose.height
    shoulder = look.build * height / 2
    hip = _off(feet, 0.0, -0.47 * height)
    neck = _off(feet, 0.01 * pose.facing * height, -0.83 * height)
    dark = tuple(int(0.75 * part) for part in look.coat)
    shadow = (int(shoulder * 1.3), max(1, int(0.02 * height)))
    cv2.ellipse(picture, _pixel(feet), shadow, 0, 0, 360, (70, 68, 66), -1)
    for side, sleeve in ((-1, dark), (1, look.coat)):
        angle = side * pose.swing
        _leg(picture, _off(hip, side * 0.045 * height, 0.0), angle, pose, look)
        start = _off(neck, side * shoulder * 0.85, 0.03 * height)
        elbow = _off(start, -0.17 * height * np.sin(0.8 * angle), 0.17 * height * np.cos(0.8 * angle))
        bend = 0.25 * pose.facing - 0.8 * angle
        hand = _off(elbow, 0.15 * height * np.sin(bend), 0.15 * height * np.cos(0.8 * angle))
        _limb(picture, start, elbow, 0.075 * height, sleeve)
        _limb(picture, elbow, hand, 0.06 * height, sleeve)
        cv2.circle(picture, _pixel(hand), max(1, int(0.025 * height)), look.skin, -1, cv2.LINE_AA)
    _torso(picture, neck, hip, shoulder, height, look)
    _limb(picture, neck, hip, 0.012 * height, dark)
    _head(picture, neck, pose, look)


def _torso(picture: Rgb, neck: Place, hip: Place, shoulder: float, height: float, look: Look) -> None:  # noqa: PLR0917  # a drawing
    corners = [
        _off(neck, -shoulder, 0.02 * height),
        _off(neck, -0.35 * shoulder, -0.015 * height),
        _off(neck, 0.35 * shoulder, -0.015 * height),
        _off(neck, shoulder, 0.02 * height),
        _off(hip, 0.8 * shoulder, 0.03 * height),
        _off(hip, -0.8 * shoulder, 0.03 * height),
    ]
    cv2.fillPoly(picture, [np.array([_pixel(corner) for corner in corners], np.int32)], look.coat, cv2.LINE_AA)


def _head(picture: Rgb, neck: Place, pose: _Pose, look: Look) -> None:
    head = pose.height / 7.5
    _limb(picture, neck, _off(neck, 0.0, -0.05 * pose.height), 0.06 * pose.height, look.skin)
    centre = _off(neck, 0.0, -0.05 * pose.height - 0.45 * head)
    size = (max(1, int(head * 0.38)), max(1, int(head * 0.52)))
    cv2.ellipse(picture, _pixel(centre), size, 0, 0, 360, look.skin, -1, cv2.LINE_AA)
    back = _off(centre, -0.1 * pose.facing * head, -0.14 * head)
    cv2.ellipse(picture, _pixel(back), size, 0, 180, 360, look.hair, -1, cv2.LINE_AA)


def _leg(picture: Rgb, hip: Place, angle: float, pose: _Pose, look: Look) -> None:
    height, facing = pose.height, pose.facing or 1
    knee = _off(hip, 0.24 * height * np.sin(angle), 0.24 * height * np.cos(angle))
    bend = angle - facing * 0.35 * max(0.0, -facing * np.sin(angle))
    ankle = _off(knee, 0.22 * height * np.sin(bend), 0.22 * height * np.cos(bend))
    _limb(picture, hip, knee, 0.095 * height, look.trousers)
    _limb(picture, knee, ankle, 0.07 * height, look.trousers)
    _limb(picture, ankle, _off(ankle, facing * 0.06 * height, 0.01 * height), 0.04 * height, (30, 28, 28))


def _limb(picture: Rgb, start: Place, end: Place, width: float, colour: tuple[int, ...]) -> None:
    cv2.line(picture, _pixel(start), _pixel(end), colour, max(1, round(width)), cv2.LINE_AA)


def _off(place: Place, right: float, down: float) -> Place:
    return place[0] + float(right), place[1] + float(down)


def _pixel(place: Place) -> tuple[int, int]:
    return round(place[0]), round(place[1])
