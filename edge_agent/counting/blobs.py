"""What differs from the empty floor and is as large as a person, seen from above.

The floor is the median of the last half minute, per pixel of a small grey picture; each frame is brought to the
floor's exposure first. Parts next to each other make one person, and so does a shadow with whoever throws it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.counting.picture import Picture
from edge_agent.counting.tracker import NOBODY, Detections

Small = NDArray[np.float32]

WIDTH: Final = 160
"""Pixels of the small picture; a person's shoulders are twenty to fifty of them wide."""
LEAST_DIFFERENCE: Final = 5.0
LEAST_CONTRAST: Final = 0.12
"""Of the floor's brightness; dim light has small differences and little noise."""
NOISE_FACTOR: Final = 5.0
SATURATED: Final = 250.0
LEAST_PART: Final = 0.012
"""Least part of the picture that a person covers."""
MOST_PART: Final = 0.45
SHADOW_UNIFORM: Final = 0.12
SHADOW_DARKER: Final = 0.85
SHADOW_REACH: Final = 0.3
"""Part of the picture's width within which a shadow belongs to somebody."""
PARTS_REACH: Final = 0.05
"""The same for parts of one person: head and feet, an arm."""
OF_A_PERSON: Final = 0.6
"""Part of a person's area from which a blob is a person and not part of one."""
TOO_LARGE: Final = 1.6
TOO_LONG: Final = 1.5
"""Areas and lengths of a person from which a blob is several people in a row."""
MOST_IN_A_ROW: Final = 4
SIZES: Final = 250
LEAST_SIZES: Final = 8
SCRAP: Final = 0.25
"""Part of the largest sizes seen under which a blob was no person."""
TYPICAL: Final = 33
"""Percentile of the sizes seen: somewhat under the middle, since two in one are seen as one at first."""
DIAMETER: Final = 0.3
"""Of a person, as a part of the picture's shorter side: boxes are that large whatever the blob's shape."""


def prepare(picture: Picture) -> Small:
    """The small grey picture, a little blurred against noise."""
    return np.asarray(cv2.GaussianBlur(picture.grey(WIDTH), (5, 5), 0), np.float32)


def exposure(small: Small, floor: Small) -> float:
    """How much brighter the frame is than the floor, by the median of the pixels that are not burnt out."""
    usable = (small < SATURATED) & (floor < SATURATED) & (floor > 5)
    if np.count_nonzero(usable) < 0.05 * small.size:
        return 1.0
    return float(np.clip(np.median(small[usable] / floor[usable]), 0.25, 4.0))


def changed(small: Small, even: Small, gain: float, floor: Small, spread: Small) -> NDArray[np.uint8]:
    """[h, w] 1 where something is that is not floor. `even` is the frame at the floor's exposure."""
    # White that is burnt out says nothing about how bright it is.
    burnt = (small >= SATURATED) & (floor >= SATURATED * min(1.0, 1 / gain))
    least = max(LEAST_DIFFERENCE, LEAST_CONTRAST * float(np.median(floor)))
    limit = np.maximum(least, NOISE_FACTOR * 1.5 * spread)
    mask = ((np.abs(even - floor) > limit) & ~burnt).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), np.uint8)


@dataclass(frozen=True, slots=True)
class Blob:
    """A connected part of what is not floor, in pixels of the small picture."""

    box: tuple[int, int, int, int]
    """x1, y1, x2, y2."""
    area: float
    x: float
    y: float
    """Centre of mass."""
    along: tuple[float, float]
    """The longer axis as a vector; its length is that of an even bar with the same spread."""
    is_shadow: bool
    """Evenly darker than the floor: a shadow, or somebody in one dark colour."""

    @property
    def length(self) -> float:
        """Of the longer axis."""
        return float(np.hypot(*self.along))

    def gap(self, other: "Blob") -> float:
        """Pixels between the two boxes, 0 where they touch."""
        across = max(self.box[0] - other.box[2], other.box[0] - self.box[2], 0)
        down = max(self.box[1] - other.box[3], other.box[1] - self.box[3], 0)
        return float(np.hypot(across, down))


def blobs(mask: NDArray[np.uint8], even: Small, floor: Small) -> list[Blob]:
    """The connected parts that are large enough to be part of a person."""
    count, labels, stats, middles = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for label in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[label])
        if area < LEAST_PART / 3 * mask.size:
            continue
        here = labels[y : y + height, x : x + width] == label
        now, before = even[y : y + height, x : x + width][here], floor[y : y + height, x : x + width][here]
        is_even = float(now.std()) < SHADOW_UNIFORM * float(before.mean())
        is_darker = float(np.mean(now < before)) > SHADOW_DARKER
        centre_x, centre_y = (float(value) for value in middles[label])
        box = x, y, x + width, y + height
        found.append(Blob(box, area, centre_x, centre_y, _longer_axis(here), is_even and is_darker))
    return found


