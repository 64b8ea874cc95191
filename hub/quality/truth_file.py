"""The truth beside a recording, as `anfang-sim residents` writes it."""

from bisect import bisect_right
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.errors import ConfigError


class ExpectedAlert(Struct):
    """An alert that is right if it is opened from `from_s` until `until_s`; and must be there, if it has a `by_s`."""

    rule: str
    subject: str
    from_s: float
    by_s: float | None = None
    until_s: float = float("inf")
    why: str = ""


class InsideOverTime(Struct):
    """A step function: from `at[i]` seconds on there were `people[i]`."""

    at: list[int]
    people: list[int]

    def during(self, at_s: float) -> int:
        """How many at an instant."""
        return self.people[max(0, bisect_right(self.at, at_s) - 1)]


class UnitTruth(Struct):
    """One unit."""

    story: str
    counted: bool
    inside: InsideOverTime
    infants: int = 0


class Truth(Struct):
    """The whole file."""

    start: datetime
    days: int
    expected: list[ExpectedAlert]
    units: dict[str, UnitTruth]
    noise: str = ""
    seed: int = 0


def read_truth(path: Path) -> Truth:
    """Raises ConfigError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Truth)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; write the folder with `anfang-sim residents`") from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path}: {error}; write it anew with `anfang-sim residents`") from error
