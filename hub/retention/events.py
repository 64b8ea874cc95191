"""Events whose time is over: deleted, freed of the credential, or merged into coarser counts.

A merged count is still an event of the contract (`people.crossing` with its `window_s`), so that everything that reads
events, a replay too, goes on working; only its time is coarse.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, and_, delete, or_, update
from sqlmodel import Session, col, select

from hub.domain.local_time import local_day, start_of
from hub.retention.schedule import Period, Schedule
from hub.store.tables.alerts import AlertEvidence, AlertRow
from hub.store.tables.ingest import EventRow, UnfoldedEvent
from wire.errors import ContractError
from wire.events import Credential, LockAccess, PeopleCrossing, PeoplePresent
from wire.messages import decode_event, encode_event

QUARTER: Final = timedelta(minutes=15)
DAY: Final = timedelta(days=1)

_LIFE: Final = ("smoke.state", "fire.component", "help.call", "local.action")
_DOORS: Final = ("lock.access", "lock.state", "lock.alarm", "door.state")
_COUNTS: Final = ("people.crossing", "people.present")
_NOT_TELEMETRY: Final = (*_LIFE, *_DOORS, *_COUNTS)


@dataclass(slots=True)
class Taken:
    """How many events one pass changed, by what became of them."""

    deleted: int = 0
    unnamed: int = 0
    merged: int = 0


def is_over(schedule: Schedule, now: datetime) -> ColumnElement[bool]:
    """The events that are to go whole."""

    def older(period: Period, kinds: Sequence[str]) -> ColumnElement[bool]:
        return and_(col(EventRow.kind).in_(kinds), col(EventRow.received_at) < schedule.cutoff(period, now))

    return or_(
        older(Period.LIFE_EVENTS, _LIFE),
        older(Period.DOORS, _DOORS),
        older(Period.COUNTS_DAILY, _COUNTS),
        and_(
            col(EventRow.kind).not_in(_NOT_TELEMETRY),
            col(EventRow.received_at) < schedule.cutoff(Period.TELEMETRY, now),
        ),
    )


def names_a_credential(schedule: Schedule, now: datetime) -> ColumnElement[bool]:
    """Openings that still say by which credential, and may no longer."""
    body = col(EventRow.body)
    return and_(
        col(EventRow.kind) == "lock.access",
        col(EventRow.received_at) < schedule.cutoff(Period.DOORS_NAMED, now),
        or_(body.contains('"ref"'), body.contains('"slot"')),
    )


def is_too_fine(schedule: Schedule, now: datetime, window: timedelta) -> ColumnElement[bool]:
    """Counts that are finer than `window` (QUARTER or DAY) and may no longer be."""
    period = Period.COUNTS_FINE if window == QUARTER else Period.COUNTS_QUARTER
    coarse = [f'"window_s":{each.total_seconds():.1f}' for each in {window, DAY}]
    return and_(
        col(EventRow.kind).in_(_COUNTS),
        col(EventRow.received_at) < schedule.cutoff(period, now),
        *(~col(EventRow.body).contains(words) for words in coarse),
    )


def find(session: Session, what: ColumnElement[bool], held: Collection[str], after: int, limit: int) -> list[EventRow]:
    """At most `limit` events with ids above `after`; never of a unit that is held, nor evidence of an open alert."""
    evidence = (
        select(AlertEvidence.event_id)
        .join(AlertRow, col(AlertRow.id) == col(AlertEvidence.alert_id))
        .where(col(AlertEvidence.event_id).is_not(None), col(AlertRow.resolved_at).is_(None))
    )
    query = select(EventRow).where(what, col(EventRow.id) > after, col(EventRow.id).not_in(evidence))
    if held:
        query = query.where(or_(col(EventRow.unit).is_(None), col(EventRow.unit).not_in(list(held))))
    return list(session.exec(query.order_by(col(EventRow.id)).limit(limit)).all())


def delete_events(session: Session, ids: Sequence[int]) -> None:
    """Take them out. Their numbers stay accounted in the stream, so that none is taken for a hole or stored again."""
    connection = session.connection()
    connection.execute(delete(UnfoldedEvent).where(col(UnfoldedEvent.event_id).in_(ids)))
    connection.execute(delete(EventRow).where(col(EventRow.id).in_(ids)))


def unname(session: Session, rows: Sequence[EventRow]) -> None:
    """Leave of each opening that it was one, by what kind of credential and with what result."""
    for row in rows:
        body = without_credential(row.body)
        session.connection().execute(update(EventRow).where(col(EventRow.id) == row.id).values(body=body))


def without_credential(body: str) -> str:
    """The event's JSON without `ref` and `slot` of its credential."""
    try:
        event = decode_event(body.encode())
    except ContractError:
        event = None
    if not isinstance(event, LockAccess) or event.data.credential is None:
        # Stored by a release that read it otherwise: nothing of what it names may stay.
        plain = msgspec.json.decode(body)
        plain["data"] = {"result": str(plain.get("data", {}).get("result", "denied"))}
        return msgspec.json.encode(plain).decode()
    data = msgspec.structs.replace(event.data, credential=Credential(type=event.data.credential.type))
    return encode_event(msgspec.structs.replace(event, data=data)).decode()


def merge(session: Session, rows: Sequence[EventRow], window: timedelta) -> int:
    """One event for each counter, direction and window in place of many; the first keeps its number. Rows less."""
    groups: dict[tuple[object, ...], list[tuple[EventRow, PeopleCrossing | PeoplePresent]]] = {}
    unread: list[int] = []
    for row in rows:
        try:
            event = decode_event(row.body.encode())
        except ContractError:
            event = None
        if isinstance(event, PeopleCrossing):
            way: tuple[str, ...] = (event.data.line, event.data.direction)
        elif isinstance(event, PeoplePresent):
            way = ()
        else:
            unread.append(row.id or 0)
            continue
        key = (row.stream_id, row.device, row.unit, row.kind, *way, bucket_of(row.observed_at, window))
        groups.setdefault(key, []).append((row, event))
    gone = list(unread)
    connection = session.connection()
    for group in groups.values():
        first = group[0][0]
        begin = bucket_of(first.observed_at, window)
        body = encode_event(merged([event for _, event in group], begin, window)).decode()
        # When it was sent and received would tell the minute again.
        values = {"observed_at": begin, "sent_at": begin + window, "received_at": begin + window, "body": body}
        connection.execute(update(EventRow).where(col(EventRow.id) == first.id).values(**values))
        gone += [row.id or 0 for row, _ in group[1:]]
    delete_events(session, gone)
    return len(gone)


def merged(
    events: Sequence[PeopleCrossing | PeoplePresent], begin: datetime, window: timedelta
) -> PeopleCrossing | PeoplePresent:
    """One count for all: crossings add up, of people present the most is kept; the least confidence holds."""
    first = events[0]
    confidence = min(event.data.confidence for event in events)
    counts = [event.data.count for event in events]
    count = min(sum(counts), 100_000) if isinstance(first, PeopleCrossing) else max(counts)
    data = msgspec.structs.replace(
        first.data, count=count, confidence=confidence, window_s=float(window.total_seconds())
    )
    return msgspec.structs.replace(first, observed_at=begin, data=data)


def bucket_of(at: datetime, window: timedelta) -> datetime:
    """The start of the quarter of an hour, or of the local day, that holds `at`."""
    if window == DAY:
        return start_of(local_day(at))
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
