"""Finds the events of a stretch of time without an index on time: their numbers rise with the time of storing."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, func, select

from hub.store.tables.ingest import EventRow

_SLACK: Final = timedelta(hours=1)
"""Workers that store side by side may number two batches the other way round."""


def event_range(session: Session, start: datetime, end: datetime) -> tuple[int | None, int]:
    """The lowest and highest number among which everything received in [start, end) is; (None, 0) for no event."""
    lowest, highest = session.exec(select(func.min(EventRow.id), func.max(EventRow.id))).one()
    if lowest is None or highest is None:
        return None, 0
    return _first_since(session, start - _SLACK, lowest, highest), _first_since(session, end + _SLACK, lowest, highest)


def _first_since(session: Session, at: datetime, low: int, high: int) -> int:
    """The first number that was received at `at` or later, or the highest."""
    while low < high:
        middle = (low + high) // 2
        query = select(EventRow.id, EventRow.received_at).where(col(EventRow.id) >= middle).order_by(col(EventRow.id))
        found = session.exec(query.limit(1)).one()
        if found[1] >= at:
            high = middle
        else:
            low = (found[0] or middle) + 1
    return low
