"""Carries out one command on one device, with only that device's driver at work."""

import asyncio
import contextlib
from collections.abc import Sequence

from edge_agent.config import AgentConfig
from edge_agent.drivers import build_drivers
from edge_agent.errors import LinkError
from edge_agent.ports import DriverContext, Place
from edge_agent.recording import only_bus
from wire.clock import SystemClock
from wire.events import DeviceHealth, KnownEvent


class _OnlineSink:
    """Notices when a device is online."""

    def __init__(self, device_id: str) -> None:
        self._device_id = device_id
        self.is_online = asyncio.Event()

    async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
        for event in events:
            if isinstance(event, DeviceHealth) and event.device == self._device_id and event.data.online:
                self.is_online.set()
        return [Place("none", index + 1) for index in range(len(events))]


async def identify(config: AgentConfig, device_id: str, command: str, seconds: float) -> None:
    """Raises LinkError when the device does not answer, CommandError when it cannot, ConfigError."""
    bus = next(device.bus for device in config.device if device.id == device_id)
    sink = _OnlineSink(device_id)
    [driver] = build_drivers(only_bus(config, bus), lambda _name: DriverContext(SystemClock(), sink, lambda: None))
    task = asyncio.create_task(driver.run())
    waiter = asyncio.create_task(sink.is_online.wait())
    try:
        await asyncio.wait({task, waiter}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        if not waiter.done():
            raise LinkError(f"{device_id}: not online within {seconds:g} s: {driver.health().detail or 'no answer'}")
        await driver.actuate(device_id, command, {})
    finally:
        for item in (task, waiter):
            item.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(task, waiter, return_exceptions=True)
