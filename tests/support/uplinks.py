"""An uplink with an outbox of its own, running against a broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge_agent.mqtt_link import MqttOptions
from edge_agent.outbox import Outbox
from edge_agent.uplink import Uplink
from wire.clock import SystemClock
from wire.messages import ClockQuality

GATEWAY = "gw-test"


@dataclass
class FakeDevices:
    """Devices that do what they are told."""

    done: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        self.done.append((device_id, command, dict(arguments)))


@dataclass
class RunningUplink:
    outbox: Outbox
    uplink: Uplink
    devices: FakeDevices
    task: "asyncio.Task[None]"

    @property
    def depth(self) -> int:
        return self.outbox.status().depth


@contextlib.asynccontextmanager
async def running_uplink(
    folder: Path, url: str, *, quality: ClockQuality = "synced", **options: Any
) -> AsyncIterator[RunningUplink]:
    folder.mkdir(exist_ok=True)
    clock = SystemClock()
    outbox = await Outbox.open(folder / "outbox.db", gateway_id=GATEWAY, max_bytes=256 << 20, clock=clock)
    devices = FakeDevices()
    mqtt = replace(MqttOptions(url=url, client_id=GATEWAY, is_persistent=True), **options)
    uplink = Uplink(GATEWAY, mqtt, outbox, devices, clock, clock_quality=lambda: quality, agent_version="0.0.test")
    task = asyncio.create_task(uplink.run())
    try:
        yield RunningUplink(outbox, uplink, devices, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await outbox.close()
