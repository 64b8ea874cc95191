"""Writers that must not overlap take turns: those that number events, fold them, or let time pass over alerts.

SQLite has one writer anyway. PostgreSQL has many: without turns a reader that follows `event.id` could see a higher
number before a lower one, and two workers could fold events of one unit at once.
"""

from typing import Final

from sqlalchemy import text
from sqlmodel import Session

_TURN: Final = 0x666F6C64


def acquire_write_lock(session: Session) -> None:
    """Wait until no other transaction holds the turn, and hold it until this one ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TURN})
