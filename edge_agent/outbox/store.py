"""The outbox file: one SQLite connection, every change a transaction that is on disk when the call returns.

Not safe for threads: whoever makes it keeps it on one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw

from edge_agent.errors import ConfigError
from edge_agent.outbox.raw import is_log_damaged
from edge_agent.outbox.rows import (
    APPLICATION_ID,
    LANES,
    PAGE_SIZE,
    SCHEMA,
    SCHEMA_VERSION,
    TABLES,
    DeadLetter,
    LaneState,
    LaneStatus,
    Row,
    row_crc,
)
from edge_agent.ports import Place

MAX_DEAD_LETTERS: Final = 1000
_CHECKPOINT_PAGES: Final = 1000
# Rows per INSERT: SQLite gives the interpreter back after every step of a statement, and taking it again can cost
# 5 ms each time that another thread is busy. Few long statements instead of many short ones.
_CHUNKS: Final = (64, 8, 1)


class DamagedError(Exception):
    """The file is not what was written: salvage it. The text says what was found."""


class Addition(NamedTuple):
    """An event to be numbered and stored."""

    lane: int
    stored_ms: int
    body: bytes


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a file is opened. `synchronous` and `vfs` differ from their defaults only in tests that prove them needed."""

    max_bytes: int
    new_epoch: Callable[[], str]
    tombstone: Callable[[int, str, str], bytes]
    """(seq, rule, reason) -> the body that stands in for an event that cannot be sent, so that no number is missing."""
    now_ms: Callable[[], int]
    synchronous: str = "FULL"
    vfs: str | None = None


