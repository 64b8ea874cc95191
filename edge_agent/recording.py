"""Runs the drivers of one bus, or those of the broker, with a recorder that hears what passes."""

import asyncio
import contextlib
from collections.abc import Sequence

from edge_agent.captures import Recorder
from edge_agent.config import AgentConfig
from edge_agent.drivers import build_drivers
from edge_agent.ports import Driver, DriverContext, Place
from wire.clock import SystemClock
from wire.events import KnownEvent


class ForgetfulSink:
    """Takes events for a tool that does not report them."""

    async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
        """See ports.Sink."""
        return [Place("none", index + 1) for index in range(len(events))]


def only_bus(config: AgentConfig, bus: str | None) -> AgentConfig:
    """The configuration with one bus and its devices; None: with the MQTT devices."""
    return config.model_copy(
        update={
            "bus": [item for item in config.bus if item.name == bus],
            "device": [device for device in config.device if device.bus == bus],
            "mqtt": config.mqtt if bus is None else None,
            "camera": [],
        }
    )


async def record(config: AgentConfig, bus: str | None, seconds: float) -> tuple[str, list[str]]:
    """The kind of a capture and its lines. Raises ConfigError."""
    clock = SystemClock()
    kind = next((item.kind for item in config.bus if item.name == bus), "mqtt")
    own = {str(device.address): device.id for device in config.device if isinstance(device.address, str)}
    recorder = Recorder(kind, own)
    start_s = clock.monotonic()

    def tap(where: str, data: bytes) -> None:
        take = recorder.take_message if kind == "mqtt" else recorder.take_bytes
        take(clock.monotonic() - start_s, where, data)

    def context_for(_name: str) -> DriverContext:
        return DriverContext(clock, ForgetfulSink(), lambda: None)

    await run_for(build_drivers(only_bus(config, bus), context_for, tap), seconds, clock)
    return kind, recorder.rows


async def run_for(drivers: Sequence[Driver], seconds: float, clock: SystemClock) -> None:
    """Let drivers work for a while. Raises what a driver raises."""
    tasks = [asyncio.create_task(driver.run()) for driver in drivers]
    timer = asyncio.create_task(clock.sleep(seconds))
    try:
        done, _ = await asyncio.wait([timer, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (timer, *tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(timer, *tasks, return_exceptions=True)
