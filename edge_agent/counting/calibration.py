"""How often a camera misses somebody and how often it counts twice, from an installer who walks in and out.

He walks in, out, in, out, …; what was counted is laid beside that so that as little as possible is missed or too much.
A few walks prove little: the rates begin at what a counter has that nobody measured, and that weighs as much as
`PRIOR_WALKS` crossings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from edge_agent.counting.line import Direction
from edge_agent.errors import ConfigError

PRIOR_MISS: Final = 0.08
PRIOR_DOUBLE: Final = 0.03
PRIOR_WALKS: Final = 10
MOST_RATE: Final = 0.9
"""A counter that is worse says nothing; the hub takes no more either."""


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a calibration found; kept in the agent's data folder as JSON."""

    at: datetime
    crossings: int
    """True ones: two for each walk in and out."""
    missed: int
    doubled: int
    """Counted beyond the true ones."""

    @property
    def miss_rate(self) -> float:
        """Share of the true crossings that are not counted."""
        return min(MOST_RATE, (self.missed + PRIOR_MISS * PRIOR_WALKS) / (self.crossings + PRIOR_WALKS))

    @property
    def double_rate(self) -> float:
        """Share of the counted crossings that are none."""
        counted = self.crossings - self.missed + self.doubled
        return min(MOST_RATE, (self.doubled + PRIOR_DOUBLE * PRIOR_WALKS) / (counted + PRIOR_WALKS))


@dataclass(frozen=True, slots=True)
class Compared:
    """What was counted beside what was walked."""

    missed: int
    doubled: int


def compare(counted: Sequence[Direction], walks: int) -> Compared:
    """`walks` times in and then out again, beside what was counted, in order."""
    walked: list[Direction] = ["in", "out"] * walks
    # The longest common subsequence: so many crossings were counted right.
    right = [0] * (len(counted) + 1)
    for truth in walked:
        before = 0
        for place, one in enumerate(counted, 1):
            above = right[place]
            right[place] = before + 1 if one == truth else max(above, right[place - 1])
            before = above
    return Compared(missed=len(walked) - right[-1], doubled=len(counted) - right[-1])


def path_of(data_dir: Path, camera_id: str) -> Path:
    """Where a camera's calibration is kept."""
    return data_dir / "calibration" / f"{camera_id}.json"


def load(data_dir: Path, camera_id: str) -> Calibration | None:
    """The stored one, None when there is none. Raises ConfigError where the file is spoiled."""
    path = path_of(data_dir, camera_id)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Calibration)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path}: {error}; delete it and calibrate the camera again") from error


def store(data_dir: Path, camera_id: str, calibration: Calibration) -> Path:
    """Keep it; the agent reads it when it starts. Raises ConfigError where it cannot be written."""
    path = path_of(data_dir, camera_id)
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(calibration) + b"\n")
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}; mend data_dir or its rights") from error
    return path
