"""Reports gateway.health: every interval, and at once (but not too often) when the state of a part changes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psutil
import structlog

from edge_agent.clock_quality import ClockJudge, read_kernel_clock
from edge_agent.config import GatewaySection
from edge_agent.errors import OutboxError
from edge_agent.outbox import Outbox, OutboxStatus
from edge_agent.ports import Sink
from edge_agent.uplink import UplinkStatus
from wire.clock import Clock
from wire.events import DriverHealth, GatewayHealth, GatewayHealthData

_TICK_S: Final = 1.0
# A part that flaps is told every few seconds at most.
_DEBOUNCE_S: Final = 2.0
_NO_ACK_S: Final = 120.0

log = structlog.get_logger()


def outbox_health(status: OutboxStatus) -> DriverHealth:
    """The queue as one more part of the gateway."""
    what = {
        "ok": "",
        "quota": "full: the oldest telemetry makes room",
        "full": "the disk is full",
        "failing": "the disk is failing: events are refused",
    }[status.disk]
    if status.moved_aside is not None:
        what = "; ".join(filter(None, [what, f"was damaged: {status.salvaged} events salvaged, {status.moved_aside}"]))
    if status.disk == "failing":
        return DriverHealth(state="failed", detail=what[:512])
    return DriverHealth(state="degraded" if what else "running", detail=what[:512])


def uplink_health(status: UplinkStatus, depth: int) -> DriverHealth:
    """The uplink as one more part of the gateway."""
    if not status.is_up:
        return DriverHealth(state="backing_off", detail=status.detail[:512])
    refusals = [mode for mode in status.lanes.values() if ":" in mode]
    if refusals:
        return DriverHealth(state="degraded", detail=refusals[0][:512])
    if depth and status.last_ack_s is not None and status.last_ack_s > _NO_ACK_S:
        return DriverHealth(state="degraded", detail="connected, but the hub does not acknowledge")
    return DriverHealth(state="running", detail=status.detail[:512])


class HealthReporter:
    """Looks at everything each second and tells the hub what it should know."""

    def __init__(
        self,
        gateway: GatewaySection,
        *,
        sink: Sink,
        outbox: Outbox,
        judge: ClockJudge,
        parts: Callable[[], Mapping[str, DriverHealth]],
        clock: Clock,
    ) -> None:
        self._gateway_id = gateway.id
        self._data_dir = gateway.data_dir
        self._interval_s = gateway.health_interval_s
        self._sink = sink
        self._outbox = outbox
        self._judge = judge
        self._parts = parts
        self._clock = clock
        self._started_s = clock.monotonic()
        self._process = psutil.Process()
        self._process.cpu_percent()

    async def run(self) -> None:
        """Report until cancelled."""
        told: dict[str, str] = {}
        told_s = float("-inf")
        while True:
            now_s = self._clock.monotonic()
            parts = dict(self._parts())
            states: dict[str, str] = {name: health.state for name, health in parts.items()}
            is_due = now_s - told_s >= self._interval_s
            if is_due or (states != told and now_s - told_s >= _DEBOUNCE_S):
                if is_due:
                    self._judge.look(read_kernel_clock())
                if await self._tell(parts):
                    told = states
                told_s = now_s
            await self._clock.sleep(_TICK_S)

    async def _tell(self, parts: dict[str, DriverHealth]) -> bool:
        try:
            await self._outbox.tend()
            await self._sink.accept([self.look(parts)])
        except OutboxError as error:
            log.error("health.not_stored", error=str(error))
            return False
        return True

    def look(self, parts: dict[str, DriverHealth]) -> GatewayHealth:
        """The event as of now."""
        status = self._outbox.status()
        now = self._clock.now()
        oldest_ms = status.oldest_ms
        oldest_s = None if oldest_ms is None else max(0.0, round(now.timestamp() - oldest_ms / 1000, 1))
        return GatewayHealth(
            observed_at=now,
            device=self._gateway_id,
            data=GatewayHealthData(
                uptime_s=round(self._clock.monotonic() - self._started_s, 1),
                outbox_depth=status.depth,
                outbox_oldest_s=oldest_s,
                outbox_dropped=status.lost,
                dead_letters=status.dead_letters,
                disk_free_bytes=_disk_free(self._data_dir),
                cpu_pct=round(self._process.cpu_percent(), 1),
                memory_bytes=self._process.memory_info().rss,
                temperature_c=_temperature_c(),
                clock_offset_s=self._judge.offset_s,
                drivers=parts,
            ),
        )


def _disk_free(folder: Path) -> int | None:
    try:
        return psutil.disk_usage(str(folder)).free
    except OSError:
        return None


def _temperature_c() -> float | None:
    """The hottest of the board's own sensors."""
    readings = [sensor.current for group in psutil.sensors_temperatures().values() for sensor in group]
    return round(max(readings), 1) if readings else None
