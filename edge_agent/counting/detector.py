"""What the counter asks of a detector, whichever of the two back ends it is."""

from typing import Protocol

from edge_agent.counting.picture import Grey, Picture
from edge_agent.counting.tracker import Detections


class Detector(Protocol):
    """Finds people in one frame."""

    def detect(self, picture: Picture, grey: Grey, time_s: float) -> Detections:
        """Boxes in pixels of the whole picture, overlapping ones already merged, unsure ones (0.1) included.

        `grey` is the small picture that the gate has already made.
        """
        ...
