"""Follows people from frame to frame by where they are and how they move, never by how they look.

A Kalman filter of constant velocity per track and, as in ByteTrack (arXiv 2110.06864), two rounds of association:
first the sure boxes, then the unsure ones, which may carry a track on but never begin one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.counting.assignment import assign
from edge_agent.counting.companions import APART, follow_hidden, rejoin, shared_with_better
from edge_agent.counting.geometry import Boxes, Floats, covered, ious
from edge_agent.counting.track import PROVED, Track, Vector

UNREACHABLE: Final = 1e3
MOST_GROWTH: Final = 0.5
"""Heights per second; who comes near quickly grows by a quarter."""
GROWTH_LEFT: Final = 0.1
"""Of it after a second: one box that was cut must not make a dwarf of somebody who is hidden for a moment."""


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found in one frame: boxes [n, 4] in pixels, scores [n] from 0 to 1."""

    boxes: Boxes
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)


NOBODY: Final = Detections(np.zeros((0, 4)), np.zeros(0))


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Lengths are in heights of the person, so that nothing depends on the size of the picture."""

    birth_score: float = 0.30
    survival_score: float = 0.15
    confirm_hits: int = 3
    confirm_score: float = 0.45
    tentative_s: float = 0.5
    lost_s: float = 1.5
    position_noise: float = 0.05
    acceleration: float = 1.5
    """Heights per s²; somebody who turns on his heel needs about three."""
    gate: float = 3.0
    """Standard deviations beyond which a box is somebody else's."""
    reach: float = 0.35
    """Heights that a person may be off the prediction however sure the filter is."""
    least_size_ratio: float = 0.5
    hidden_s: float = 5.0
    """How long somebody may walk unseen behind a companion."""


