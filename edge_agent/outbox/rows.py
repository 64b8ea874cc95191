"""What is in an outbox file: its schema, its rows and their checksums."""

import struct
import zlib
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from wire.events import Lane

LANES: Final = (Lane.URGENT, Lane.ROUTINE)
TABLES: Final = {Lane.URGENT: "urgent", Lane.ROUTINE: "routine"}
PAGE_SIZE: Final = 4096
APPLICATION_ID: Final = 0x414E4658  # "ANFX": `file` and a person in a rescue shell can tell what it is
SCHEMA_VERSION: Final = 1

# One table per lane, keyed by the number itself: rows are appended at one end and deleted at the other.
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS lane(lane INTEGER PRIMARY KEY, epoch TEXT NOT NULL, last_seq INTEGER NOT NULL,
  floor_seq INTEGER NOT NULL, dropped INTEGER NOT NULL, refused INTEGER NOT NULL, damaged INTEGER NOT NULL,
  crc INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS urgent(seq INTEGER PRIMARY KEY, stored_ms INTEGER NOT NULL, body BLOB NOT NULL,
  crc INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS routine(seq INTEGER PRIMARY KEY, stored_ms INTEGER NOT NULL, body BLOB NOT NULL,
  crc INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS dead_letter(id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, epoch TEXT NOT NULL,
  seq INTEGER NOT NULL, set_aside_ms INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS command(id TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL, reply BLOB) STRICT;
CREATE TABLE IF NOT EXISTS kept(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
"""

_ROW: Final = struct.Struct(">Bqq")
_LANE: Final = struct.Struct(">Bqqqqq")


class Row(NamedTuple):
    """One event in the queue. `body` is its JSON, `stored_ms` the wall clock's milliseconds when it was accepted."""

    seq: int
    stored_ms: int
    body: bytes


class DeadLetter(NamedTuple):
    """An event that the hub cannot read, or whose row was damaged: kept for a person to look at."""

    lane: int
    epoch: str
    seq: int
    set_aside_ms: int
    reason: str
    body: bytes


def row_crc(lane: int, seq: int, stored_ms: int, body: bytes) -> int:
    """CRC-32 over everything in a row and over where it belongs, so that a row in the wrong place is damaged too."""
    return zlib.crc32(body, zlib.crc32(_ROW.pack(lane, seq, stored_ms)))


@dataclass(slots=True)
class LaneState:
    """One lane's numbers. Live rows are exactly `floor_seq + 1 … last_seq`: there is never a hole between."""

    lane: int
    epoch: str
    last_seq: int = 0
    floor_seq: int = 0
    dropped: int = 0
    refused: int = 0
    damaged: int = 0

    @property
    def crc(self) -> int:
        """CRC-32 over the lane's numbers and its epoch."""
        numbers = _LANE.pack(self.lane, self.last_seq, self.floor_seq, self.dropped, self.refused, self.damaged)
        return zlib.crc32(self.epoch.encode(), zlib.crc32(numbers))


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """One lane as others may see it; `oldest_ms` is the wall clock's milliseconds of its oldest event."""

    epoch: str = ""
    last_seq: int = 0
    floor_seq: int = 0
    dropped: int = 0
    refused: int = 0
    damaged: int = 0
    oldest_ms: int | None = None

    @property
    def depth(self) -> int:
        """How many events wait for the hub's acknowledgement."""
        return self.last_seq - self.floor_seq


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """What the queue says of itself."""

    lanes: dict[int, LaneStatus] = field(default_factory=dict)
    dead_letters: int = 0
    dead_letters_forgotten: int = 0
    disk: str = "ok"
    """ok, quota (telemetry makes room), full (the disk itself), failing (I/O errors)."""
    salvaged: int = 0
    moved_aside: str | None = None
    """The damaged file that was put aside at the last start, if one was."""

    @property
    def depth(self) -> int:
        """Events waiting in all lanes."""
        return sum(lane.depth for lane in self.lanes.values())

    @property
    def lost(self) -> int:
        """Events that will never reach the hub: dropped for room, refused, or damaged on disk."""
        return sum(lane.dropped + lane.refused + lane.damaged for lane in self.lanes.values())

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest waiting event was accepted."""
        return min((lane.oldest_ms for lane in self.lanes.values() if lane.oldest_ms is not None), default=None)
