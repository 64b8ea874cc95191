"""Brings a database to the tables of this release: by Alembic, one process at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from hub.errors import ConfigError
from hub.store.database import Database, database_url

_FOLDER: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6D696772


def open_database(data_dir: Path, url: str | None) -> Database:
    """The hub's database, with this release's tables in it. The caller closes it.

    SQLite, and an empty PostgreSQL, are brought up to date at once; a PostgreSQL that holds something waits for
    `anfang-hub migrate`, because other hubs may be at work on it. Raises ConfigError: unreachable, behind, or newer.
    """
    database = _connect(data_dir, url)
    try:
        with _alone(database) as connection:
            found = _found_revision(connection)
            if found != _head():
                _refuse_newer(found)
                if not database.is_sqlite and inspect(connection).get_table_names():
                    raise ConfigError(
                        f"{shown(database)}: its tables are of an older release; stop all hubs, "
                        "make a backup and run `anfang-hub migrate`"
                    )
                _upgrade(connection)
    except BaseException:
        database.close()
        raise
    return database


def migrate(data_dir: Path, url: str | None) -> tuple[str | None, str]:
    """Bring the database up to date whatever it holds; the revision before and after. Raises ConfigError."""
    database = _connect(data_dir, url)
    try:
        with _alone(database) as connection:
            found = _found_revision(connection)
            _refuse_newer(found)
            _upgrade(connection)
            return found, _head()
    finally:
        database.close()


def shown(database: Database) -> str:
    """The database's address for a person: without the password."""
    return make_url(database.url).render_as_string(hide_password=True)


def _connect(data_dir: Path, url: str | None) -> Database:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        database = Database(database_url(data_dir, url))
    except OSError as error:
        raise ConfigError(f"--data-dir {data_dir}: {error.strerror}; give a folder that can be written") from error
    try:
        database.writer.connect().close()
    except DBAPIError as error:
        database.close()
        why = str(error.orig).strip().splitlines()[0]
        raise ConfigError(f"{shown(database)}: {why}; check the address, and that the server runs") from error
    return database


@contextlib.contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A transaction in which no other process migrates."""
    path = make_url(database.url).database
    with contextlib.ExitStack() as stack:
        if database.is_sqlite and path:
            # Its own lock would do for statements, but a second process must not even begin to look.
            guard = stack.enter_context(Path(f"{path}.migrating").open("w"))
            fcntl.flock(guard, fcntl.LOCK_EX)
        connection = stack.enter_context(database.writer.begin())
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def _head() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _found_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigError(f"the database is of a newer release (revision {found}): install that release or a later one")


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")
