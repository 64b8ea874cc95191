"""What the composition root builds once and hands to the API, to ingest and to the loops."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hub.runtime.change_notifier import ChangeFeed
from hub.store.database import Database
from wire.clock import Clock


def _nobody() -> None:
    """No ingest in this process."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that requests need. `data_dir` holds the organisation's key and the database of a small site."""

    database: Database
    clock: Clock
    feed: ChangeFeed
    data_dir: Path
    wake_ingest: Callable[[], None] = _nobody
    """Call after a row was written that ingest must see at once: a command to a gateway."""
