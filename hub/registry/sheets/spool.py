"""Versions that wait to be written: on the disk, so that a whole estate does not stand in memory, then in one go."""

import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import insert, inspect, update
from sqlmodel import Session, col

from hub.domain.stored_event import Change
from hub.registry.changeset import Step, revise, touched_units
from hub.store.tables.registry import Versioned


@dataclass(slots=True)
class _Piece:
    """What one call of `add` brought: rows by table, and the versions that end (code, known_from)."""

    begun: dict[str, list[dict[str, Any]]]
    ended: dict[str, list[tuple[str, datetime]]]


_TABLES = {table.__tablename__: table for table in Versioned.__subclasses__()}


class Spool:
    """Takes steps of a plan, then writes them. Holds names sealed only. Close it when done."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="anfang-import-")  # noqa: SIM115 - lives as long as this
        self._units: set[str] | None = set()
        self.rows = 0

    def add(self, steps: Sequence[Step]) -> None:
        """The steps that change something."""
        piece = _Piece(defaultdict(list), defaultdict(list))
        done = [step for step in steps if step.kind != "same"]
        for step in done:
            row = step.wanted.row
            name = str(row.__tablename__)
            piece.begun[name].append({column.key: getattr(row, column.key) for column in inspect(type(row)).columns})
            if step.before is not None:
                piece.ended[name].append((row.code, step.before.known_from))
        touched = touched_units(done)
        self._units = None if self._units is None or touched is None else self._units | set(touched)
        self.rows += len(done)
        pickle.dump(piece, self._file, pickle.HIGHEST_PROTOCOL)

    def write(self, session: Session, now: datetime, by: str) -> list[Change]:
        """All of it, in the caller's transaction. Returns what open pages must hear of."""
        if not self.rows:
            return []
        connection = session.connection()
        for piece in self._pieces():
            for name, ended in piece.ended.items():
                table = _TABLES[name]
                for code, known_from in ended:
                    which = (col(table.code) == code) & (col(table.known_from) == known_from)
                    # Never two versions that claim one instant, also when the clock went back.
                    at = max(now, known_from + timedelta(milliseconds=1))
                    connection.execute(update(table).where(which).values(known_to=at))
        for piece in self._pieces():
            for name, begun in piece.begun.items():
                since = dict(piece.ended.get(name, ()))
                for row in begun:
                    before = since.get(row["code"])
                    at = now if before is None else max(now, before + timedelta(milliseconds=1))
                    row.update(known_from=at, known_to=None, entered_by=by)
                connection.execute(insert(_TABLES[name]), begun)
        return revise(session, self._units, now, by)

    def close(self) -> None:
        """The file goes."""
        self._file.close()

    def _pieces(self) -> Iterator[_Piece]:
        self._file.seek(0)
        while True:
            try:
                piece = pickle.load(self._file)  # noqa: S301 - our own file, which has no name
            except EOFError:
                return
            assert isinstance(piece, _Piece)
            yield piece
