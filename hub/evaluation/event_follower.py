"""Follows the stored events by number, behind the fast path: uses of credentials by day, and belief about people.

How far it has come is a row, moved in the same transaction as what it led to. Events of gateways that nobody has
adopted wait: their first number is kept, and they are followed when the gateway is ours.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy import select as sa_select
from sqlmodel import Session, col, func, select

from hub.domain.device_location import Place
from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import ref_of
from hub.domain.stored_event import StoredEvent
from hub.evaluation.occupancy_tracking import Beliefs
from hub.registry.snapshot import RegistrySnapshot
from hub.store.base import to_ms
from hub.store.tables.alerts import CredentialDay, Progress, UnitDue
from hub.store.tables.ingest import EventRow, Stream
from hub.store.upsert import insert_into, table_of
from wire.events import LockAccess
from wire.messages import decode_event

_KINDS: Final = (
    "lock.access", "people.crossing", "people.present", "camera.state", "device.health", "gateway.health",
)  # fmt: skip
_EVENT = table_of(EventRow)
_CURSOR: Final = "events"
_WAITING: Final = "waiting:"
_WINDOW: Final = 20_000
_AT_ONCE: Final = 2_000
_CHUNK: Final = 500


class _Row(NamedTuple):
    """An event as it is stored."""

    id: int
    stream_id: int
    seq: int
    received_at: datetime
    body: str


@dataclass(slots=True)
class _Use:
    opens: int = 0
    denied: int = 0
    outside_booking: int = 0
    first_event_id: int = 0
    last_event_id: int = 0
    last_at: datetime | None = None


@dataclass(slots=True)
class Followed:
    """What a stretch of events led to. `units`: to be looked at; `changed`: of which something new is stored."""

    events: int = 0
    units: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    is_at_end: bool = True


class Follower:
    """Moves along the events. One call, one transaction of the caller's."""

    def __init__(self, registry: RegistrySnapshot, *, is_alone: bool = False) -> None:
        self._registry = registry
        self._streams: dict[int, tuple[str, str]] = {}
        self._beliefs = Beliefs(registry, is_alone=is_alone)
        self._left_at: tuple[str, int] | None = None

    def write(self, session: Session) -> None:
        """Write what was kept from the database, where this object was alone with it."""
        self._beliefs.write(session)

    def follow(self, session: Session, now: datetime) -> Followed:
        """Take the next stretch."""
        done = Followed()
        cursor = session.get(Progress, _CURSOR)
        if cursor is None:
            cursor = Progress(name=_CURSOR, at=now, cursor="0")
        # Where this object left it: then what it has in memory is what the database holds.
        self._beliefs.begin(session, is_current=(cursor.cursor, to_ms(cursor.at)) == self._left_at)
        self._left_at = None
        after = int(cursor.cursor)
        last = session.exec(select(func.max(EventRow.id))).one() or 0
        upto = min(last, after + _WINDOW)
        if upto > after:
            waiting = self._take(session, self._read(session, after, upto), done)
            self._note_waiting(session, waiting, now)
        self._catch_up(session, upto, done, now)
        nights = self._beliefs.finish(session)
        done.units |= nights
        done.changed |= nights
        if upto > after or done.events:
            # Always another instant, so that a transaction that failed is noticed by the next one.
            cursor.at = max(now, cursor.at + timedelta(milliseconds=1))
            cursor.cursor = str(upto)
            session.add(cursor)
        # To the millisecond, as the column keeps it.
        self._left_at = (cursor.cursor, to_ms(cursor.at))
        done.is_at_end = upto >= last
        mark_due(session, done.units, now)
        return done

    def _catch_up(self, session: Session, upto: int, done: Followed, now: datetime) -> None:
        """Gateways that were adopted since their events came."""
        rows = session.exec(select(Progress).where(col(Progress.name).startswith(_WAITING))).all()
        waiting = {row.name.removeprefix(_WAITING): row for row in rows}
        for gateway in sorted(self._registry.ours(session, waiting)):
            row = waiting[gateway]
            after = int(row.cursor) - 1
            until = min(upto, after + _WINDOW)
            self._take(session, self._read(session, after, until, gateway), done)
            if until >= upto:
                session.delete(row)
            else:
                row.cursor = str(until + 1)
                session.add(row)

    def _note_waiting(self, session: Session, waiting: dict[str, int], now: datetime) -> None:
        for gateway, event_id in waiting.items():
            if session.get(Progress, _WAITING + gateway) is None:
                session.add(Progress(name=_WAITING + gateway, at=now, cursor=str(event_id)))

    def _read(self, session: Session, after: int, upto: int, gateway: str | None = None) -> Iterator[_Row]:
        query = (
            sa_select(_EVENT.c.id, _EVENT.c.stream_id, _EVENT.c.seq, _EVENT.c.received_at, _EVENT.c.body)
            .where(_EVENT.c.id > after, _EVENT.c.id <= upto, _EVENT.c.kind.in_(_KINDS))
            .order_by(_EVENT.c.id)
        )
        if gateway is not None:
            streams = select(Stream.id).where(Stream.gateway_id == gateway)
            query = query.where(_EVENT.c.stream_id.in_(streams))
        for row in session.connection().execute(query):
            yield _Row(*row)

    def _take(self, session: Session, rows: Iterator[_Row], done: Followed) -> dict[str, int]:
        """Follow these events. Returns the gateways that nobody has adopted, each with the first event that waits."""
        uses: dict[tuple[str, str, date], _Use] = defaultdict(_Use)
        waiting: dict[str, int] = {}
        while some := list(islice(rows, _AT_ONCE)):
            for stored, place in self._open(session, some, waiting):
                event = stored.event
                if isinstance(event, LockAccess) and place.unit is not None:
                    unit = self._registry.unit(session, place.unit)
                    if unit is not None and self._use(stored, event, unit, uses):
                        done.units.add(place.unit)
                self._beliefs.take(session, stored, place)
            done.events += len(some)
        _store_uses(session, uses)
        done.changed |= {unit for unit, _, _ in uses}
        return waiting

    def _open(
        self, session: Session, rows: Sequence[_Row], waiting: dict[str, int]
    ) -> Iterator[tuple[StoredEvent, Place]]:
        """Events of our gateways with their places; what the registry has of them is read for all at once."""
        self._know_streams(session, {row.stream_id for row in rows})
        ours = self._registry.ours(session, {self._streams[row.stream_id][0] for row in rows})
        events: list[StoredEvent] = []
        for row in rows:
            gateway, epoch = self._streams[row.stream_id]
            if gateway in ours:
                event = decode_event(row.body.encode())
                events.append(StoredEvent(row.id, gateway, epoch, row.seq, row.received_at, event))
            else:
                waiting.setdefault(gateway, row.id)
        keys = [(stored.gateway_id, stored.event.device, stored.event.unit) for stored in events]
        self._registry.look_up(session, set(keys))
        places = [self._registry.place(session, *key) for key in keys]
        self._registry.units(session, {place.unit for place in places if place.unit is not None})
        return zip(events, places, strict=True)

    def _know_streams(self, session: Session, stream_ids: Collection[int]) -> None:
        missing = sorted(stream_id for stream_id in stream_ids if stream_id not in self._streams)
        for start in range(0, len(missing), _CHUNK):
            query = select(Stream.id, Stream.gateway_id, Stream.epoch)
            for stream_id, gateway, epoch in session.exec(
                query.where(col(Stream.id).in_(missing[start : start + _CHUNK]))
            ):
                self._streams[stream_id or 0] = (gateway, epoch)

    @staticmethod
    def _use(stored: StoredEvent, event: LockAccess, unit: Unit, uses: dict[tuple[str, str, date], _Use]) -> bool:
        """Count a use. True when a rule may say something other because of it, before the daily look at everything."""
        ref = ref_of(event)
        if ref is None:
            return unit.welfare is not None
        at = event.observed_at
        day = local_day(at)
        use = uses[unit.code, ref, day]
        use.first_event_id = use.first_event_id or stored.id
        use.last_event_id = stored.id
        use.last_at = at if use.last_at is None else max(use.last_at, at)
        if event.data.result != "granted":
            use.denied += 1
            return False
        use.opens += 1
        if not unit.has_booking_at(at):
            use.outside_booking += 1
        return is_remarkable(unit, ref, day)


