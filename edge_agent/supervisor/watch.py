"""Keeps one driver running: restarted when it crashes or falls silent, with growing pauses, for ever."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from edge_agent.backoff import Backoff
from edge_agent.ports import Driver
from wire.clock import Clock
from wire.events import DriverHealth

HANG_S: Final = 30.0
_CHECK_S: Final = 1.0
_STOP_S: Final = 5.0
_HEALTHY_S: Final = 60.0

log = structlog.get_logger()


@dataclass(slots=True)
class Beat:
    """When a driver last said that it lives, on the monotonic clock."""

    last_s: float = 0.0


class Watched:
    """A driver and what its supervisor knows of it."""

    def __init__(
        self,
        driver: Driver,
        beat: Beat,
        clock: Clock,
        *,
        jitter: Callable[[], float] | None = None,
        stop_s: float = _STOP_S,
    ) -> None:
        self.driver = driver
        self._beat = beat
        self._clock = clock
        self._backoff = Backoff(first_s=1.0, most_s=60.0, jitter=jitter)
        self._stop_s = stop_s
        self._restarts = 0
        self._trouble: DriverHealth | None = DriverHealth(state="starting")

    def health(self) -> DriverHealth:
        """The driver's own word while it runs, ours while it does not."""
        found = self._trouble
        if found is None:
            try:
                found = self.driver.health()
            except Exception as error:  # noqa: BLE001  # a driver's fault must not stop the health report
                found = DriverHealth(state="failed", detail=_brief(f"health: {error!r}"))
        return DriverHealth(state=found.state, detail=found.detail, restarts=found.restarts + self._restarts)

    async def run(self) -> None:
        """Run the driver until cancelled."""
        while True:
            started_s = self._beat.last_s = self._clock.monotonic()
            task = asyncio.create_task(self._run_driver(), name=f"driver-{self.driver.name}")
            self._trouble = None
            try:
                why = await self._watch(task)
            finally:
                is_stuck = not await _stop(task, self._stop_s)
            if is_stuck:
                # A second one beside it would fight over the port: only a restart of the agent helps.
                self._trouble = DriverHealth(state="failed", detail=_brief(f"{why}, and it does not stop"))
                log.error("driver.stuck", driver=self.driver.name)
                await asyncio.wait({task})
            self._restarts += 1
            if self._clock.monotonic() - started_s > _HEALTHY_S:
                self._backoff.reset()
            pause_s = self._backoff.next_s()
            self._trouble = DriverHealth(state="backing_off", detail=_brief(why))
            log.error("driver.restart", driver=self.driver.name, why=why, pause_s=round(pause_s, 1))
            await self._clock.sleep(pause_s)

    async def _run_driver(self) -> str:
        """Why the driver ended."""
        try:
            await self.driver.run()
        except Exception as error:  # the top of a supervised task
            log.exception("driver.crashed", driver=self.driver.name)
            return f"crashed: {type(error).__name__}: {error}"
        return "ended by itself"

    async def _watch(self, task: "asyncio.Task[str]") -> str:
        while True:
            tick = asyncio.ensure_future(self._clock.sleep(_CHECK_S))
            try:
                await asyncio.wait({task, tick}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                tick.cancel()
            if task.done():
                return "cancelled itself" if task.cancelled() else task.result()
            silent_s = self._clock.monotonic() - self._beat.last_s
            if silent_s > HANG_S:
                return f"hung: no sign of life for {silent_s:.0f} s"


async def _stop(task: "asyncio.Task[str]", within_s: float) -> bool:
    """Cancel and give it a few seconds. Returns whether it ended."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=within_s)
    return task.done()


def _brief(text: str) -> str:
    return text[:512]
