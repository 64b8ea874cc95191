"""Growing pauses with jitter, so that the parts of a site do not all come back in the same second."""

import random
from collections.abc import Callable

_system_random = random.SystemRandom()


class Backoff:
    """Pauses between `first_s` and `most_s`: each doubles the last, and takes a random 50–100 % of it."""

    def __init__(self, *, first_s: float, most_s: float, jitter: Callable[[], float] | None = None) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._jitter = jitter or _system_random.random
        self._attempt = 0

    @property
    def attempt(self) -> int:
        """How many pauses there have been since the last success."""
        return self._attempt

    def next_s(self) -> float:
        """The length of the next pause in seconds."""
        whole_s = min(self._most_s, self._first_s * 2.0 ** min(self._attempt, 30))
        self._attempt += 1
        return whole_s * (0.5 + 0.5 * self._jitter())

    def reset(self) -> None:
        """Something succeeded: begin with short pauses again."""
        self._attempt = 0
