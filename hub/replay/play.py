"""Plays a history through the evaluator, faster than it happened: time passes only where it may matter."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session, col, func, select

from hub.alerts.evaluate import Evaluator
from hub.replay.history import Batch, History
from hub.replay.scratch import Scratch
from hub.rules.local_time import local_day, start_of
from hub.rules.policy import PackSet
from hub.store.database import Database
from hub.store.tables.alerts import DeviceWatch
from wire.events import FireComponent, HelpCall, LockAlarm, SmokeState

log = structlog.get_logger(__name__)

FINE: Final = timedelta(seconds=5)
"""How often a hub lets time pass over its rules."""
STEPS: Final = ((5_000, FINE), (50_000, timedelta(minutes=5)))
COARSE: Final = timedelta(minutes=30)
"""Up to so many events, time passes so finely; with more, compliance looks at units every half an hour.

Silence, open doors and midnight are looked at when they are due, whatever the step; alarms are folded at their instant.
"""
_MOST_HELD: Final = 2_000
_URGENT: Final = (SmokeState, FireComponent, HelpCall, LockAlarm)
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SILENCE: Final = ("T1", "silent_s")
_LEFT_OVER: Final = text(
    "SELECT EXISTS (SELECT 1 FROM unit_due) "
    "OR (SELECT coalesce(max(id), 0) FROM event) > coalesce((SELECT CAST(cursor AS INTEGER) FROM rule_progress "
    "WHERE name = 'events'), 0)"
)


@dataclass(slots=True)
class Played:
    """What it took. `failed`: events on which a rule failed, `failed_ticks`: looks at the time that failed."""

    events: int = 0
    ticks: int = 0
    failed: int = 0
    failed_ticks: int = 0


class Player:
    """Plays one history into one empty database."""

    def __init__(self, database: Database, history: History, packs: PackSet) -> None:
        self._database = database
        self._history = history
        self._scratch = Scratch(database, history)
        self._brain = Evaluator(packs)
        self.step = next((step for most, step in STEPS if history.events <= most), COARSE)
        """How long what compliance looks at may wait."""
        self._held: list[Batch] = []
        self._silence = _shortest_silence(packs, history)
        self._silences: list[tuple[datetime, str]] = []
        self._heard: dict[str, datetime] = {}
        self._pending: datetime | None = None
        self._check_at: datetime | None = None
        self._last_tick = _BEGINNING
        self.played = Played()

    def play(self, on_progress: Callable[[int], None]) -> Played:
        """From beginning to end; `on_progress` hears how many events have been folded."""
        for step in self._history.steps():
            if (due := self._next()) is not None and due <= step.at:
                self._flush()
                self._pass_time(step.at)
            if isinstance(step, Batch):
                self._hold(step)
                on_progress(self.played.events)
                continue
            self._flush()
            with self._database.write() as session:
                self._scratch.put(session, step)
            self._want(step.at + FINE)
        self._flush()
        self._pass_time(self._history.until)
        if self._history.deaf_span(self._history.until) is None:
            self._tick(self._history.until)
        while self._pending is not None and not self.played.failed_ticks and self._last_tick == self._history.until:
            self._tick(self._history.until)
        return self.played

    def _hold(self, batch: Batch) -> None:
        """Take a batch; nothing but an alarm needs a transaction of its own."""
        is_alone = self.step == FINE or any(isinstance(stored.event, _URGENT) for stored in batch.events)
        if is_alone:
            self._flush()
        self._held.append(batch)
        self._hear(batch)
        self._want(max(batch.at + FINE, self._last_tick + self.step))
        if is_alone or sum(len(held.events) for held in self._held) >= _MOST_HELD:
            self._flush()

    def _flush(self) -> None:
        """Fold what is held."""
        if not self._held:
            return
        events = tuple(stored for held in self._held for stored in held.events)
        batch = Batch(self._held[-1].at, events, tuple(row for held in self._held for row in held.rows))
        self._held.clear()
        self.played.events += len(events)
        try:
            with self._database.write() as session:
                self._scratch.put(session, batch)
                self._brain.fold(session, events, events[-1].received_at)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - as ingest: a rule that fails on one event keeps no other out
            log.warning("replay.fold_failed", first=events[0].id, error=repr(error))
            self._fold_one_by_one(batch)

    def _fold_one_by_one(self, batch: Batch) -> None:
        with self._database.write() as session:
            self._scratch.put(session, batch)
            for stored in batch.events:
                try:
                    with session.begin_nested():
                        self._brain.fold(session, [stored], stored.received_at)
                except (OperationalError, InterfaceError):
                    raise
                except Exception as error:  # noqa: BLE001 - as above
                    log.warning("replay.event_not_folded", event_id=stored.id, error=repr(error))
                    self.played.failed += 1

    def _hear(self, batch: Batch) -> None:
        """Remember when each gateway's silence would be noticed; one that returns from silence is looked at at once."""
        for gateway in {stored.gateway_id for stored in batch.events}:
            before = self._heard.get(gateway)
            self._heard[gateway] = batch.at
            if before is None:
                heapq.heappush(self._silences, (batch.at + self._silence, gateway))
            if before is None or batch.at - before > self._silence:
                self._want(batch.at + FINE)

    def _want(self, at: datetime) -> None:
        self._pending = at if self._pending is None else min(at, self._pending)

    def _pass_time(self, upto: datetime) -> None:
        while (at := self._next()) is not None and at <= upto:
            self._tick(at)

    def _next(self) -> datetime | None:
        """When the next look at the time is due."""
        if self._last_tick == _BEGINNING and self._pending is None:
            return None
        while self._silences:
            due, gateway = self._silences[0]
            actual = self._heard[gateway] + self._silence
            if actual == due:
                break
            heapq.heapreplace(self._silences, (actual, gateway))
        last = self._last_tick
        found = [at for at in (self._pending, self._check_at) if at is not None]
        if self._silences:
            found.append(self._silences[0][0] + FINE)
        if last != _BEGINNING:
            found += [last + max(self.step, STEPS[-1][1]), start_of(local_day(last) + timedelta(days=1)) + FINE]
        at = max(min(found), last + timedelta(milliseconds=1))
        span = self._history.deaf_span(at)
        if span is None:
            return at
        # The hub's last look before it went down, then its first one after.
        return span[0] if last < span[0] else span[1]

    def _tick(self, at: datetime) -> None:
        self._last_tick = at
        self._pending = None
        while self._silences and self._silences[0][0] + FINE <= at:
            # Silent, and looked at: again when it has spoken.
            _, gateway = heapq.heappop(self._silences)
            if self._heard[gateway] + self._silence + FINE > at:
                heapq.heappush(self._silences, (self._heard[gateway] + self._silence, gateway))
            else:
                del self._heard[gateway]
        self.played.ticks += 1
        try:
            with self._database.write() as session:
                since = max((until for _, until in self._history.deaf if until <= at), default=_BEGINNING)
                self._scratch.listen(session, at, since)
                self._brain.tick(session, at)
                self._look_ahead(session, at)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # as the hub's ticker: log, and go on with the next turn
            log.exception("replay.tick_failed", at=at.isoformat())
            self.played.failed_ticks += 1

    def _look_ahead(self, session: Session, at: datetime) -> None:
        session.flush()
        check_at = session.exec(select(func.min(DeviceWatch.check_at)).where(col(DeviceWatch.check_at) > at)).one()
        self._check_at = None if check_at is None else check_at + FINE
        if session.connection().execute(_LEFT_OVER).scalar():
            self._want(at + FINE)


def _shortest_silence(packs: PackSet, history: History) -> timedelta:
    """The least silence of a gateway that some policy calls an outage."""
    rule_id, name = _SILENCE
    found = [pack.parameters[rule_id][name].value for pack in packs.packs if name in pack.parameters.get(rule_id, {})]
    seconds = [float(value) for value in found if isinstance(value, int | float)]
    seconds += [float(row["value"]) for row in history.overrides if (row["rule_id"], row["parameter"]) == _SILENCE]
    return timedelta(seconds=min(seconds))
