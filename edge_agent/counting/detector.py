"""What the counter asks of a detector, whichever of the two back ends it is."""

from collections.abc import Callable, Iterable
from typing import Protocol

from edge_agent.counting.picture import Grey, Picture
from edge_agent.counting.tracker import Detections, TrackerSettings


class Detector(Protocol):
    """Finds people in one frame."""

    @property
    def settings(self) -> TrackerSettings:
        """How a tracker should follow what this detector finds."""
        ...

    @property
    def look_again_s(self) -> float:
        """How often it wants to look at a picture in which nothing moves and nobody is."""
        ...

    @property
    def sees_feet(self) -> bool:
        """Whether a box ends at the feet, which tell where somebody stands; from above his middle does."""
        ...

    def detect(self, picture: Picture, grey: Grey, time_s: float) -> Detections:
        """Boxes in pixels of the whole picture, overlapping ones already merged, unsure ones (0.1) included.

        `grey` is the small picture that the gate has already made.
        """
        ...

    def prime(self, pictures: Callable[[], Iterable[Picture]]) -> None:
        """Learn the place from pictures taken over a longer time, where the caller has them (a file)."""
        ...
