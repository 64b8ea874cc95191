"""The detector for straight-down views: what differs from the empty floor and is as large as a person.

No network trained on people from the side knows them from above, so the floor is learnt instead: the median of the
last half minute, per pixel of a small grey picture. Each frame is brought to the floor's exposure first.
"""

from collections import deque
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.counting.picture import Grey, Picture
from edge_agent.counting.tracker import NOBODY, Detections

Small = NDArray[np.float32]

WIDTH: Final = 160
"""Pixels of the small picture; a person's shoulders are twenty to fifty of them wide."""
SAMPLE_S: Final = 0.5
SAMPLES: Final = 60
LEAST_SAMPLES: Final = 3
LEAST_DIFFERENCE: Final = 18.0
NOISE_FACTOR: Final = 5.0
SATURATED: Final = 250.0
LEAST_PART: Final = 0.012
"""Least part of the picture that a person covers."""
MOST_PART: Final = 0.45
UPSET_PART: Final = 0.6
"""If more of the picture than this differs, the light has changed or the camera was moved: learn again."""


class Overhead:
    """Keeps the floor. One instance per camera."""

    def __init__(self) -> None:
        self._samples: deque[Small] = deque(maxlen=SAMPLES)
        self._sampled_at = -np.inf
        self._floor: Small | None = None
        self._spread: Small | None = None
        self._upset = 0

    def detect(self, picture: Picture, grey: Grey, time_s: float) -> Detections:
        """People in the whole frame; see `Detector`. Scores tell how much of a person's size a blob has."""
        del grey
        small = prepare(picture)
        if self._samples and self._samples[0].shape != small.shape:
            self._samples.clear()
            self._floor = None
        if time_s - self._sampled_at >= SAMPLE_S:
            self._learn(small, time_s)
        if self._floor is None or self._spread is None:
            return NOBODY
        mask = changed(small, self._floor, self._spread)
        if np.count_nonzero(mask) > UPSET_PART * mask.size:
            self._upset += 1
            if self._upset >= 5:
                self._samples.clear()
                self._floor, self._upset = None, 0
            return NOBODY
        self._upset = 0
        return blobs(mask, picture.width / small.shape[1], picture.height / small.shape[0])

    def prime(self, pictures: list[Small]) -> None:
        """Learn the floor from pictures taken over a longer time, where somebody has them (a file)."""
        self._samples.extend(pictures)
        self._refresh()

    def _learn(self, small: Small, time_s: float) -> None:
        self._sampled_at = time_s
        self._samples.append(small)
        if len(self._samples) >= LEAST_SAMPLES:
            self._refresh()

    def _refresh(self) -> None:
        stack = np.stack(self._samples)
        levels = np.median(stack.reshape(len(stack), -1), axis=1)
        usable = stack[(levels > 5) & (levels < SATURATED)] if len(stack) else stack
        if not len(usable):
            return
        self._floor = np.median(usable, axis=0).astype(np.float32)
        self._spread = np.median(np.abs(usable - self._floor), axis=0).astype(np.float32)


def prepare(picture: Picture) -> Small:
    """The small grey picture, a little blurred against noise."""
    return np.asarray(cv2.GaussianBlur(picture.grey(WIDTH), (5, 5), 0).astype(np.float32))


def changed(small: Small, floor: Small, spread: Small) -> NDArray[np.uint8]:
    """[h, w] 1 where something is that is not floor."""
    gain = exposure(small, floor)
    even = np.minimum(small / gain, 255.0)
    # White that is burnt out says nothing about how bright it is.
    burnt = (small >= SATURATED) & (floor >= SATURATED * min(1.0, 1 / gain))
    limit = np.maximum(LEAST_DIFFERENCE, NOISE_FACTOR * 1.5 * spread)
    mask = ((np.abs(even - floor) > limit) & ~burnt).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)))


def exposure(small: Small, floor: Small) -> float:
    """How much brighter the frame is than the floor, by the median of the pixels that are not burnt out."""
    usable = (small < SATURATED) & (floor < SATURATED) & (floor > 5)
    if np.count_nonzero(usable) < 0.05 * small.size:
        return 1.0
    return float(np.clip(np.median(small[usable] / floor[usable]), 0.25, 4.0))


def blobs(mask: NDArray[np.uint8], scale_x: float, scale_y: float) -> Detections:
    """Connected parts of human size, in pixels of the whole frame."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    boxes, scores = [], []
    for x, y, width, height, area in stats[1:count]:
        part = area / mask.size
        if LEAST_PART / 2 <= part <= MOST_PART:
            boxes.append((x * scale_x, y * scale_y, (x + width) * scale_x, (y + height) * scale_y))
            scores.append(min(0.9, 0.5 * part / LEAST_PART))
    if not boxes:
        return NOBODY
    return Detections(np.array(boxes, np.float64), np.array(scores, np.float64))