def is_remarkable(unit: Unit, ref: str, day: date) -> bool:
    """Whether an opening may matter to a rule: not by a named holder in a unit that is let in the ordinary way."""
    if unit.welfare is not None or not unit.people_on(day):
        return True
    if any(lease.is_expired_on(day) for lease in unit.leases):
        return True
    return not any(held.ref == ref and held.person_code is not None for held in unit.credentials)


def _store_uses(session: Session, uses: dict[tuple[str, str, date], _Use]) -> None:
    if not uses:
        return
    table = table_of(CredentialDay)
    statement = insert_into(session, table)
    fresh = statement.excluded
    greatest = func.greatest if session.get_bind().dialect.name == "postgresql" else func.max
    statement = statement.on_conflict_do_update(
        index_elements=["unit_code", "ref", "day"],
        set_={
            "opens": table.c.opens + fresh.opens,
            "denied": table.c.denied + fresh.denied,
            "outside_booking": table.c.outside_booking + fresh.outside_booking,
            "last_event_id": greatest(table.c.last_event_id, fresh.last_event_id),
            "last_at": greatest(table.c.last_at, fresh.last_at),
        },
    )
    session.connection().execute(
        statement,
        [
            {
                "unit_code": unit,
                "ref": ref,
                "day": day,
                "opens": use.opens,
                "denied": use.denied,
                "outside_booking": use.outside_booking,
                "first_event_id": use.first_event_id,
                "last_event_id": use.last_event_id,
                "last_at": use.last_at,
            }
            for (unit, ref, day), use in uses.items()
        ],
    )


def mark_due(session: Session, units: Collection[str], now: datetime) -> None:
    """Have the rules of these units looked at again."""
    if not units:
        return
    statement = insert_into(session, table_of(UnitDue)).on_conflict_do_nothing()
    session.connection().execute(statement, [{"unit_code": unit, "since": now} for unit in sorted(units)])
