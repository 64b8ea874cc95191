"""The counting pipeline of one camera: gate, detector, tracker, line and zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.counting.detector import Detector
from edge_agent.counting.gate import Gate
from edge_agent.counting.geometry import Points, inside_polygon
from edge_agent.counting.line import Crossing, Line, LineCounter
from edge_agent.counting.picture import THUMB_WIDTH, Grey, Picture
from edge_agent.counting.track import Track
from edge_agent.counting.tracker import Tracker

PRESENT_S: Final = 0.4
"""A person counts as present that long after his last box: scores dip for a few frames."""
LOOK_AGAIN_S: Final = 5.0
"""The detector looks at least that often while somebody is there, however still the picture is."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one frame told."""

    crossings: Sequence[Crossing]
    present: int
    confidence: float
    """Of `present`: mean of the people's best scores, 1 when nobody is there."""
    has_looked: bool
    """Whether the detector ran."""


class PeopleCounter:
    """Give it frame after frame; times in seconds never go back. One instance per camera, no threads."""

    def __init__(self, detector: Detector, line: Line | None, zone: Points | None = None) -> None:
        self._detector = detector
        self._line = LineCounter(line) if line else None
        self._zone = zone
        self._gate = Gate()
        self._tracker = Tracker(detector.settings)
        self._looked_at = -np.inf

    def step(self, picture: Picture, frame: int, time_s: float, grey: Grey | None = None) -> Seen:
        """Count this frame. `grey` spares making the small picture again (`THUMB_WIDTH` wide)."""
        grey = picture.grey(THUMB_WIDTH) if grey is None else grey
        patience = self._detector.look_again_s
        if self._tracker.tracks:
            patience = min(patience, LOOK_AGAIN_S)
        if time_s - self._looked_at < patience and not self._gate.is_open(grey):
            self._tracker.hold(time_s)
            return self._seen([], time_s, has_looked=False)
        found = self._detector.detect(picture, grey, time_s)
        self._gate.looked(grey)
        self._looked_at = time_s
        tracks = self._tracker.step(found, time_s)
        if self._line is None:
            return self._seen([], time_s, has_looked=True)
        alive = {track.number for track in self._tracker.tracks}
        return self._seen(self._line.step(tracks, alive, frame, time_s), time_s, has_looked=True)

    def finish(self) -> Sequence[Crossing]:
        """Those who are over the line when there are no more frames."""
        return self._line.finish() if self._line is not None else []

    @property
    def tracks(self) -> Sequence[Track]:
        """Those now followed, for drawing."""
        return self._tracker.tracks

    def _seen(self, crossings: Sequence[Crossing], time_s: float, *, has_looked: bool) -> Seen:
        people = [track for track in self._tracker.tracks if track.is_proved and time_s - track.seen_at <= PRESENT_S]
        if self._zone is not None and people:
            # Where somebody stands is at his feet, not at his middle, as far as feet are seen.
            has_feet = self._detector.sees_feet
            feet = np.array([(track.centre[0], track.box[3] if has_feet else track.centre[1]) for track in people])
            people = [track for track, is_in in zip(people, inside_polygon(feet, self._zone), strict=True) if is_in]
        confidence = float(np.mean([track.best_score for track in people])) if people else 1.0
        return Seen(crossings, len(people), confidence, has_looked)
