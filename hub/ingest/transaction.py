"""One transaction: what has arrived becomes rows, its new events are folded, and the answers to gateways are made.

Nothing in here talks to the network. The answers are given out only after the commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session

from hub.domain.stored_event import Change, StoredEvent
from hub.ingest.progress import Progress
from hub.ingest.ranges import holds
from hub.ingest.reading import Bad, Broken, Delivered
from hub.ingest.rejects import Rejected, keep_rejected
from hub.ingest.rows import EventValues, insert_events
from hub.ingest.streams import (
    LockedStream,
    StreamKey,
    add_gateways,
    known_gateways,
    lock_streams,
    save_streams,
    touch_gateways,
)
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.metrics import Metrics
from hub.runtime.ports import EventFolder
from hub.store.base import to_ms
from hub.store.changes import record_changes
from hub.store.database import Database
from hub.store.tables.ingest import UnfoldedEvent
from hub.store.turns import acquire_write_lock
from wire.clock import Clock
from wire.events import EVENT_TYPES, AnyEvent
from wire.messages import Ack

log = structlog.get_logger(__name__)

_KIND_OF: Final[dict[type, str]] = {cls: kind for kind, cls in EVENT_TYPES.items()}
_SEEN_EVERY_S: Final = 1.0
_GATEWAYS_REMEMBERED: Final = 100_000


Opened: TypeAlias = tuple[Delivered, int, AnyEvent, bool, datetime]
"""A new event: its batch, its number, itself, whether it is late, when it came. A plain tuple: there are many."""


class Answer(NamedTuple):
    """What to tell a gateway on its `ack` topic."""

    gateway_id: str
    ack: Ack


@dataclass(slots=True)
class Outcome:
    """What a transaction led to."""

    answers: list[Answer] = field(default_factory=list)
    stored: int = 0
    await_floor: set[StreamKey] = field(default_factory=set)
    """Streams for which a floor may have to be taken when the grace is over."""


class FoldError(Exception):
    """A rule failed on some event of a transaction."""


class Intake:
    """Takes messages in. One per worker; not shared between threads."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        feed: ChangeFeed,
        folder: EventFolder,
        metrics: Metrics,
        *,
        accept_unknown: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._feed = feed
        self._folder = folder
        self._metrics = metrics
        self._accept_unknown = accept_unknown
        self._seen_s: dict[str, float] = {}

    def take(self, messages: Sequence[Delivered | Broken]) -> Outcome:
        """Store what is new and fold it, in one transaction. Raises SQLAlchemy's errors when the database fails.

        A rule that fails keeps no event from being stored: then each event is folded by itself, and those on which it
        fails are noted in `unfolded_event`.
        """
        try:
            return self._take(messages, is_careful=False)
        except FoldError:
            log.exception("ingest.fold_failed", messages=len(messages))
            return self._take(messages, is_careful=True)

    def look_at_floors(self, keys: Sequence[StreamKey]) -> Outcome:
        """After the grace: take floors for senders that say none, and acknowledge."""
        outcome = Outcome()
        now = self._clock.now()
        with self._database.write() as session:
            connection = session.connection()
            streams = lock_streams(connection, keys, now)
            for key, stream in streams.items():
                self._settle(key, stream, now, outcome)
            save_streams(connection, streams.values(), now)
        self._acknowledge(streams, outcome)
        return outcome

    def forget(self) -> None:
        """Forget what was remembered of the database, after it failed."""
        self._seen_s.clear()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _take(self, messages: Sequence[Delivered | Broken], *, is_careful: bool) -> Outcome:
        outcome = Outcome()
        now = self._clock.now()
        now_s = self._clock.monotonic()
        changes: list[Change] = []
        rejected: list[Rejected] = []
        with self._database.write() as session:
            connection = session.connection()
            heard = {message.gateway_id for message in messages}
            unknown = {gateway_id for gateway_id in heard if gateway_id not in self._seen_s}
            unknown -= known_gateways(connection, unknown) if unknown else set()
            batches = self._sort_out(messages, unknown, rejected, outcome)
            fresh = {batch.gateway_id for batch in batches} & unknown
            add_gateways(connection, fresh, now)
            changes += [Change("gateway", gateway_id, "unadopted") for gateway_id in sorted(fresh)]
            streams = lock_streams(connection, [(batch.gateway_id, batch.epoch) for batch in batches], now)
            rows, opened = _account(batches, streams, now, rejected, outcome)
            for key, stream in streams.items():
                self._settle(key, stream, now, outcome)
            if rows or rejected or changes:
                acquire_write_lock(session)
            if rows:
                changes += self._store(session, rows, opened, now, is_careful=is_careful)
            save_streams(connection, (stream for stream in streams.values() if stream.is_touched), now)
            overdue = {g for g in heard - unknown | fresh if now_s - self._seen_s.get(g, -60.0) >= _SEEN_EVERY_S}
            touch_gateways(connection, overdue - fresh, now)
            for at, came in _came(batches).items():
                touch_gateways(connection, came, at)
            kept = keep_rejected(session, rejected, now)
            if kept.added:
                changes += [
                    Change("rejected", gateway_id, "kept") for gateway_id in sorted({r.gateway_id for r in rejected})
                ]
            record_changes(session, changes, now)
        if len(self._seen_s) > _GATEWAYS_REMEMBERED:
            self._seen_s.clear()
        self._seen_s.update(dict.fromkeys(overdue, now_s))
        outcome.stored = len(rows)
        self._acknowledge(streams, outcome)
        self._metrics.rejected.inc(len(rejected))
        self._metrics.rejected_dropped.inc(kept.dropped)
        if changes:
            self._feed.wake()
        return outcome

    def _sort_out(
        self,
        messages: Sequence[Delivered | Broken],
        unknown: set[str],
        rejected: list[Rejected],
        outcome: Outcome,
    ) -> list[Delivered]:
        """The batches that may be stored; the rest is kept as rejected and answered."""
        batches: list[Delivered] = []
        for message in messages:
            if isinstance(message, Delivered) and (self._accept_unknown or message.gateway_id not in unknown):
                batches.append(message)
                continue
            if isinstance(message, Delivered):
                reason = f"gateway {message.gateway_id} is not known to this hub: enrol it, then it is taken in"
                seq = message.first_seq
            else:
                reason, seq = message.reason, message.seq
            rejected.append(Rejected(message.topic, message.gateway_id, message.epoch, seq, reason, message.payload))
            # 0, because no single event is to blame: the gateway must not set one aside.
            outcome.answers.append(Answer(message.gateway_id, Ack(epoch=message.epoch, seq=0, error=reason)))
        return batches

    def _store(
        self,
        session: Session,
        rows: list[EventValues],
        opened: list[Opened],
        now: datetime,
        *,
        is_careful: bool,
    ) -> list[Change]:
        first_id = insert_events(session, rows)
        events = [
            StoredEvent(number, batch.gateway_id, batch.epoch, seq, came_at, event, is_late)
            for number, (batch, seq, event, is_late, came_at) in enumerate(opened, first_id)
        ]
        if is_careful:
            return self._fold_one_by_one(session, events, now)
        try:
            return self._folder.fold(session, events, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # the top of what rules do: whatever fails there must not keep an alarm out
            raise FoldError from error

    def _fold_one_by_one(self, session: Session, events: Sequence[StoredEvent], now: datetime) -> list[Change]:
        changes: list[Change] = []
        for event in events:
            try:
                with session.begin_nested():
                    changes += self._folder.fold(session, [event], now)
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:  # noqa: BLE001 - as in _store
                log.error("ingest.event_not_folded", event_id=event.id, kind=event.event.kind, error=repr(error))
                session.add(UnfoldedEvent(event_id=event.id, at=now, error=repr(error)[:2000]))
                self._metrics.unfolded.inc()
        session.flush()
        return changes

    def _settle(self, key: StreamKey, stream: LockedStream, now: datetime, outcome: Outcome) -> None:
        progress = stream.progress
        had_floor = progress.has_floor
        progress.adopt_floor(now)
        stream.is_touched = stream.is_touched or had_floor != progress.has_floor
        if progress.awaits_floor:
            outcome.await_floor.add(key)

    @staticmethod
    def _acknowledge(streams: dict[StreamKey, LockedStream], outcome: Outcome) -> None:
        """One cumulative acknowledgement for each stream, new or not: the last one may have been lost."""
        for (gateway_id, epoch), stream in streams.items():
            if (seq := stream.progress.reached()) > 0:
                outcome.answers.append(Answer(gateway_id, Ack(epoch=epoch, seq=seq)))


def _account(
    batches: Sequence[Delivered],
    streams: dict[StreamKey, LockedStream],
    now: datetime,
    rejected: list[Rejected],
    outcome: Outcome,
) -> tuple[list[EventValues], list[Opened]]:
    """Go through the batches, each stream's in the order of its numbers: which events are new, which are unreadable."""
    rows: list[EventValues] = []
    opened: list[Opened] = []
    now_ms = to_ms(now)
    for batch in _in_order(batches):
        stream = streams[batch.gateway_id, batch.epoch]
        progress = stream.progress
        first_seq, last_seq = batch.first_seq, batch.last_seq
        if progress.refuses(first_seq, last_seq):
            reason = "too many holes: send the missing numbers first, beginning after the last acknowledgement"
            outcome.answers.append(Answer(batch.gateway_id, Ack(epoch=batch.epoch, seq=0, error=reason)))
            rejected.append(Rejected(batch.topic, batch.gateway_id, batch.epoch, first_seq, reason, batch.payload))
            continue
        floor = progress.floor_seq, progress.has_floor
        progress.raise_floor(batch.floor_seq, first_seq)
        highest = progress.accounted[-1][1] if progress.accounted else 0
        stored: list[int] = []
        bad: list[int] = []
        for seq in progress.new_numbers(first_seq, last_seq):
            item = batch.events[seq - first_seq]
            if isinstance(item, Bad):
                bad.append(seq)
                continue
            event = item.event
            came_at = batch.arrived_at[seq - first_seq] if batch.arrived_at else now
            received_ms = to_ms(came_at) if batch.arrived_at else now_ms
            kind = _KIND_OF.get(type(event)) or event.kind
            rows.append(
                (stream.id, seq, item.observed_ms, batch.sent_ms, received_ms, batch.clock,
                 kind, event.device, event.unit, item.body)
            )  # fmt: skip
            opened.append((batch, seq, event, seq < highest, came_at))
            stored.append(seq)
        _name_the_unreadable(batch, bad, progress, rejected, outcome)
        if stored or bad or floor != (progress.floor_seq, progress.has_floor):
            progress.take(first_seq, last_seq, stored, bad)
            stream.is_touched = True
    if any(batch.arrived_at for batch in batches):
        order = sorted(range(len(rows)), key=lambda n: opened[n][4])
        return [rows[n] for n in order], [opened[n] for n in order]
    return rows, opened


def _came(batches: Sequence[Delivered]) -> dict[datetime, set[str]]:
    """Of recorded batches: the gateways that were heard last at each instant."""
    last: dict[str, datetime] = {}
    for batch in batches:
        if batch.arrived_at:
            last[batch.gateway_id] = max(batch.arrived_at[-1], last.get(batch.gateway_id, batch.arrived_at[-1]))
    found: dict[datetime, set[str]] = {}
    for gateway_id, at in last.items():
        found.setdefault(at, set()).add(gateway_id)
    return found


def _in_order(batches: Sequence[Delivered]) -> list[Delivered]:
    """Streams in the order in which they were heard, and the batches of each by number: a resent one may come late."""
    heard = {key: place for place, key in enumerate(dict.fromkeys((b.gateway_id, b.epoch) for b in batches))}
    return sorted(batches, key=lambda b: (heard[b.gateway_id, b.epoch], b.first_seq))


def _name_the_unreadable(
    batch: Delivered, bad: list[int], progress: Progress, rejected: list[Rejected], outcome: Outcome
) -> None:
    """Answer for each event that cannot be decoded, also when it was before: that answer may have been lost."""
    reasons: list[str] = []
    for seq in bad:
        item = batch.events[seq - batch.first_seq]
        assert isinstance(item, Bad)
        outcome.answers.append(Answer(batch.gateway_id, Ack(epoch=batch.epoch, seq=seq, error=item.reason)))
        if not holds(progress.rejected, seq):
            reasons.append(f"event {seq}: {item.reason}")
    if reasons:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        reason = reasons[0] + more
        rejected.append(Rejected(batch.topic, batch.gateway_id, batch.epoch, bad[0], reason, batch.payload))