class Store:
    """An open outbox file. Methods raise apsw.Error as SQLite does, and DamagedError; `writer` decides what follows."""

    def __init__(self, path: Path, options: StoreOptions) -> None:
        """Open or create. Raises ConfigError when the file is another program's, DamagedError when it is broken."""
        self._path = path
        self._options = options
        if _size(path) == 0 and _size(_log_of(path)) > 0:
            raise DamagedError("it is empty, but its log is not")  # SQLite would throw the log away
        self._db = apsw.Connection(str(path), vfs=options.vfs)
        self.lanes: dict[int, LaneState] = {}
        self.dead_letters = 0
        self.dead_letters_forgotten = 0
        try:
            self._prepare()
        except BaseException:
            self.abandon()
            raise

    def _prepare(self) -> None:
        db = self._db
        db.set_busy_timeout(2000)
        try:
            fresh = db.pragma("schema_version") == 0
            self._check_log()  # before anything is written behind its end
            if fresh:
                db.pragma("page_size", PAGE_SIZE)
                db.pragma("application_id", APPLICATION_ID)
            elif db.pragma("application_id") != APPLICATION_ID:
                raise DamagedError("its header is not an outbox's")
            version = db.pragma("user_version")
            if version > SCHEMA_VERSION:
                raise ConfigError(f"{self._path}: made by a newer release (schema {version}); install that one again")
            pages = max(self._options.max_bytes // PAGE_SIZE, 64)
            db.pragma("journal_mode", "wal")
            db.pragma("synchronous", self._options.synchronous)
            db.pragma("cache_size", -1024)
            db.pragma("wal_autocheckpoint", min(_CHECKPOINT_PAGES, pages))
            db.pragma("max_page_count", pages)
            if not fresh and (found := db.pragma("quick_check")) != "ok":
                raise DamagedError(f"quick_check: {found}")
            with self._transaction():
                if version < SCHEMA_VERSION:
                    db.execute(SCHEMA)
                    db.pragma("user_version", SCHEMA_VERSION)
                self._load_lanes(may_create=fresh)
        except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError) as error:
            raise DamagedError(str(error)) from error

    def _load_lanes(self, *, may_create: bool) -> None:
        columns = "lane, epoch, last_seq, floor_seq, dropped, refused, damaged, crc"
        for *fields, crc in self._db.execute(f"SELECT {columns} FROM lane"):  # noqa: S608  # our own constant
            state = LaneState(*fields)
            if state.crc != crc:
                raise DamagedError(f"the checksum of lane {state.lane} is wrong")
            self.lanes[state.lane] = state
        for lane in LANES:
            if lane not in self.lanes:
                if not may_create:
                    raise DamagedError(f"lane {lane} is missing")
                self.lanes[lane] = LaneState(lane, self._options.new_epoch())
                self._save(self.lanes[lane])
            self._check_edges(self.lanes[lane])
        self.dead_letters = self._db.execute("SELECT count(*) FROM dead_letter").get

    def _check_log(self) -> None:
        log = _log_of(self._path)
        if log.exists() and is_log_damaged(log.read_bytes(), max(0, self.checkpoint())):
            raise DamagedError("its log is damaged before its end")

    def _check_edges(self, state: LaneState) -> None:
        low, high, count = self._db.execute(
            f"SELECT min(seq), max(seq), count(*) FROM {TABLES[state.lane]}"  # noqa: S608  # our own constant
        ).get
        expected = state.last_seq - state.floor_seq
        if count != expected or (count and (low, high) != (state.floor_seq + 1, state.last_seq)):
            raise DamagedError(f"lane {state.lane} holds {count} events of {expected}")

    class _Transaction:
        """BEGIN IMMEDIATE … COMMIT; rolled back, with the lanes' numbers, when anything fails."""

        def __init__(self, store: "Store") -> None:
            self._store = store

        def __enter__(self) -> None:
            store = self._store
            store._db.execute("BEGIN IMMEDIATE")
            self._before = {lane: _copy(state) for lane, state in store.lanes.items()}
            self._counts = store.dead_letters, store.dead_letters_forgotten

        def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
            store = self._store
            if kind is None:
                try:
                    store._db.execute("COMMIT")
                except apsw.Error:
                    self._undo()
                    raise
            else:
                self._undo()

        def _undo(self) -> None:
            store = self._store
            store.lanes = self._before
            store.dead_letters, store.dead_letters_forgotten = self._counts
            # SQLite rolls a transaction back by itself after some errors (FULL, IOERR, NOMEM).
            if store._db.in_transaction:
                store._db.execute("ROLLBACK")

    def _transaction(self) -> "_Transaction":
        return self._Transaction(self)

    def look_up(self, query: str, bindings: tuple[object, ...]) -> tuple[Any, ...] | None:
        """The first row of a query on one of the small tables."""
        row: tuple[Any, ...] | None = self._db.execute(query, bindings).fetchone()
        return row

    def change(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Change one of the small tables, in one transaction."""
        with self._transaction():
            for statement, bindings in statements:
                self._db.execute(statement, bindings)

    def _save(self, state: LaneState) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO lane VALUES(?,?,?,?,?,?,?,?)",
            (
                state.lane,
                state.epoch,
                state.last_seq,
                state.floor_seq,
                state.dropped,
                state.refused,
                state.damaged,
                state.crc,
            ),
        )

    def commit(
        self,
        additions: Sequence[Addition],
        floors: Mapping[tuple[int, str], int] | None = None,
        refused: Mapping[int, int] | None = None,
    ) -> list[Place]:
        """Number and store `additions`, delete events up to the `floors`, count what was refused: all or none.

        A floor stands under its lane and epoch; one of an earlier epoch is about rows that are gone and is passed over.
        Returns one place for each addition when they are on disk.
        """
        with self._transaction():
            touched: set[int] = set()
            for (lane, epoch), seq in (floors or {}).items():
                state = self.lanes[lane]
                if state.epoch == epoch and state.floor_seq < seq <= state.last_seq:
                    self._delete_to(state, seq)
                    touched.add(lane)
            for lane, count in (refused or {}).items():
                self.lanes[lane].refused += count
                touched.add(lane)
            places: list[Place] = []
            rows: dict[int, list[object]] = {lane: [] for lane in LANES}
            for lane, stored_ms, body in additions:
                state = self.lanes[lane]
                state.last_seq += 1
                rows[lane] += (state.last_seq, stored_ms, body, row_crc(lane, state.last_seq, stored_ms, body))
                places.append(Place(state.epoch, state.last_seq))
                touched.add(lane)
            for lane, bindings in rows.items():
                for sql, part in _inserts(TABLES[lane], bindings):
                    self._db.execute(sql, part)
            for lane in touched:
                self._save(self.lanes[lane])
        return places

    def _delete_to(self, state: LaneState, seq: int) -> None:
        self._db.execute(f"DELETE FROM {TABLES[state.lane]} WHERE seq <= ?", (seq,))  # noqa: S608  # our own constant
        state.floor_seq = seq

    def drop_oldest(self, lane: int, count: int) -> int:
        """Give up the lane's oldest `count` events, counted and in one transaction. Returns how many there were."""
        state = self.lanes[lane]
        count = min(count, state.last_seq - state.floor_seq)
        if count:
            with self._transaction():
                state = self.lanes[lane]
                self._delete_to(state, state.floor_seq + count)
                state.dropped += count
                self._save(state)
        return count

    def read(self, lane: int, after_seq: int, max_events: int, max_bytes: int) -> list[Row]:
        """The events after `after_seq` in order, at least one if there is one, up to the limits; no number is missing.

        A row whose checksum is wrong is set aside first and comes as its tombstone.
        """
        after_seq = max(after_seq, self.lanes[lane].floor_seq)
        rows: list[Row] = []
        size = 0
        bad: list[tuple[int, bytes]] = []
        query = f"SELECT seq, stored_ms, body, crc FROM {TABLES[lane]} WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        for seq, stored_ms, body, crc in self._db.execute(query, (after_seq, max_events)):
            if crc != row_crc(lane, seq, stored_ms, body):
                bad.append((seq, body))
            elif rows and size + len(body) > max_bytes:
                break
            size += len(body)
            rows.append(Row(seq, stored_ms, body))
        if bad:
            for seq, body in bad:
                self.set_aside(lane, seq, "row_damaged", "the checksum of its row is wrong", body=body)
            return self.read(lane, after_seq, max_events, max_bytes)
        expected = range(after_seq + 1, after_seq + 1 + len(rows))
        if [row.seq for row in rows] != list(expected):
            raise DamagedError(f"lane {lane} has a hole after {after_seq}")
        return rows

    def set_aside(self, lane: int, seq: int, rule: str, reason: str, *, body: bytes | None = None) -> bool:
        """Keep event `seq` as a dead letter and put a tombstone in its place, so that the lane has no hole.

        `rule` is `row_damaged` or `hub_rejected`. Returns False when the event is no longer there.
        """
        table = TABLES[lane]
        found = self._db.execute(f"SELECT body FROM {table} WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
        if found is None:
            return False
        now_ms = self._options.now_ms()
        with self._transaction():
            state = self.lanes[lane]
            letter = DeadLetter(lane, state.epoch, seq, now_ms, reason, body if body is not None else found[0])
            self._keep_dead(letter)
            stone = self._options.tombstone(seq, rule, reason)
            self._db.execute(
                f"UPDATE {table} SET stored_ms = ?, body = ?, crc = ? WHERE seq = ?",  # noqa: S608
                (now_ms, stone, row_crc(lane, seq, now_ms, stone), seq),
            )
            if rule == "row_damaged":
                state.damaged += 1
                self._save(state)
        return True

    def _keep_dead(self, letter: DeadLetter) -> None:
        self._db.execute(
            "INSERT INTO dead_letter(lane, epoch, seq, set_aside_ms, reason, body) VALUES(?,?,?,?,?,?)", letter
        )
        self.dead_letters += 1
        if self.dead_letters > MAX_DEAD_LETTERS:
            self._db.execute("DELETE FROM dead_letter WHERE id = (SELECT min(id) FROM dead_letter)")
            self.dead_letters -= 1
            self.dead_letters_forgotten += 1

    def read_dead_letters(self, limit: int) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        query = "SELECT lane, epoch, seq, set_aside_ms, reason, body FROM dead_letter ORDER BY id DESC LIMIT ?"
        return [DeadLetter(*row) for row in self._db.execute(query, (limit,))]

    def renumber(self, lane: int, epoch: str) -> None:
        """Give up the epoch of a lane, if it still is `epoch`: the hub knows more of it than this file does.

        Raises DamagedError, so that everything readable goes to a new file under new epochs: a file that was put back
        to an older state would use numbers a second time, and the hub would take the new events for old ones.
        """
        if self.lanes[lane].epoch == epoch:
            raise DamagedError(f"the hub has more of lane {lane} than this file: it was put back to an older state")

    def take_over(self, lane: int, *, dropped: int, refused: int, damaged: int) -> None:
        """Go on with the counts of a file that this one replaces."""
        with self._transaction():
            state = self.lanes[lane]
            state.dropped, state.refused, state.damaged = dropped, refused, damaged
            self._save(state)

    def lane_status(self, lane: int) -> LaneStatus:
        """The lane's numbers, with the age of its oldest event."""
        state = self.lanes[lane]
        oldest = self._db.execute(f"SELECT stored_ms FROM {TABLES[lane]} ORDER BY seq LIMIT 1").fetchone()  # noqa: S608
        return LaneStatus(
            state.epoch,
            state.last_seq,
            state.floor_seq,
            state.dropped,
            state.refused,
            state.damaged,
            oldest[0] if oldest else None,
        )

    def checkpoint(self) -> int:
        """Move the log into the file. Returns how many valid frames the log had."""
        frames, _ = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return frames

    def close(self) -> None:
        """Close; SQLite folds the log into the file."""
        self._db.close()

    def abandon(self) -> None:
        """Close and leave log and file exactly as they are, for salvage or for another try."""
        self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self._db.close(force=True)


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _copy(state: LaneState) -> LaneState:
    return LaneState(
        state.lane, state.epoch, state.last_seq, state.floor_seq, state.dropped, state.refused, state.damaged
    )


def _inserts(table: str, bindings: list[object]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """INSERT statements of a few fixed lengths (so that SQLite keeps them prepared), with four bindings a row."""
    at = 0
    for chunk in _CHUNKS:
        values = ",".join(["(?,?,?,?)"] * chunk)
        sql = f"INSERT INTO {table} VALUES{values}"
        while len(bindings) - at >= 4 * chunk:
            yield sql, tuple(bindings[at : at + 4 * chunk])
            at += 4 * chunk
