"""Writes what open pages must hear of, in the transaction that caused it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from hub.domain.stored_event import Change
from hub.store.tables.changes import ChangeRow

# Pages follow `change.id`; on PostgreSQL a lower number must never be committed after a higher one was read.
_ORDER_LOCK = 0x63686E67


def record_changes(session: Session, changes: Iterable[Change], now: datetime) -> None:
    """Add a row for each change. The caller commits, then wakes the feed."""
    rows = [ChangeRow(at=now, kind=change.kind, subject=change.subject, what=change.what) for change in changes]
    if rows and session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ORDER_LOCK})
    session.add_all(rows)
