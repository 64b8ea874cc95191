"""No room: by our own limit, and on a disk that is really full."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.outbox_rows import device_of, opened, routine, urgent

from edge_agent.errors import OutboxError
from edge_agent.outbox import Outbox
from wire.events import Lane

MIB = 1 << 20


async def fill_with_urgent(outbox: Outbox) -> int:
    """Accept urgent events by twenties until one twenty is refused. Returns how many were taken."""
    taken = 0
    for _ in range(10_000):
        try:
            await outbox.accept([urgent(number) for number in range(20)])
        except OutboxError as error:
            assert "must not be dropped" in str(error)
            return taken
        taken += 20
    raise AssertionError("never full")


async def test_the_oldest_telemetry_makes_room_and_is_counted(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=MIB) as outbox:
        for number in range(100):
            await outbox.accept([routine(f"{number}-{part}", padding=500) for part in range(30)])
        lane = outbox.lane(Lane.ROUTINE)
        assert lane.last_seq == 3000
        assert lane.dropped > 0
        assert lane.dropped == lane.floor_seq
        rows = await outbox.read(Lane.ROUTINE, 0, 10_000, 1 << 30)
        assert [row.seq for row in rows] == list(range(lane.floor_seq + 1, 3001))
        assert device_of(rows[-1].body) == "sensor-99-29"
        assert outbox.status().disk == "quota"
        assert outbox.status().lost == lane.dropped
    assert (tmp_path / "outbox.db").stat().st_size <= MIB
    async with opened(tmp_path, max_bytes=MIB) as outbox:
        assert outbox.lane(Lane.ROUTINE).dropped == lane.dropped


async def test_urgent_events_displace_telemetry_and_are_never_displaced_by_it(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=MIB) as outbox:
        for _ in range(60):
            await outbox.accept([routine("t", padding=500)] * 30)
        for number in range(150):
            await outbox.accept([urgent(f"{number}-{part}") for part in range(20)])
        for _ in range(60):
            await outbox.accept([routine("t", padding=500)] * 30)
        assert outbox.lane(Lane.URGENT).depth == 3000
        assert outbox.lane(Lane.URGENT).dropped == 0
        assert outbox.lane(Lane.ROUTINE).dropped > 0
        rows = await outbox.read(Lane.URGENT, 0, 5000, 1 << 30)
        assert len(rows) == 3000


async def test_when_only_urgent_events_are_left_the_caller_is_told_and_it_is_counted(tmp_path: Path) -> None:
    async with opened(tmp_path, max_bytes=MIB) as outbox:
        await outbox.accept([routine("t", padding=100)] * 10)
        taken = await fill_with_urgent(outbox)
        lane = outbox.lane(Lane.URGENT)
        assert lane.depth == lane.last_seq == taken
        assert outbox.lane(Lane.ROUTINE).depth == 0
        with pytest.raises(OutboxError, match="must not be dropped"):
            await outbox.accept([routine("t", padding=4000)] * 20)
        # The hub takes some: room again, and the count of what was refused comes to the disk.
        outbox.acknowledge(Lane.URGENT, lane.epoch, taken // 2)
        await outbox.accept([urgent("after")])
        assert outbox.lane(Lane.URGENT).refused == 20
        assert outbox.lane(Lane.ROUTINE).refused == 20
        assert outbox.status().lost == 40 + 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("a small disk (tmpfs) can be mounted by root only")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


async def test_alarms_get_through_a_disk_that_others_filled_and_it_recovers(small_disk: Path) -> None:
    filler = small_disk / "filler"
    async with opened(small_disk) as outbox:
        for _ in range(50):
            await outbox.accept([routine("old", padding=300)] * 50)
        assert (small_disk / "outbox.reserve").exists()
        fill(filler)
        for number in range(4000):
            await outbox.accept([urgent(number)])
        status = outbox.status()
        assert status.lanes[Lane.URGENT].depth == 4000
        rows = await outbox.read(Lane.URGENT, 0, 10_000, 1 << 30)
        assert [device_of(row.body) for row in rows] == [f"door-{number}" for number in range(4000)]
        filler.unlink()
        await outbox.tend()
        await outbox.accept([urgent("after")])
        assert (small_disk / "outbox.reserve").exists()
        assert outbox.status().disk == "ok"
    async with opened(small_disk) as outbox:
        assert outbox.lane(Lane.URGENT).depth == 4001
        assert outbox.status().moved_aside is None


async def test_a_box_whose_disk_is_full_at_the_start_still_takes_alarms(small_disk: Path) -> None:
    filler = small_disk / "filler"
    async with opened(small_disk) as outbox:
        await outbox.accept([routine("old", padding=300)] * 500)
    fill(filler)
    async with opened(small_disk) as outbox:
        for number in range(100):
            await outbox.accept([urgent(number)])
        assert outbox.lane(Lane.URGENT).depth == 100
