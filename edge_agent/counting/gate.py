"""Tells whether anything has changed since the detector last looked, so that it need not look again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_agent.counting.picture import Grey


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Brightness runs from 0 to 255; pixels are those of the small grey picture."""

    least_change: float = 6.0
    noise_factor: float = 6.0
    """How often the frame's own noise a pixel must change to count."""
    least_pixels: int = 2


class Gate:
    """Compares each small picture with the one the detector saw last; slow walkers add up to a change."""

    def __init__(self, settings: GateSettings = GateSettings()) -> None:
        self._settings = settings
        self._seen: NDArray[np.int16] | None = None

    def is_open(self, grey: Grey) -> bool:
        """Whether the detector has to look at this frame; true for the first and after a change of size."""
        now = grey.astype(np.int16)
        if self._seen is None or self._seen.shape != now.shape:
            return True
        change = now - self._seen
        # A lamp that flickers or an exposure that settles shifts all pixels alike.
        away = np.abs(change - np.int16(np.median(change)))
        limit = max(self._settings.least_change, self._settings.noise_factor * float(np.median(away)))
        return int(np.count_nonzero(away > limit)) >= self._settings.least_pixels

    def looked(self, grey: Grey) -> None:
        """The detector has seen this frame."""
        self._seen = grey.astype(np.int16)
