"""The detector for views from above: the network where it knows people, blobs on the floor where it does not.

No network trained on people from the side knows them straight from above, but from a little to the side it often does,
and then it is not fooled by shadows. Which of the two a camera needs is found out by looking: where most of what moves
over the floor has a box of the network, the network counts, elsewhere the blobs do.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from edge_agent.counting.blobs import (
    SATURATED,
    Sizes,
    Small,
    blobs,
    changed,
    clusters,
    detections,
    exposure,
    prepare,
)
from edge_agent.counting.detector import Detector
from edge_agent.counting.picture import Grey, Picture
from edge_agent.counting.tracker import NOBODY, Detections, TrackerSettings

SAMPLE_S: Final = 0.5
SAMPLES: Final = 60
SIZE_EVERY_S: Final = 0.1
LEAST_SAMPLES: Final = 3
UPSET_PART: Final = 0.6
"""If more of the picture than this differs, the light has changed or the camera was moved: learn again."""
UPSET_FRAMES: Final = 5
SETTLED: Final = 1.35
"""While the exposure is further than that from the floor's, it is settling, and blobs are its doing."""
KNOWN_SCORE: Final = 0.25
KNOWS: Final = 0.5
"""Part of the frames with somebody in which the network must see him to be trusted."""
DOUBTS: Final = 0.3
"""Under that it is trusted no longer; changing over in the middle of a walk would count it twice."""
WHOLE_SCORE: Final = 0.9
EDGE: Final = 0.2
TRIALS: Final = 8
TRY_EVERY_S: Final = 1.0
REMEMBERED: Final = 60
"""Trials after which old ones count half: a camera may be turned."""


FROM_ABOVE: Final = TrackerSettings(birth_score=0.25, confirm_score=0.35, reach=0.6)
"""From above people turn and change shape, and boxes jump; scores are low."""


class Overhead:
    """Keeps the floor, and the score of the network. One instance per camera."""

    def __init__(self, network: Detector) -> None:
        self._network = network
        self._samples: deque[Small] = deque(maxlen=SAMPLES)
        self._sampled_at = -np.inf
        self._tried_at = -np.inf
        self._floor: Small | None = None
        self._spread: Small | None = None
        self._upset = 0
        self._trials = 0.0
        self._known = 0.0
        self._sizes = Sizes()
        self._sized_at = -np.inf
        self.trusts_network = False
        """Whether the network has proved to know people from this angle."""

    @property
    def settings(self) -> TrackerSettings:
        """See `FROM_ABOVE`."""
        return FROM_ABOVE

    @property
    def look_again_s(self) -> float:
        """The floor is best learnt while nothing moves."""
        return SAMPLE_S

    @property
    def sees_feet(self) -> bool:
        """They are somewhere under the shoulders."""
        return False

    def detect(self, picture: Picture, grey: Grey, time_s: float) -> Detections:
        """People in the whole frame; see `Detector`. A blob's score tells how much of a person's size it has."""
        is_time = time_s - self._tried_at >= TRY_EVERY_S
        is_sample = time_s - self._sampled_at >= SAMPLE_S
        if self.trusts_network and not (is_time or is_sample):
            return self._network.detect(picture, grey, time_s)
        small = prepare(picture)
        if self._samples and self._samples[0].shape != small.shape:
            self._forget()
        if is_sample:
            self._sampled_at = time_s
            self._samples.append(small)
            if len(self._samples) >= LEAST_SAMPLES:
                self._learn()
        found = self._on_the_floor(small, picture, time_s) if is_time or not self.trusts_network else NOBODY
        is_trial = is_time and has_somebody_whole(found, picture)
        if not self.trusts_network and not is_trial:
            return found
        seen = self._network.detect(picture, grey, time_s)
        if is_time:
            self._tried_at = time_s
        if is_trial:
            self._try(seen)
        return seen if self.trusts_network else found

    def prime(self, pictures: Callable[[], Iterable[Picture]]) -> None:
        """Learn the floor from these, and how well the network knows the people on it; see `Detector`."""
        every = [prepare(picture) for picture in pictures()]
        self._samples.extend(every[:: max(1, len(every) // SAMPLES)])
        self._learn()
        for index, picture in enumerate(pictures()):
            # The clock of what is counted afterwards begins at 0.
            found = self._on_the_floor(prepare(picture), picture, index * SIZE_EVERY_S - 1e6)
            if has_somebody_whole(found, picture):
                self._try(self._network.detect(picture, picture.grey(2), 0.0))

    def _try(self, seen: Detections) -> None:
        """Somebody is on the floor: does the network see him?"""
        if self._trials >= REMEMBERED:
            self._trials, self._known = self._trials / 2, self._known / 2
        self._trials += 1
        self._known += bool(seen.scores.max(initial=0.0) >= KNOWN_SCORE)
        if self._trials >= TRIALS:
            self.trusts_network = self._known >= (DOUBTS if self.trusts_network else KNOWS) * self._trials

    def _on_the_floor(self, small: Small, picture: Picture, time_s: float) -> Detections:
        if self._floor is None or self._spread is None:
            return NOBODY
        gain = exposure(small, self._floor)
        even = np.minimum(small / gain, 255.0)
        mask = changed(small, even, gain, self._floor, self._spread)
        if np.count_nonzero(mask) > UPSET_PART * mask.size:
            self._upset += 1
            if self._upset >= UPSET_FRAMES:
                self._forget()
            return NOBODY
        self._upset = 0
        if not 1 / SETTLED <= gain <= SETTLED:
            return NOBODY
        person = self._sizes.person
        people = clusters(blobs(mask, even, self._floor), person)
        if time_s - self._sized_at >= SIZE_EVERY_S:
            self._sized_at = time_s
            self._sizes.look(people, small.shape)
        scales = picture.width / small.shape[1], picture.height / small.shape[0]
        return detections(people, *scales, small.shape, person)

    def _forget(self) -> None:
        self._samples.clear()
        self._floor, self._upset = None, 0

    def _learn(self) -> None:
        stack = np.stack(self._samples)
        levels = np.median(stack.reshape(len(stack), -1), axis=1)
        usable = stack[(levels > 5) & (levels < SATURATED)]
        if not len(usable):
            return
        self._floor = np.median(usable, axis=0).astype(np.float32)
        self._spread = np.median(np.abs(usable - self._floor), axis=0).astype(np.float32)


def has_somebody_whole(found: Detections, picture: Picture) -> bool:
    """Whether somebody of full size is well inside the picture, where a network could know him."""
    if not len(found):
        return False
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2 / (picture.width, picture.height)
    is_inside = (middles > EDGE).all(axis=1) & (middles < 1 - EDGE).all(axis=1)
    return bool((is_inside & (found.scores >= WHOLE_SCORE)).any())