class Tracker:
    """Give it each frame's detections with the frame's time in seconds; times never go back."""

    def __init__(self, settings: TrackerSettings = TrackerSettings()) -> None:
        self.settings = settings
        self._tracks: list[Track] = []
        self._next = 1
        self._time: float | None = None

    @property
    def tracks(self) -> Sequence[Track]:
        """All that live, tentative and lost ones too."""
        return self._tracks

    def step(self, detections: Detections, time_s: float) -> list[Track]:
        """The tracks seen in this very frame, those too that are hidden behind a companion.

        Only those that `is_proved` are people; the others may become people.
        """
        if self._time is not None and time_s < self._time:
            raise ValueError(f"Tracker: time went back from {self._time} to {time_s}")
        dt = 0.0 if self._time is None else time_s - self._time
        self._time = time_s
        for track in self._tracks:
            self._predict(track, dt)
        sure = np.flatnonzero(detections.scores >= self.settings.birth_score)
        unsure = np.flatnonzero(
            (detections.scores < self.settings.birth_score) & (detections.scores >= self.settings.survival_score)
        )
        left, sure_left = self._associate(self._tracks, detections, sure, time_s)
        recent = [track for track in left if time_s - track.seen_at <= self.settings.tentative_s + dt]
        self._associate(recent, detections, unsure, time_s)
        rejoin(self._tracks, time_s)
        follow_hidden(self._tracks, time_s, dt, self.settings.hidden_s)
        self._bury(time_s)
        for index in sure_left:
            self._bear(detections.boxes[index], float(detections.scores[index]), time_s)
        return [track for track in self._tracks if track.seen_at == time_s]

    def hold(self, time_s: float) -> None:
        """Nothing has moved since the last frame: everybody who was seen in it is where he was."""
        before, self._time = self._time, time_s
        for track in self._tracks:
            if track.seen_at == before:
                if track.boxed_at == before:
                    track.boxed_at = time_s
                track.seen_at = time_s
                track.state[:, 1] = 0.0
        self._bury(time_s)

    def _predict(self, track: Track, dt: float) -> None:
        """Constant velocity; width and height hardly go on changing while nobody measures them."""
        move = np.array([[1.0, dt], [0.0, 1.0]])
        track.state[:2] = track.state[:2] @ move.T
        most = MOST_GROWTH * track.height
        track.state[2:, 1] = np.clip(track.state[2:, 1], -most, most)
        track.state[2:, 0] += track.state[2:, 1] * dt
        track.state[2:, 1] *= GROWTH_LEFT**dt
        push = (self.settings.acceleration * track.height) ** 2
        grown = np.array([[dt**4 / 4, dt**3 / 2], [dt**3 / 2, dt**2]]) * push
        track.spread = move @ track.spread @ move.T + grown

    def _associate(
        self, tracks: list[Track], detections: Detections, chosen: NDArray[np.intp], time_s: float
    ) -> tuple[list[Track], list[int]]:
        """Carry tracks on with boxes; returns what of both is left."""
        if not tracks or not len(chosen):
            return list(tracks), [int(i) for i in chosen]
        cost = self._cost(tracks, detections.boxes[chosen])
        pairs = assign(cost, 1.0)
        for row, column in pairs:
            index = chosen[column]
            self._update(tracks[row], detections.boxes[index], float(detections.scores[index]), time_s)
        taken_rows, taken_columns = {row for row, _ in pairs}, {column for _, column in pairs}
        return (
            [track for row, track in enumerate(tracks) if row not in taken_rows],
            [int(i) for column, i in enumerate(chosen) if column not in taken_columns],
        )

    def _cost(self, tracks: Sequence[Track], boxes: Boxes) -> Floats:
        """[n, m] from 0 (there) to 1 (hardly), beyond 1 for what cannot be.

        Half overlap and half distance in units of what the filter allows, so that a person who was hidden for a
        second is found again though the boxes do not touch.
        """
        predicted = np.array([track.box for track in tracks])
        height = np.array([track.height for track in tracks])
        deviation = np.sqrt(np.array([track.spread[0, 0] for track in tracks]))
        allowed = np.maximum(self.settings.gate * deviation, self.settings.reach * height)
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        away = np.linalg.norm(middle[None] - ((predicted[:, :2] + predicted[:, 2:]) / 2)[:, None], axis=2)
        away = away / np.minimum(allowed, 2.0 * height)[:, None]
        tall = (boxes[:, 3] - boxes[:, 1])[None] / height[:, None]
        alike = np.minimum(tall, 1 / np.maximum(tall, 1e-9))
        overlap = ious(predicted, boxes)
        cost = 0.5 * (1 - overlap) + 0.5 * away
        # Somebody half hidden by a table or the frame's edge changes height; then the overlap has to vouch for him.
        possible = (away <= 1) & ((alike >= self.settings.least_size_ratio) | (covered(predicted, boxes) > 0.7))
        return np.where(possible, np.minimum(cost, 1.0), UNREACHABLE)

    def _update(self, track: Track, box: Vector, score: float, time_s: float) -> None:
        measured = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]])
        # An unsure box is a worse ruler: half out of the picture, or somebody else covers half of him.
        doubt = 1.0 + 2.0 * max(0.0, 0.5 - score)
        noise = (self.settings.position_noise * doubt * track.height) ** 2
        gain = track.spread[:, 0] / (track.spread[0, 0] + noise)
        track.state += (measured - track.state[:, 0])[:, None] * gain[None]
        track.spread = track.spread - np.outer(gain, track.spread[0])
        track.state[2:, 0] = np.maximum(track.state[2:, 0], 1.0)
        track.seen_at = track.boxed_at = time_s
        track.middle = float(measured[0]), float(measured[1])
        track.host = None
        track.hits += 1
        track.score = score
        track.best_score = max(track.best_score, score)
        if track.hits >= self.settings.confirm_hits and track.best_score >= self.settings.confirm_score:
            track.is_confirmed = True

    def _bear(self, box: Vector, score: float, time_s: float) -> None:
        state = np.zeros((4, 2))
        state[:, 0] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]]
        height = max(float(state[3, 0]), 1.0)
        spread = np.diag([(2 * self.settings.position_noise * height) ** 2, height**2])
        middle = float(state[0, 0]), float(state[1, 0])
        self._tracks.append(Track(self._next, state, spread, time_s, time_s, time_s, middle, score, score))
        older = [track for track in self._tracks[:-1] if track.is_confirmed]
        common = covered(box[None], np.array([track.box for track in older]))[0] if older else np.zeros(1)
        share = shared_with_better(
            np.array([box, *(track.box for track in older)]), np.array([0.0] + [1.0] * len(older))
        )
        if max(common.max(), share[0]) < APART:
            self._tracks[-1].proof = PROVED
        else:
            self._tracks[-1].born_on = older[int(common.argmax())].number
        self._next += 1

    def _bury(self, time_s: float) -> None:
        self._tracks = [
            track
            for track in self._tracks
            if time_s - track.seen_at <= (self.settings.lost_s if track.is_confirmed else self.settings.tentative_s)
        ]
