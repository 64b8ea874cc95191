"""Listens in on the wire between gateways and hub: a second opinion about what was sent."""

from datetime import datetime
from typing import Any

import msgspec

from simulators.mqtt_loop import MqttLoopClient, probe_version
from wire.errors import ContractError
from wire.messages import decode_batch, format_instant
from wire.topics import Leaf, every_gateway

Identity = tuple[str, str, int]
"""Gateway, epoch, sequence number: an event's identity for ever."""


class _Sent(msgspec.Struct):
    observed_at: datetime
    device: str
    kind: str
    unit: str | None = None
    data: dict[str, Any] = {}


class Tap:
    """Every event that passed the broker, by its identity; one that was sent again is here once."""

    def __init__(self) -> None:
        self.sent: dict[Identity, str] = {}
        self.batches = 0
        self.faults: list[str] = []
        self._link: MqttLoopClient | None = None

    async def open(self, url: str) -> None:
        """Subscribe before any gateway speaks. Raises SimulatorError."""
        version = await probe_version(url)
        link = MqttLoopClient(url, "anfang-sim-tap", version=version, on_message=self.take)
        await link.connect()
        await link.subscribe(every_gateway(Leaf.EVENT))
        self._link = link

    def close(self) -> None:
        """Stop listening."""
        if self._link is not None:
            self._link.disconnect()

    def take(self, name: str, payload: bytes) -> None:
        """One message of an `event` topic."""
        try:
            batch = decode_batch(payload)
            events = [msgspec.json.decode(raw, type=_Sent) for raw in batch.events]
        except (ContractError, msgspec.MsgspecError) as error:
            self.faults.append(f"{name}: {error}")
            return
        self.batches += 1
        for offset, event in enumerate(events):
            identity = (batch.gateway, batch.epoch, batch.first_seq + offset)
            content = content_of(event.observed_at, event.kind, event.device, event.unit, event.data)
            if self.sent.setdefault(identity, content) != content:
                self.faults.append(f"{identity}: sent twice with two contents")

    def count(self, gateway: str) -> int:
        """How many events a gateway has sent."""
        return sum(identity[0] == gateway for identity in self.sent)


def content_of(observed_at: datetime, kind: str, device: str, unit: str | None, data: dict[str, Any]) -> str:
    """An event's content in one canonical form, to compare what was sent with what was stored."""
    parts = [format_instant(observed_at), kind, device, unit, data]
    return msgspec.json.encode(parts, order="sorted").decode()
