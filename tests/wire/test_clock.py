"""The fake clock wakes sleepers in order, and the real one is aware."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from wire.clock import FakeClock, SystemClock


async def test_sleepers_wake_in_order_of_their_deadlines() -> None:
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, delay_s: float) -> None:
        await clock.sleep(delay_s)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 60))
        group.create_task(sleeper("early", 5))
        await clock.advance(4.9)
        assert woken == []
        await clock.advance(100)
    assert woken == [("early", 5), ("late", 60)]
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=104.9)


async def test_a_loop_of_sleeps_runs_as_often_as_time_allows() -> None:
    clock = FakeClock()
    turns = 0

    async def loop() -> None:
        nonlocal turns
        while True:
            await clock.sleep(1)
            turns += 1

    task = asyncio.create_task(loop())
    await clock.advance(10.5)
    task.cancel()
    assert turns == 10


async def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        await FakeClock().advance(-1)
    with pytest.raises(ValueError, match="aware"):
        FakeClock(datetime(2026, 1, 1))


async def test_the_system_clock_is_aware_and_sleeps() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.009
