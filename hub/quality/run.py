"""Puts a recording through the real ingest, belief and rules, with a clock that follows the recording."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import event
from sqlmodel import Session

from hub.errors import ConfigError
from hub.evaluation.evaluator import Evaluator
from hub.evaluation.silence_checks import LISTENING
from hub.ingest.transaction import Intake
from hub.policies.packs import standard_packs
from hub.quality.recording import Arrival, arrivals, count_lines, messages_of
from hub.registry.personal_data.vault import load_vault
from hub.registry.yaml_import.seed_file import load_seed
from hub.replay.schedule import FINE, MOST_HELD, Schedule, shortest_silence, step_for
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.metrics import Metrics
from hub.runtime.organisation_key import organisation_key
from hub.store.changes import record_changes
from hub.store.database import Database
from hub.store.migrate import open_database
from hub.store.tables.alerts import Progress
from wire.clock import Clock


@dataclass(slots=True)
class RecordedClock:
    """Shows the recording's time."""

    at: datetime
    start: datetime

    def now(self) -> datetime:
        """The recording's instant."""
        return self.at

    def monotonic(self) -> float:
        """Seconds of the recording."""
        return (self.at - self.start).total_seconds()

    async def sleep(self, delay_s: float) -> None:
        """Nothing in here waits."""
        await asyncio.sleep(0)


@dataclass(slots=True)
class Ran:
    """What a run cost. `alarm_s`: from the arrival of each alarm to the commit of what came of it, in real seconds.

    `step_s`: simulated seconds between two looks at compliance; alarms do not wait for it.
    """

    events: int = 0
    seconds: float = 0.0
    alarm_s: list[float] = field(default_factory=list)
    unfolded: int = 0
    step_s: float = 0.0


def run_recording(
    folder: Path, data_dir: Path, start: datetime, stopwatch: Clock, on_progress: Callable[[int], None]
) -> tuple[Database, Ran]:
    """Load the registry of `folder`, take its events in, and give the database, which the caller closes.

    `start`: from when the registry is known. `on_progress` hears how many events have been taken. Raises ConfigError.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    key = folder / "organisation.key"
    if key.is_file():
        shutil.copyfile(key, data_dir / "organisation.key")
    # As a hub makes it, so that `serve` and `replay` can go on with a folder that is kept.
    database = open_database(data_dir, None)
    # Nobody needs it after a power cut; from the next connection on.
    event.listen(database.writer, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    database.writer.dispose()
    try:
        _load_registry(database, folder, data_dir, start)
        return database, _take_in(database, folder / "events.ndjson", start, stopwatch, on_progress)
    except BaseException:
        database.close()
        raise


def _load_registry(database: Database, folder: Path, data_dir: Path, start: datetime) -> None:
    seed = folder / "site.yaml"
    if not seed.is_file():
        raise ConfigError(f"{seed}: is not there; write the folder with `anfang-sim residents`")
    with database.write() as session:
        loaded = load_seed(
            session, seed, vault=load_vault(data_dir), organisation_key=organisation_key(data_dir), now=start
        )
        record_changes(session, loaded.changes, start)


def _take_in(
    database: Database, path: Path, start: datetime, stopwatch: Clock, on_progress: Callable[[int], None]
) -> Ran:
    if not path.is_file():
        raise ConfigError(f"{path}: is not there; write the folder with `anfang-sim residents`")
    ran = _Run(database, step_for(count_lines(path)), start, stopwatch)
    began = stopwatch.monotonic()
    for arrival in arrivals(path):
        ran.take(arrival)
        on_progress(ran.ran.events)
    ran.end()
    ran.ran.seconds = stopwatch.monotonic() - began
    return ran.ran


class _Run:
    """Takes arrivals in, and lets time pass between them as a replay of them will (`hub.replay.schedule`)."""

    def __init__(self, database: Database, step: timedelta, start: datetime, stopwatch: Clock) -> None:
        self._database = database
        self._stopwatch = stopwatch
        self._clock = RecordedClock(start, start)
        self._brain = Evaluator(is_alone=True)
        self._metrics = Metrics()
        self._intake = Intake(database, self._clock, ChangeFeed(), self._brain, self._metrics, accept_unknown=True)
        self._schedule = Schedule(step, shortest_silence(standard_packs()))
        self._held: list[Arrival] = []
        self.ran = Ran(step_s=step.total_seconds())
        # The registry was there before the first event.
        self._schedule.want(start + FINE)

    def take(self, arrival: Arrival) -> None:
        """The next one."""
        held = self._held
        is_other = bool(held) and held[-1].at != arrival.at
        if is_other and (self._is_alone(held) or len(held) >= MOST_HELD):
            self._flush()
        if (due := self._schedule.next()) is not None and due <= arrival.at:
            self._flush()
            self._pass_time(arrival.at)
        if arrival.is_alarm or self._schedule.step == FINE:
            # What came at the same instant comes with it, as one batch in the history.
            self._flush(before=arrival.at)
        self._held.append(arrival)
        self._schedule.hear([arrival.gateway], arrival.at)

    def end(self) -> None:
        """There is nothing more."""
        self._flush()
        until = self._clock.at
        self._pass_time(until)
        self._tick(until)
        while self._schedule.pending is not None and self._schedule.last == until:
            self._tick(until)
        with self._database.write() as session:
            self._brain.leave(session)
        self.ran.unfolded = int(self._metrics.unfolded._value.get())  # the client offers no other way to read one

    def _is_alone(self, held: list[Arrival]) -> bool:
        return self._schedule.step == FINE or any(arrival.is_alarm for arrival in held)

    def _flush(self, before: datetime | None = None) -> None:
        """Take in what is held; with `before`, what came before that instant."""
        kept = [arrival for arrival in self._held if before is not None and arrival.at >= before]
        taken = self._held[: len(self._held) - len(kept)]
        self._held = kept
        if not taken:
            return
        self._clock.at = taken[-1].at
        messages = messages_of(taken)
        arrived = self._stopwatch.monotonic()
        self.ran.events += self._intake.take(messages).stored
        if any(arrival.is_alarm for arrival in taken):
            self.ran.alarm_s.append(self._stopwatch.monotonic() - arrived)

    def _pass_time(self, upto: datetime) -> None:
        while (at := self._schedule.next()) is not None and at <= upto:
            self._tick(at)

    def _tick(self, at: datetime) -> None:
        self._clock.at = max(self._clock.at, at)
        self._schedule.look(at)
        with self._database.write() as session:
            _was_listening(session, at)
            record_changes(session, self._brain.tick(session, at), at)
            self._schedule.looked(session, at)


def _was_listening(session: Session, now: datetime) -> None:
    """A hub that ticks seldom believes that it was down; this one heard everything, only faster."""
    row = session.get(Progress, LISTENING)
    if row is not None:
        row.at = now - timedelta(seconds=1)
        session.add(row)
