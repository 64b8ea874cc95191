"""The hot insert: rows of `event` by the driver, because an ORM costs ten times as much.

Only events that the locked stream row does not account for come here, so that no conflict is expected: the unique key
is what would show a fault of ours, loudly.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import psycopg
from sqlmodel import Session

from hub.errors import HubError

EventValues: TypeAlias = tuple[int, int, int, int, int, str, str, str, str | None, str]
"""stream_id, seq, observed_at, sent_at, received_at (milliseconds), clock, kind, device, unit, body."""

_COLUMNS: Final = "id, stream_id, seq, observed_at, sent_at, received_at, clock, kind, device, unit, body"
_PG_TYPES: Final = ["int8"] * 6 + ["text"] * 5
_SQLITE_INSERT: Final = f"INSERT INTO event ({_COLUMNS}) VALUES ({', '.join('?' * 11)})"  # noqa: S608 - our own names
_PG_UNNEST: Final = (
    f"INSERT INTO event ({_COLUMNS}) "  # noqa: S608 - our own names
    f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in _PG_TYPES)})"
)
COPY_FROM: Final = 200
"""From so many rows PostgreSQL's COPY is faster than one INSERT of arrays."""


def insert_events(session: Session, rows: Sequence[EventValues]) -> int:
    """Insert `rows`; the first one's id. Ids rise by one in their order. The caller holds the turn."""
    driver: Any = session.connection().connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        return _insert_postgres(driver, rows)
    return _insert_sqlite(driver, rows)


def _insert_sqlite(driver: Any, rows: Sequence[EventValues]) -> int:
    # Purging keeps the newest row, so that no number is given twice.
    first_id: int = driver.execute("SELECT coalesce(max(id), 0) + 1 FROM event").fetchone()[0]
    driver.executemany(_SQLITE_INSERT, [(number, *row) for number, row in enumerate(rows, first_id)])
    return first_id


def _insert_postgres(driver: psycopg.Connection[Any], rows: Sequence[EventValues]) -> int:
    with driver.cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT setval('event_id_seq', nextval('event_id_seq') + %s) - %s", (len(rows) - 1, len(rows) - 1)
        )
        found = cursor.fetchone()
        if found is None:
            raise HubError("event_id_seq: PostgreSQL gave no number; run `anfang-hub migrate`")
        first_id = int(found[0])
        if len(rows) < COPY_FROM:
            ids = list(range(first_id, first_id + len(rows)))
            cursor.execute(_PG_UNNEST, [ids, *(list(column) for column in zip(*rows, strict=True))])
        else:
            with cursor.copy(f"COPY event ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(_PG_TYPES)
                for number, row in enumerate(rows, first_id):
                    copy.write_row((number, *row))
        return first_id
