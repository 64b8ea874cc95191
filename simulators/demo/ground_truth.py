"""The ground truth of the simulated devices: what befell each of them, and when, written by themselves as they do it.

One JSON line an entry, appended and flushed before the next thing happens. It is the demo's ground truth: whatever the
hub holds is compared with it.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

STARTED: Final = -1
STRANGER: Final = "stranger"


class Entry(Struct, frozen=True, kw_only=True):
    """A step of the scenario, done; or, with `step` -1, a device that came up.

    With `what` "stranger", `step` counts the events of the stranger's gateway instead.
    """

    at: datetime
    device: str
    step: int
    what: str


_entry = msgspec.json.Decoder(Entry)


class TruthWriter:
    """Appends entries."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def write(self, entry: Entry) -> None:
        """Append an entry. It is in the file when this returns."""
        self._file.write(msgspec.json.encode(entry) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TruthReader:
    """Follows a ground truth that another process writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_entries(self) -> Iterator[Entry]:
        """The entries that came since the last call; a half-written line waits for its end."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield _entry.decode(line)
