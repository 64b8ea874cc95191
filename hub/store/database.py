"""The one door to the database: read sessions, and write transactions that follow one another.

SQLite: WAL, `synchronous=FULL`, and a single writing connection for the whole process, which also does every
checkpoint; readers are `query_only` and never checkpoint. Between processes (a command beside a running hub) whoever
writes holds a lock on a file beside the database from before its transaction until after it, checkpoint and all. That
keeps clear of the WAL-reset corruption of SQLite 3.7.0 to 3.51.2, which needs two connections that write or checkpoint
at the same instant.
PostgreSQL: psycopg 3, ordinary pools.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

from hub.errors import ConfigError


def database_url(data_dir: Path, url: str | None) -> str:
    """The SQLAlchemy URL for `--database`, or for SQLite in `data_dir` when none is given. Raises ConfigError."""
    if url is None:
        return f"sqlite+pysqlite:///{(data_dir / 'hub.db').resolve()}"
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(f"--database {url!r}: not a URL; write postgresql://user@host:5432/name") from error
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    elif parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        parsed = parsed.set(drivername="sqlite+pysqlite")
    if parsed.drivername not in {"postgresql+psycopg", "sqlite+pysqlite"}:
        raise ConfigError(f"--database: {parsed.drivername!r} is not known; use postgresql:// or sqlite:///")
    return parsed.render_as_string(hide_password=False)


# A server that vanished without a word is noticed within half a minute, so that ingest and requests do not hang.
_POSTGRES_PATIENCE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}


class Database:
    """Engines for reading and for writing. Close it when done."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._gate: TextIOWrapper | None = None
        if self.is_sqlite:
            arguments = {"check_same_thread": False, "timeout": 30}
            self.writer: Engine = create_engine(
                url, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=60, connect_args=arguments
            )
            self.reader: Engine = create_engine(url, poolclass=QueuePool, pool_size=8, connect_args=arguments)
            self._gate = _gate_of(url)
            _prepare_sqlite(self.writer, is_writer=True, gate=self._gate)
            _prepare_sqlite(self.reader, is_writer=False, gate=None)
        else:
            self.writer = create_engine(
                url, pool_size=8, max_overflow=8, pool_pre_ping=True, connect_args=_POSTGRES_PATIENCE
            )
            self.reader = self.writer

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that must not write."""
        with Session(self.reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises. SQLite: one at a time."""
        with Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give every connection back."""
        self.reader.dispose()
        self.writer.dispose()
        if self._gate is not None:
            self._gate.close()
            self._gate = None


def _gate_of(url: str) -> TextIOWrapper | None:
    """The file that is locked by whichever process writes; None for a database in memory, which nobody shares."""
    path = make_url(url).database
    return Path(f"{path}-writing").open("w", encoding="ascii") if path else None


@contextmanager
def _holding(gate: TextIOWrapper | None) -> Iterator[None]:
    if gate is None:
        yield
        return
    fcntl.flock(gate, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(gate, fcntl.LOCK_UN)


def _prepare_sqlite(engine: Engine, *, is_writer: bool, gate: TextIOWrapper | None) -> None:
    if gate is not None:
        # The pool holds one connection: between these two calls this process is the only one that writes. The
        # connection comes back after its transaction has ended, whichever way.
        @event.listens_for(engine, "checkout")
        def on_checkout(*_: Any) -> None:
            fcntl.flock(gate, fcntl.LOCK_EX)

        @event.listens_for(engine, "checkin")
        def on_checkin(*_: Any) -> None:
            fcntl.flock(gate, fcntl.LOCK_UN)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself; `on_begin` does, so that a writer locks at its first word.
        connection.isolation_level = None
        cursor = connection.cursor()
        if is_writer:
            with _holding(gate):
                cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            # What was erased must not lie on in the file's free pages.
            cursor.execute("PRAGMA secure_delete=ON")
        else:
            cursor.execute("PRAGMA query_only=ON")
            cursor.execute("PRAGMA wal_autocheckpoint=0")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16384")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
