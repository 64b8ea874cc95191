"""Plays a history through the evaluator, faster than it happened: time passes only where it may matter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from hub.evaluation.evaluator import Evaluator
from hub.replay.history import Batch, History
from hub.replay.schedule import BEGINNING, FINE, MOST_HELD, Schedule, is_urgent, shortest_silence, step_for
from hub.replay.scratch import Scratch
from hub.rules.policy import PackSet
from hub.store.database import Database

log = structlog.get_logger(__name__)


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
        self._brain = Evaluator(packs, is_alone=True)
        overrides = [float(row["value"]) for row in history.overrides if _is_silence(row)]
        self._schedule = Schedule(step_for(history.events), shortest_silence(packs, overrides), history.deaf_span)
        self._held: list[Batch] = []
        self._holds = 0
        self.played = Played()

    @property
    def step(self) -> timedelta:
        """How long what compliance looks at may wait."""
        return self._schedule.step

    def play(self, on_progress: Callable[[int], None]) -> Played:
        """From beginning to end; `on_progress` hears how many events have been folded."""
        for step in self._history.steps():
            if (due := self._schedule.next()) is not None and due <= step.at:
                self._flush()
                self._pass_time(step.at)
            if isinstance(step, Batch):
                self._hold(step)
                on_progress(self.played.events)
                continue
            self._flush()
            with self._database.write() as session:
                self._scratch.put(session, step)
            self._schedule.want(step.at + FINE)
        self._flush()
        until = self._history.until
        self._pass_time(until)
        if self._history.deaf_span(until) is None:
            self._tick(until)
        while self._schedule.pending is not None and not self.played.failed_ticks and self._schedule.last == until:
            self._tick(until)
        return self.played

    def _hold(self, batch: Batch) -> None:
        """Take a batch; nothing but an alarm needs a transaction of its own."""
        is_alone = self.step == FINE or any(is_urgent(stored.event) for stored in batch.events)
        if is_alone:
            self._flush()
        self._held.append(batch)
        self._holds += len(batch.events)
        self._schedule.hear({stored.gateway_id for stored in batch.events}, batch.at)
        if is_alone or self._holds >= MOST_HELD:
            self._flush()

    def _flush(self) -> None:
        """Fold what is held."""
        if not self._held:
            return
        events = tuple(stored for held in self._held for stored in held.events)
        batch = Batch(self._held[-1].at, events, tuple(row for held in self._held for row in held.rows))
        self._held.clear()
        self._holds = 0
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

    def _pass_time(self, upto: datetime) -> None:
        while (at := self._schedule.next()) is not None and at <= upto:
            self._tick(at)

    def _tick(self, at: datetime) -> None:
        self._schedule.look(at)
        self.played.ticks += 1
        try:
            with self._database.write() as session:
                since = max((until for _, until in self._history.deaf if until <= at), default=BEGINNING)
                self._scratch.listen(session, at, since)
                self._brain.tick(session, at)
                self._schedule.looked(session, at)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # as the hub's ticker: log, and go on with the next turn
            log.exception("replay.tick_failed", at=at.isoformat())
            self.played.failed_ticks += 1


def _is_silence(override: dict[str, Any]) -> bool:
    return (override["rule_id"], override["parameter"]) == ("T1", "silent_s")
