"""What the driver tests share: a sink that remembers, a context, a configuration."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from edge_agent.config import AgentConfig
from edge_agent.drivers import build_drivers
from edge_agent.errors import OutboxError
from edge_agent.ports import Driver, DriverContext, Place
from wire.clock import SystemClock
from wire.events import KnownEvent

ORGANISATION_KEY = bytes(range(32))


class MemorySink:
    """Keeps what drivers report, in order."""

    def __init__(self) -> None:
        self.events: list[KnownEvent] = []
        self.refuses = False

    async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
        if self.refuses:
            raise OutboxError("full")
        start = len(self.events)
        self.events += events
        return [Place("test", start + index + 1) for index in range(len(events))]

    def of(self, device: str, kind: str) -> list[Any]:
        """The data of the events of one kind of one device."""
        return [event.data for event in self.events if event.device == device and event.kind == kind]


def agent_config(folder: Path, **tables: Any) -> AgentConfig:
    """A configuration with what every gateway has."""
    key = folder / "organisation.key"
    key.write_text(ORGANISATION_KEY.hex())
    key.chmod(0o600)
    return AgentConfig.model_validate(
        {
            # Its own name: the broker keeps the session of a gateway's name.
            "gateway": {"id": f"gw-{uuid4().hex[:12]}", "data_dir": folder, "organisation_key_file": key},
            "hub": {"url": "mqtt://127.0.0.1:1883"},
            **tables,
        }
    )


Tap = Callable[[str, bytes], None]


def built(config: AgentConfig, sink: MemorySink | None = None, tap: Tap | None = None) -> list[Driver]:
    """The drivers of a configuration, not running. `tap` hears what passes."""
    return build_drivers(config, lambda name: DriverContext(SystemClock(), sink or MemorySink(), lambda: None), tap)


@contextlib.asynccontextmanager
async def running(config: AgentConfig, sink: MemorySink, tap: Tap | None = None) -> AsyncIterator[list[Driver]]:
    """The drivers of a configuration at work."""
    drivers = built(config, sink, tap)
    tasks = [asyncio.create_task(driver.run()) for driver in drivers]
    try:
        yield drivers
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
