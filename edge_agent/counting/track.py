"""What the tracker knows of one person in the picture."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

PROVED: Final = 0.4
"""Seconds' worth of proof from which a track is a person of its own and not a second box on somebody."""


@dataclass(slots=True)
class Track:
    """One person for as long as he is in the picture. The number lives in this process only (privacy P3)."""

    number: int
    state: Vector
    """[4, 2]: centre x, centre y, width, height; value and change per second."""
    spread: Vector
    """[2, 2] covariance of (value, change), the same for all four, in pixels²."""
    seen_at: float
    """Seconds; when he last had a box, or somebody who hides him had one."""
    boxed_at: float
    """Seconds; when he last had a box of his own."""
    born_at: float
    middle: tuple[float, float]
    """Of the last box as the detector gave it, or of where he is carried along; in pixels."""
    score: float
    """Of the last box."""
    best_score: float
    hits: int = 1
    is_confirmed: bool = False
    proof: float = 0.0
    born_on: int | None = None
    """Number of the track whose box covered his first one: he may be a second box on that person."""
    company: dict[int, float] = field(default_factory=dict)
    """Seconds that he has walked with another track, by its number."""
    host: "Track | None" = None
    """Who hides him now and walks the same way."""
    beside: tuple[float, float] = (0.0, 0.0)
    """His place as seen from his host, in pixels."""

    @property
    def centre(self) -> tuple[float, float]:
        """In pixels."""
        return float(self.state[0, 0]), float(self.state[1, 0])

    @property
    def height(self) -> float:
        """In pixels, at least one."""
        return max(float(self.state[3, 0]), 1.0)

    @property
    def box(self) -> Vector:
        """[4] x1, y1, x2, y2."""
        (x, y), half_w, half_h = self.centre, self.state[2, 0] / 2, self.state[3, 0] / 2
        return np.array([x - half_w, y - half_h, x + half_w, y + half_h])

    @property
    def is_proved(self) -> bool:
        """Whether this is a person of its own."""
        return self.is_confirmed and self.proof >= PROVED

    def become(self, other: "Track") -> None:
        """Go on where the other is: it was this person under a new number."""
        self.state, self.spread, self.middle = other.state, other.spread, other.middle
        self.seen_at, self.boxed_at, self.score = other.seen_at, other.boxed_at, other.score
        self.hits += other.hits
        self.best_score = max(self.best_score, other.best_score)
        self.host = None
