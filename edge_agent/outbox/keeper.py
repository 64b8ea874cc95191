"""Keeps a store usable: makes room when it is full, salvages it when it is damaged, opens it again after I/O errors."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import apsw

from edge_agent.errors import OutboxError
from edge_agent.outbox.reserve import Reserve
from edge_agent.outbox.rows import LANES, LaneStatus, OutboxStatus
from edge_agent.outbox.salvage import salvage
from edge_agent.outbox.store import DamagedError, Store, StoreOptions
from wire.events import Lane

T = TypeVar("T")

_REOPEN_AFTER_S: Final = 1.0
_MAX_TRIES: Final = 64
_MIN_DROP: Final = 64


class Keeper:
    """The one door to the store. Every error that comes out is an OutboxError for a person."""

    def __init__(self, path: Path, options: StoreOptions, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._options = options
        self._monotonic = monotonic
        self._store: Store | None = None
        self._reserve = Reserve(path.with_suffix(".reserve"))
        self._failed_at_s = float("-inf")
        self._disk = "ok"
        self._salvaged = 0
        self._moved_aside: str | None = None
        self._status = OutboxStatus(lanes={lane: LaneStatus() for lane in LANES})
        self.generation = 0
        """Goes up when rows that were there before have changed, so that copies of them are stale."""

    def attempt(self, action: Callable[[Store], T]) -> T:
        """The result of `action`, with room made and damage mended as needed. Raises OutboxError."""
        is_mended = False
        for _ in range(_MAX_TRIES):
            try:
                result = action(self._opened())
            except (DamagedError, apsw.CorruptError, apsw.NotADBError) as error:
                if is_mended:
                    raise self._give_up(f"damaged again right after it was salvaged: {error}") from error
                is_mended = True
                self._mend(str(error))
            except apsw.FullError as error:
                if not self._make_room():
                    raise OutboxError(f"outbox {self._path}: full of events that must not be dropped") from error
            except apsw.Error as error:
                raise self._give_up(f"{error}; check the disk and the folder's rights") from error
            else:
                if self._disk == "failing":
                    self._disk = "ok"
                return result
        raise OutboxError(f"outbox {self._path}: no room after dropping {_MAX_TRIES} times")

    def status(self) -> OutboxStatus:
        """How the outbox is; as it was last seen while the disk fails."""
        if self._store is not None:
            # The next attempt meets the same error and deals with it.
            with contextlib.suppress(apsw.Error):
                self._status = OutboxStatus(
                    lanes={lane: self._store.lane_status(lane) for lane in LANES},
                    dead_letters=self._store.dead_letters,
                    dead_letters_forgotten=self._store.dead_letters_forgotten,
                )
        return replace(self._status, disk=self._disk, salvaged=self._salvaged, moved_aside=self._moved_aside)

    def tend(self) -> None:
        """Take the reserve again when the disk has room; called now and then."""
        if self._reserve.take() and self._disk in {"full", "quota"}:
            self._disk = "ok"

    def close(self) -> None:
        """Close the file; what cannot be folded into it stays in its log."""
        if self._store is not None:
            try:
                self._store.close()
            except apsw.Error:
                self._store.abandon()
            self._store = None

    def _opened(self) -> Store:
        if self._store is not None:
            return self._store
        waited_s = self._monotonic() - self._failed_at_s
        if 0 <= waited_s < _REOPEN_AFTER_S:
            raise OutboxError(f"outbox {self._path}: the disk is failing; tried again in a second")
        try:
            self._store = Store(self._path, self._options)
        except (apsw.IOError, apsw.CantOpenError, apsw.FullError):
            # A full disk cannot hold even the shared-memory file that WAL needs.
            if not self._reserve.give():
                raise
            self._disk = "full"
            self._store = Store(self._path, self._options)
        if self._disk != "full":
            self._reserve.take()
        self.generation += 1
        return self._store

    def _give_up(self, why: str) -> OutboxError:
        """Let go of the connection; the next attempt opens the file again, which replays its log."""
        self._disk = "failing"
        self._failed_at_s = self._monotonic()
        if self._store is not None:
            self._store.abandon()
            self._store = None
        return OutboxError(f"outbox {self._path}: {why}")

    def _mend(self, what: str) -> None:
        if self._store is not None:
            self._store.abandon()
            self._store = None
        try:
            self._store, found = salvage(self._path, self._options, what)
        except (OSError, apsw.Error, DamagedError) as error:
            raise self._give_up(f"damaged ({what}) and cannot be salvaged: {error}") from error
        self._salvaged += found.events
        self._moved_aside = str(found.moved_to)
        self.generation += 1

    def _make_room(self) -> bool:
        """One step of the drop policy: the oldest eighth of the telemetry, else the reserve. False: nothing is left.

        Life-safety and access events are never dropped; what remains for them is to be refused, aloud.
        """
        store = self._opened()
        is_disk_full = self._reserve.is_disk_full()
        self._disk = "full" if is_disk_full else "quota"
        state = store.lanes[Lane.ROUTINE]
        depth = state.last_seq - state.floor_seq
        try:
            if depth and store.drop_oldest(Lane.ROUTINE, max(_MIN_DROP, depth // 8)):
                return True
        except apsw.FullError:
            pass
        if is_disk_full and self._reserve.give():
            store.checkpoint()
            return True
        return False
