"""A file that keeps some of the disk free, to be given up when a full disk would stop even deleting."""

import contextlib
import os
from pathlib import Path
from typing import Final

# In WAL mode a DELETE needs room in the log first; this is the log's largest size between two checkpoints.
RESERVE_BYTES: Final = 4 * 1024 * 1024


class Reserve:
    """`size` bytes of the disk beside the outbox."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size

    @property
    def is_held(self) -> bool:
        """Whether there is something to give up."""
        return self._path.exists()

    def free_bytes(self) -> int:
        """What the file system has left for us."""
        found = os.statvfs(self._path.parent)
        return found.f_bavail * found.f_frsize

    def is_disk_full(self) -> bool:
        """Whether the disk, rather than our own limit, is what an insert ran into."""
        return self.free_bytes() < self._size // 4

    def take(self) -> bool:
        """Set the room aside, unless that would fill the disk. Returns whether it is held."""
        if self.is_held:
            return True
        if self.free_bytes() < 2 * self._size:
            return False
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.give()
            return False
        return True

    def give(self) -> bool:
        """Give the room up. Returns whether there was any."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
            return True
        return False
