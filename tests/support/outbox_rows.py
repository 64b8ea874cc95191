"""Events and options for tests of the outbox."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.outbox import Outbox
from edge_agent.outbox.rows import LANES
from edge_agent.outbox.store import Store, StoreOptions
from wire.clock import Clock, FakeClock
from wire.events import DeviceHealth, DeviceHealthData, DoorState, DoorStateData
from wire.ids import new_ulid
from wire.messages import decode_event

AT = datetime(2026, 11, 23, 6, 12, 44, tzinfo=UTC)


def urgent(name: object) -> DoorState:
    """An event of the urgent lane, told from others by its device."""
    return DoorState(observed_at=AT, device=f"door-{name}", data=DoorStateData(open=True))


def routine(name: object, padding: int = 0) -> DeviceHealth:
    """An event of the routine lane; `padding` makes it longer."""
    data = DeviceHealthData(battery_pct=50, fault="x" * padding if padding else None)
    return DeviceHealth(observed_at=AT, device=f"sensor-{name}", data=data)


def device_of(body: bytes) -> str:
    return decode_event(body).device


def store_options(max_bytes: int = 64 << 20, synchronous: str = "FULL", vfs: str | None = None) -> StoreOptions:
    return StoreOptions(
        max_bytes=max_bytes,
        new_epoch=lambda: new_ulid(AT),
        tombstone=lambda seq, rule, reason: f"tombstone {seq} {rule}".encode(),
        now_ms=lambda: 1_800_000_000_000,
        synchronous=synchronous,
        vfs=vfs,
    )


def stored(store: Store) -> dict[int, dict[int, bytes]]:
    """Everything that waits, by lane and number."""
    return {lane: {row.seq: row.body for row in store.read(lane, 0, 1_000_000, 1 << 40)} for lane in LANES}


@contextlib.asynccontextmanager
async def opened(
    folder: Path, *, clock: Clock | None = None, max_bytes: int = 64 << 20, is_patient: bool = False
) -> AsyncIterator[Outbox]:
    outbox = await Outbox.open(
        folder / "outbox.db",
        gateway_id="gw-test",
        max_bytes=max_bytes,
        clock=clock or FakeClock(AT),
        is_patient=is_patient,
    )
    try:
        yield outbox
    finally:
        await outbox.close()
