"""What a hub lived through, in the order in which it did: records of the registry, batches of events, people's actions.

All of it is read from the hub's database; nothing is written there.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Table, select, type_coerce
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, col, func
from sqlmodel import select as model_select

from hub.alerts.alert_writer import SYSTEM
from hub.domain.stored_event import StoredEvent
from hub.evaluation.silence_checks import DEAF, LISTENING
from hub.store.base import InstantMs, from_ms
from hub.store.database import Database
from hub.store.tables.access import AuditEntry
from hub.store.tables.alerts import AlertAction, AlertRow, PolicyOverride, Progress
from hub.store.tables.ingest import EventRow, Stream
from hub.store.tables.registry import RegistryRevision, Versioned
from wire.messages import decode_event

_CHUNK: Final = 20_000
_EVENT: Table = EventRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


RawEvent: TypeAlias = tuple[int, int, int, int, int, int, str, str, str, str | None, str]
RAW: Final = (
    "id", "stream_id", "seq", "observed_at", "sent_at", "received_at", "clock", "kind", "device", "unit", "body",
)  # fmt: skip
"""The columns of an event in the order of `RawEvent`; instants in milliseconds, as they are stored."""
_RECEIVED: Final = RAW.index("received_at")
_RAW_TYPES: Final[dict[str, TypeEngine[Any]]] = {
    name: BigInteger() if isinstance(_EVENT.c[name].type, InstantMs) else _EVENT.c[name].type for name in RAW
}


@dataclass(frozen=True, slots=True)
class RegistryStep:
    """A change of the registry: versions that end, and versions that begin (as rows by table)."""

    at: datetime
    ended: tuple[tuple[type[Versioned], str, datetime, datetime], ...]
    begun: tuple[tuple[type[Versioned], dict[str, Any]], ...]
    revision: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Adopted:
    """Somebody adopted, suspended or retired a gateway on its page."""

    at: datetime
    gateway_id: str
    state: str
    building_code: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that were stored, and folded, together. `rows` are theirs in the table of events, as `RAW` has them."""

    at: datetime
    events: tuple[StoredEvent, ...]
    rows: tuple[RawEvent, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What a person did about an alert of that rule and subject."""

    at: datetime
    rule_id: str
    subject: str
    by: str
    action: str
    reason: str
    detail: str


Step = RegistryStep | Adopted | Batch | Done


@dataclass(slots=True)
class History:
    """A hub's past up to `until`. `deaf`: spans (from, until) in which it did not run, in order."""

    database: Database
    until: datetime
    last_event_id: int
    events: int
    deaf: list[tuple[datetime, datetime]] = field(default_factory=list)
    overrides: list[dict[str, Any]] = field(default_factory=list)
    streams: dict[int, tuple[str, str]] = field(default_factory=dict)
    _slow: list[Step] = field(default_factory=list)

    def steps(self) -> Iterator[Step]:
        """Everything, in the order in which it happened. What people and the registry say comes before events."""
        return heapq.merge(self._slow, self._batches(), key=attrgetter("at"))

    def deaf_span(self, at: datetime) -> tuple[datetime, datetime] | None:
        """The span without a look at the time that `at` lies inside; the hub did look at both of its ends."""
        n = bisect_left(self.deaf, at, key=itemgetter(0))
        return self.deaf[n - 1] if n > 0 and at < self.deaf[n - 1][1] else None

    def _batches(self) -> Iterator[Batch]:
        last = _BEGINNING
        for received_ms, group in groupby(self._rows(), key=itemgetter(_RECEIVED)):
            received_at = from_ms(received_ms)
            if received_at > self.until:
                return
            rows = tuple(group)
            # Two ingest workers may have taken their turn the other way round; what is folded keeps its own instant.
            last = max(last, received_at)
            yield Batch(last, tuple(self._stored(row, received_at) for row in rows), rows)

    def _rows(self) -> Iterator[RawEvent]:
        after = 0
        columns = [_EVENT.c[name] if name == "id" else type_coerce(_EVENT.c[name], _RAW_TYPES[name]) for name in RAW]
        while True:
            query = (
                select(*columns)
                .where(_EVENT.c.id > after, _EVENT.c.id <= self.last_event_id)
                .order_by(_EVENT.c.id)
                .limit(_CHUNK)
            )
            with self.database.read() as session:
                found = [tuple(row) for row in session.connection().execute(query)]
            yield from found
            if len(found) < _CHUNK:
                return
            after = found[-1][0]

    def _stored(self, row: RawEvent, received_at: datetime) -> StoredEvent:
        gateway, epoch = self.streams[row[1]]
        return StoredEvent(row[0], gateway, epoch, row[2], received_at, decode_event(row[-1].encode()))


def read_history(database: Database, until: datetime | None) -> History:
    """The past that `database` holds, up to `until` or to what its hub last saw."""
    with database.read() as session:
        seen_until = _seen_until(session)
        if until is not None:
            seen_until = min(seen_until, until)
        query = model_select(func.max(EventRow.id), func.count(col(EventRow.id)))
        last, count = session.exec(query.where(col(EventRow.received_at) <= seen_until)).one()
        history = History(database, seen_until, last or 0, count)
        rows = session.exec(model_select(Progress).where(col(Progress.name).startswith(DEAF))).all()
        history.deaf = sorted((datetime.fromtimestamp(float(row.cursor), UTC), row.at) for row in rows)
        history.overrides = [row.model_dump() for row in session.exec(model_select(PolicyOverride))]
        for stream in session.exec(model_select(Stream)):
            assert stream.id is not None
            history.streams[stream.id] = (stream.gateway_id, stream.epoch)
        slow: list[Step] = [*_registry_steps(session), *_adoptions(session), *_actions(session)]
    history._slow = sorted((step for step in slow if step.at <= seen_until), key=attrgetter("at"))
    return history


def _seen_until(session: Session) -> datetime:
    """The last instant at which the hub let time pass over its rules, or its last event's."""
    listening = session.get(Progress, LISTENING)
    newest = session.exec(model_select(func.max(EventRow.received_at))).one()
    found = [at for at in (listening.at if listening else None, newest) if at is not None]
    return max(found, default=_BEGINNING)


def _registry_steps(session: Session) -> Iterator[RegistryStep]:
    revisions = list(session.exec(model_select(RegistryRevision).order_by(col(RegistryRevision.id))))
    if not revisions:
        return
    instants = [revision.at for revision in revisions]
    begun: list[list[tuple[type[Versioned], dict[str, Any]]]] = [[] for _ in revisions]
    ended: list[list[tuple[type[Versioned], str, datetime, datetime]]] = [[] for _ in revisions]

    def step_of(at: datetime) -> int:
        # A version may begin a millisecond after its revision, when one of the same instant was there before.
        return max(0, bisect_right(instants, at) - 1)

    for kind in Versioned.__subclasses__():
        table: Table = kind.__table__  # type: ignore[attr-defined]  # SQLModel adds it
        for found in session.connection().execute(select(table)).mappings():
            row = dict(found)
            if row["known_to"] is not None:
                ended[step_of(row["known_to"])].append((kind, row["code"], row["known_from"], row["known_to"]))
            begun[step_of(row["known_from"])].append((kind, row | {"known_to": None}))
    for n, revision in enumerate(revisions):
        yield RegistryStep(revision.at, tuple(ended[n]), tuple(begun[n]), revision.model_dump())


def _adoptions(session: Session) -> Iterator[Adopted]:
    query = model_select(AuditEntry).where(AuditEntry.action == "gateway.adopt").order_by(col(AuditEntry.id))
    for entry in session.exec(query):
        state, _, building = entry.detail.partition(" ")
        yield Adopted(entry.at, entry.subject, state, building or None)


def _actions(session: Session) -> Sequence[Done]:
    query = (
        model_select(AlertAction, AlertRow.rule_id, AlertRow.subject)
        .join(AlertRow, col(AlertRow.id) == AlertAction.alert_id)
        .where(AlertAction.actor != SYSTEM)
        .order_by(col(AlertAction.id))
    )
    return [
        Done(row.at, rule_id, subject, row.actor, row.action, row.reason, row.detail)
        for row, rule_id, subject in session.exec(query)
    ]
