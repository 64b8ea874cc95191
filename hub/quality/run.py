"""Puts a recording through the real ingest, belief and rules, with a clock that follows the recording."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import event
from sqlmodel import Session

from hub.alerts.evaluate import Evaluator
from hub.alerts.silence import LISTENING
from hub.errors import ConfigError
from hub.feed import ChangeFeed
from hub.ingest.transaction import Intake
from hub.keys import organisation_key
from hub.metrics import Metrics
from hub.quality.recording import Window, windows
from hub.registry.seed_file import load_seed
from hub.registry.vault import load_vault
from hub.store.changes import record_changes
from hub.store.database import Database
from hub.store.migrate import open_database
from hub.store.tables.alerts import Progress
from wire.clock import Clock

STEP_S: Final = 3600.0
"""Simulated seconds between two looks at compliance and at what time brings about; alarms do not wait for it."""


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
    """What a run cost. `alarm_s`: from the arrival of each alarm to the commit of what came of it, in real seconds."""

    events: int = 0
    seconds: float = 0.0
    alarm_s: list[float] = field(default_factory=list)
    unfolded: int = 0


def run_recording(
    folder: Path, data_dir: Path, start: datetime, stopwatch: Clock, on_progress: Callable[[int], None]
) -> tuple[Database, Ran]:
    """Load the ledger of `folder`, take its events in, and give the database, which the caller closes.

    `start`: from when the ledger is known. `on_progress` hears how many events have been taken. Raises ConfigError.
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
        _load_ledger(database, folder, data_dir, start)
        return database, _take_in(database, folder / "events.ndjson", start, stopwatch, on_progress)
    except BaseException:
        database.close()
        raise


def _load_ledger(database: Database, folder: Path, data_dir: Path, start: datetime) -> None:
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
    clock = RecordedClock(start, start)
    folder, metrics, ran = Evaluator(), Metrics(), Ran()
    intake = Intake(database, clock, ChangeFeed(), folder, metrics, accept_unknown=True)
    began = stopwatch.monotonic()
    for step in windows(path, STEP_S):
        if isinstance(step, Window):
            clock.at = step.now
            messages = step.messages()
            arrived = stopwatch.monotonic()
            ran.events += intake.take(messages).stored
            if step.is_alarm:
                ran.alarm_s.append(stopwatch.monotonic() - arrived)
            on_progress(ran.events)
            continue
        clock.at = step
        with database.write() as session:
            _was_listening(session, step)
            record_changes(session, folder.tick(session, step), step)
    ran.seconds = stopwatch.monotonic() - began
    ran.unfolded = int(metrics.unfolded._value.get())  # the client offers no other way to read one
    return ran


def _was_listening(session: Session, now: datetime) -> None:
    """A hub that ticks seldom believes that it was down; this one heard everything, only faster."""
    row = session.get(Progress, LISTENING)
    if row is not None:
        row.at = now - timedelta(seconds=1)
        session.add(row)
