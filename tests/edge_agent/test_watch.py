"""A driver that crashes, ends, hangs or cannot be stopped: restarted or shown, and never anyone else's trouble."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from support.wait import until_async

from edge_agent.supervisor.watch import HANG_S, Beat, Watched
from wire.clock import FakeClock
from wire.events import DriverHealth


class Script:
    """A driver whose runs go by a script: `crash`, `crash late`, `end`, `hang`, `work`."""

    name = "script"
    device_ids = frozenset[str]()

    def __init__(self, clock: FakeClock, beat: Beat, *runs: str) -> None:
        self.clock = clock
        self.beat = beat
        self.runs = list(runs)
        self.started = 0
        self.is_health_broken = False

    async def run(self) -> None:
        self.started += 1
        match self.runs.pop(0) if self.runs else "work":
            case "crash":
                raise ValueError("a bug in the driver")
            case "end":
                return
            case "hang":
                await asyncio.Event().wait()
            case "crash late":
                for _ in range(95):
                    self.beat.last_s = self.clock.monotonic()
                    await self.clock.sleep(1)
                raise ValueError("a bug in the driver")
            case _:
                while True:
                    self.beat.last_s = self.clock.monotonic()
                    await self.clock.sleep(1)

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def health(self) -> DriverHealth:
        if self.is_health_broken:
            raise ValueError("a bug in health")
        return DriverHealth(state="running", restarts=1)


@asynccontextmanager
async def watched(*runs: str) -> AsyncIterator[tuple[Watched, Script, FakeClock]]:
    clock, beat = FakeClock(), Beat()
    driver = Script(clock, beat, *runs)
    found = Watched(driver, beat, clock, jitter=lambda: 1.0)
    task = asyncio.create_task(found.run())
    await asyncio.sleep(0.01)
    try:
        yield found, driver, clock
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def advance(clock: FakeClock, seconds: float) -> None:
    """In steps, because what is restarted needs turns of the loop that are not the clock's."""
    for _ in range(int(seconds * 2)):
        await clock.advance(0.5)
        await asyncio.sleep(0)


async def test_a_driver_that_works_is_left_alone_and_speaks_for_itself() -> None:
    async with watched() as (found, driver, clock):
        await advance(clock, 200)
        assert driver.started == 1
        assert found.health() == DriverHealth(state="running", restarts=1)


async def test_a_crashed_driver_is_restarted_with_growing_pauses_and_shown() -> None:
    async with watched("crash", "crash", "end") as (found, driver, clock):
        await until_async(lambda: found.health().state == "backing_off", what="the first crash")
        assert found.health().detail == "crashed: ValueError: a bug in the driver"
        await advance(clock, 1.5)
        assert (driver.started, found.health().restarts) == (2, 2)
        await advance(clock, 1)
        assert driver.started == 2, "the second pause is longer"
        await advance(clock, 1)
        assert driver.started == 3
        assert found.health().detail == "ended by itself"
        await advance(clock, 10)
        assert (driver.started, found.health().state) == (4, "running")


async def test_a_silent_driver_is_restarted() -> None:
    async with watched("hang") as (found, driver, clock):
        await advance(clock, HANG_S - 1)
        assert driver.started == 1
        await advance(clock, 5)
        assert driver.started == 2
        assert found.health() == DriverHealth(state="running", restarts=2)


async def test_pauses_are_short_again_after_a_healthy_minute() -> None:
    async with watched("crash", "crash", "crash", "crash late") as (found, driver, clock):
        await advance(clock, 8)
        assert driver.started == 4
        await advance(clock, 89)
        assert driver.started == 4
        await until_async(lambda: advance_until(found, clock), what="the late crash")
        await advance(clock, 1.5)
        assert driver.started == 5, "a second's pause, not eight"


async def advance_until(found: Watched, clock: FakeClock) -> bool:
    await advance(clock, 0.5)
    return found.health().state == "backing_off"


async def test_a_driver_that_swallows_its_cancellation_is_shown_and_not_doubled() -> None:
    clock, beat = FakeClock(), Beat()
    release = asyncio.Event()

    class Stubborn(Script):
        async def run(self) -> None:
            self.started += 1
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue

    driver = Stubborn(clock, beat)
    found = Watched(driver, beat, clock, jitter=lambda: 1.0, stop_s=0.05)
    task = asyncio.create_task(found.run())
    await asyncio.sleep(0.01)
    await advance(clock, HANG_S + 3)
    await until_async(lambda: "does not stop" in found.health().detail, what="the trouble shown")
    assert found.health().state == "failed"
    await advance(clock, 100)
    assert driver.started == 1
    release.set()
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_health_that_raises_is_a_failure_shown() -> None:
    async with watched() as (found, driver, _):
        driver.is_health_broken = True
        assert found.health().state == "failed"
        assert "a bug in health" in found.health().detail
