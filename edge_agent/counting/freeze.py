"""Tells whether a camera's picture stands still beyond what any sensor can: its encoder hangs and repeats itself.

An empty corridor stands still too, but never to the last bit: each key frame holds another grain. Every few seconds a
live camera therefore shows a picture that it has not shown just before; one that hangs shows the same few for ever.
"""

from collections import deque
from typing import Final

LOOK_S: Final = 1.0
FROZEN_S: Final = 30.0
REMEMBERED_S: Final = 12.0
"""Key frames come at least that often. A clip that plays in a loop is longer, and is no picture that hangs."""


class FreezeWatch:
    """Give it a fingerprint of each whole picture, or of one a second, with its time in seconds."""

    def __init__(self) -> None:
        self.is_frozen = False
        self._seen: deque[tuple[float, int]] = deque()
        self._looked_at = float("-inf")
        self._new_at: float | None = None

    def is_due(self, time_s: float) -> bool:
        """Whether it wants a look; the fingerprint need not be made before."""
        return time_s - self._looked_at >= LOOK_S

    def step(self, fingerprint: int, time_s: float) -> bool:
        """Whether the picture is frozen now."""
        self._looked_at = time_s
        while self._seen and time_s - self._seen[0][0] > REMEMBERED_S:
            self._seen.popleft()
        if self._new_at is None or all(known != fingerprint for _, known in self._seen):
            self._new_at = time_s
        self._seen.append((time_s, fingerprint))
        self.is_frozen = time_s - self._new_at >= FROZEN_S
        return self.is_frozen
