"""gateway.health: regularly, at once when something changes, and not too often when it flaps."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.outbox_rows import AT, opened, urgent
from support.wait import until_async

from edge_agent.clock_quality import ClockJudge
from edge_agent.config import GatewaySection
from edge_agent.outbox import Outbox, OutboxStatus
from edge_agent.supervisor.health import HealthReporter, outbox_health, uplink_health
from edge_agent.uplink import UplinkStatus
from wire.clock import FakeClock
from wire.events import DriverHealth, GatewayHealth, Lane
from wire.messages import decode_event


class Box:
    def __init__(self, folder: Path, outbox: Outbox, clock: FakeClock) -> None:
        self.outbox = outbox
        self.clock = clock
        self.parts = {"osdp-a": DriverHealth(state="running")}
        gateway = GatewaySection(id="gw-test", data_dir=folder, health_interval_s=60)
        self.reporter = HealthReporter(
            gateway, sink=outbox, outbox=outbox, judge=ClockJudge(clock), parts=lambda: self.parts, clock=clock
        )

    async def told(self) -> list[GatewayHealth]:
        rows = await self.outbox.read(Lane.ROUTINE, 0, 500, 1 << 20)
        return [event for row in rows if isinstance(event := decode_event(row.body), GatewayHealth)]

    async def advance(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.clock.advance(1)
            for _ in range(2):  # behind what the reporter wrote, and once more for what it does after that
                await self.outbox.kept("a turn of the outbox's thread")


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    clock = FakeClock(AT)
    async with opened(tmp_path, clock=clock) as outbox:
        found = Box(tmp_path, outbox, clock)
        task = asyncio.create_task(found.reporter.run())
        await until_async(lambda: outbox.lane(Lane.ROUTINE).depth == 1, what="the first report")
        yield found
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_health_is_told_at_the_start_and_at_every_interval(box: Box) -> None:
    await box.advance(58)
    assert len(await box.told()) == 1
    await box.advance(4)
    assert len(await box.told()) == 2


async def test_a_change_of_state_is_told_at_once_and_a_flapping_one_not_more_than_every_two_seconds(box: Box) -> None:
    await box.advance(10)
    box.parts = {"osdp-a": DriverHealth(state="backing_off", detail="no answer")}
    await box.advance(1)
    told = await box.told()
    assert [health.data.drivers["osdp-a"].state for health in told] == ["running", "backing_off"]
    for turn in range(20):
        box.parts = {"osdp-a": DriverHealth(state="running" if turn % 2 else "degraded")}
        await box.advance(1)
    assert 4 <= len(await box.told()) - 2 <= 10


async def test_a_change_of_detail_alone_is_no_news(box: Box) -> None:
    for turn in range(10):
        box.parts = {"osdp-a": DriverHealth(state="running", detail=f"{turn} frames")}
        await box.advance(1)
    assert len(await box.told()) == 1


async def test_the_report_says_how_much_waits_and_how_long(box: Box) -> None:
    await box.outbox.accept([urgent(number) for number in range(5)])
    await box.advance(30)
    data = box.reporter.look(box.parts).data
    assert data.outbox_depth == 6
    assert data.outbox_oldest_s is not None
    assert 29 <= data.outbox_oldest_s <= 31
    assert data.outbox_dropped == 0
    assert data.disk_free_bytes
    assert data.memory_bytes
    assert data.uptime_s == pytest.approx(30, abs=1)


@pytest.mark.parametrize(
    ("status", "state", "word"),
    [
        (OutboxStatus(), "running", ""),
        (OutboxStatus(disk="quota"), "degraded", "makes room"),
        (OutboxStatus(disk="failing"), "failed", "refused"),
        (OutboxStatus(moved_aside="/x/outbox.damaged-1.db", salvaged=7), "degraded", "7 events salvaged"),
    ],
)
def test_the_outbox_is_a_part_whose_trouble_is_shown(status: OutboxStatus, state: str, word: str) -> None:
    found = outbox_health(status)
    assert found.state == state
    assert word in found.detail


@pytest.mark.parametrize(
    ("status", "depth", "state"),
    [
        (UplinkStatus(is_up=False, detail="refused"), 0, "backing_off"),
        (UplinkStatus(is_up=True, lanes={0: "flowing"}), 0, "running"),
        (UplinkStatus(is_up=True, lanes={0: "blocked: unknown gateway"}), 5, "degraded"),
        (UplinkStatus(is_up=True, lanes={0: "flowing"}, last_ack_s=500.0), 5, "degraded"),
        (UplinkStatus(is_up=True, lanes={0: "flowing"}, last_ack_s=500.0), 0, "running"),
    ],
)
def test_the_uplink_is_a_part_whose_trouble_is_shown(status: UplinkStatus, depth: int, state: str) -> None:
    assert uplink_health(status, depth).state == state