def _longer_axis(here: NDArray[np.bool_]) -> tuple[float, float]:
    """Of the pixels that are true."""
    ys, xs = np.nonzero(here)
    values, vectors = np.linalg.eigh(np.cov(np.stack([xs, ys]))) if len(xs) > 1 else (np.zeros(2), np.eye(2))
    across, down = vectors[:, 1] * np.sqrt(12 * max(float(values[1]), 0.0))
    return float(across), float(down)


def clusters(found: Sequence[Blob], person: "Size | None" = None) -> list[list[Blob]]:
    """Blobs that make one person: parts next to each other, and a shadow with whoever throws it.

    Where it is known how large a person is, two that are large enough each are two people, however near.
    """
    groups: list[list[Blob]] = []
    for blob in sorted(found, key=lambda one: (one.is_shadow, -one.area)):
        reach = (SHADOW_REACH if blob.is_shadow else PARTS_REACH) * WIDTH
        near = [(min(blob.gap(one) for one in group), group) for group in groups]
        gap, group = min(near, key=lambda pair: pair[0], default=(np.inf, []))
        is_another = person is not None and not blob.is_shadow and blob.area >= OF_A_PERSON * person.area
        if gap <= reach and not is_another:
            group.append(blob)
        else:
            groups.append([blob])
    return groups


@dataclass(frozen=True, slots=True)
class Size:
    """How large one person is, in pixels of the small picture."""

    area: float
    length: float


class Sizes:
    """Learns how large a person is from those who were whole in the picture; most of them walk alone."""

    def __init__(self) -> None:
        self._seen: deque[Size] = deque(maxlen=SIZES)

    @property
    def person(self) -> Size | None:
        """None until enough people were seen."""
        if len(self._seen) < LEAST_SIZES:
            return None
        areas, lengths = np.array([(one.area, one.length) for one in self._seen]).T
        # Hard shadows and feet at rest leave scraps, which must not make two of everybody.
        whole = areas >= SCRAP * np.percentile(areas, 90)
        return Size(float(np.percentile(areas[whole], TYPICAL)), float(np.percentile(lengths[whole], TYPICAL)))

    def look(self, groups: Sequence[Sequence[Blob]], shape: tuple[int, ...]) -> None:
        """Take in everybody who is whole: none of his blobs touches the frame's edge."""
        height, width = shape
        for group in groups:
            bodies = [blob for blob in group if not blob.is_shadow] or list(group)
            edges = np.array([blob.box for blob in bodies])
            is_whole = edges[:, :2].min() > 1 and edges[:, 2].max() < width - 1 and edges[:, 3].max() < height - 1
            area = sum(blob.area for blob in bodies)
            if is_whole and area >= LEAST_PART / 2 * height * width:
                self._seen.append(Size(area, max(blob.length for blob in bodies)))


def detections(
    groups: Sequence[Sequence[Blob]],
    scale_x: float,
    scale_y: float,
    shape: tuple[int, ...],
    person: Size | None = None,
) -> Detections:
    """Squares round the centres of mass, in pixels of the whole frame; the score tells how much of a person it is."""
    half = DIAMETER * min(shape[0] * scale_y, shape[1] * scale_x) / 2
    size = float(shape[0] * shape[1])
    boxes, scores = [], []
    for group in groups:
        area = sum(blob.area for blob in group)
        if not LEAST_PART / 2 <= area / size <= MOST_PART:
            continue
        # Whoever throws the shadow is where he is himself, not where it falls.
        bodies = [blob for blob in group if not blob.is_shadow] or list(group)
        for x, y in _middles(bodies, person):
            boxes.append((x * scale_x - half, y * scale_y - half, x * scale_x + half, y * scale_y + half))
            scores.append(min(0.9, 0.5 * area / size / LEAST_PART))
    if not boxes:
        return NOBODY
    return Detections(np.array(boxes, np.float64), np.array(scores, np.float64))


def _middles(bodies: Sequence[Blob], person: Size | None) -> list[tuple[float, float]]:
    """Where the people of a group are: one at the centre of mass, more in a row along a blob that is too long."""
    largest = max(bodies, key=lambda blob: blob.area)
    if person is not None and largest.area >= TOO_LARGE * person.area and largest.length >= TOO_LONG * person.length:
        count = min(max(2, round(largest.area / person.area)), MOST_IN_A_ROW)
        steps = (np.arange(count) + 0.5) / count - 0.5
        return [(largest.x + step * largest.along[0], largest.y + step * largest.along[1]) for step in steps]
    weight = sum(blob.area for blob in bodies)
    x, y = (sum(getattr(blob, axis) * blob.area for blob in bodies) / weight for axis in "xy")
    return [(x, y)]
