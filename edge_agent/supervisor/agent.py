"""The whole agent put together: who knows whom, in which order it starts and stops."""

import asyncio
import os
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

import structlog

from edge_agent.clock_quality import ClockJudge
from edge_agent.config import AgentConfig
from edge_agent.intake import Devices, Intake
from edge_agent.mqtt_link import MqttOptions
from edge_agent.outbox import Outbox
from edge_agent.ports import Driver, DriverContext
from edge_agent.reflexes import ReflexRules
from edge_agent.secrets import read_secret
from edge_agent.status import AgentStatus, DeadLetterReport, LaneReport, serve_status
from edge_agent.supervisor.health import HealthReporter, outbox_health, uplink_health
from edge_agent.supervisor.systemd import Systemd
from edge_agent.supervisor.watch import Beat, Watched
from edge_agent.uplink import Uplink
from wire.clock import Clock
from wire.events import DriverHealth, Lane

BuildDrivers = Callable[[AgentConfig, Callable[[str], DriverContext]], list[Driver]]

_LANE_NAMES: Final = {Lane.URGENT: "urgent", Lane.ROUTINE: "routine"}
_LAST_WORDS_S: Final = 2.0

log = structlog.get_logger()


class Agent:
    """One gateway's agent. `run` until `stop` is set."""

    def __init__(self, config: AgentConfig, clock: Clock, build_drivers: BuildDrivers) -> None:
        """Raises ConfigError for secrets that cannot be read."""
        self._config = config
        self._clock = clock
        self._build_drivers = build_drivers
        self._options = hub_options(config)
        self._version = version("anfang")
        self._beats: dict[str, Beat] = {}
        self._watched: list[Watched] = []
        self._judge = ClockJudge(clock)
        self._started_s = clock.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, wait for `stop`, stop everything within seconds. Raises ConfigError, OutboxError."""
        config = self._config
        outbox = await Outbox.open(
            config.gateway.data_dir / "outbox.db",
            gateway_id=config.gateway.id,
            max_bytes=config.outbox.max_mib * 1024 * 1024,
            clock=self._clock,
            is_patient=True,
        )
        devices = Devices()
        rules = ReflexRules(tuple(config.reflexes.sirens), config.reflexes.siren_off_when_clear)
        intake = Intake(outbox, devices, rules, self._clock, config.gateway.id)
        try:
            await intake.recall()
            self._make_drivers(intake, devices)
            await self._live(stop, outbox, intake)
        finally:
            await intake.close()
            await outbox.close()
        log.info("agent.stopped")

    def _make_drivers(self, intake: Intake, devices: Devices) -> None:
        def context_for(name: str) -> DriverContext:
            beat = self._beats.setdefault(name, Beat())

            def alive() -> None:
                beat.last_s = self._clock.monotonic()

            return DriverContext(self._clock, intake, alive)

        for driver in self._build_drivers(self._config, context_for):
            devices.add(driver)
            self._watched.append(Watched(driver, self._beats.setdefault(driver.name, Beat()), self._clock))

    async def _live(self, stop: asyncio.Event, outbox: Outbox, intake: Intake) -> None:
        config = self._config
        uplink = Uplink(
            config.gateway.id,
            self._options,
            outbox,
            intake,
            self._clock,
            clock_quality=lambda: self._judge.quality,
            agent_version=self._version,
        )

        def parts() -> dict[str, DriverHealth]:
            status = outbox.status()
            return {watched.driver.name: watched.health() for watched in self._watched} | {
                "outbox": outbox_health(status),
                "uplink": uplink_health(uplink.status(), status.depth),
            }

        health = HealthReporter(
            config.gateway, sink=intake, outbox=outbox, judge=self._judge, parts=parts, clock=self._clock
        )
        systemd = Systemd()
        server = await serve_status(
            config.gateway.data_dir, lambda: asyncio.ensure_future(self._report(outbox, uplink, intake, parts))
        )
        drivers = [asyncio.create_task(watched.run(), name=f"watch-{watched.driver.name}") for watched in self._watched]
        inner = [
            asyncio.create_task(uplink.run(), name="uplink"),
            asyncio.create_task(health.run(), name="health"),
            asyncio.create_task(intake.insist(), name="reflexes"),
            asyncio.create_task(systemd.feed(self._clock), name="watchdog"),
        ]
        stopped = asyncio.create_task(stop.wait(), name="stop")
        log.info("agent.started", gateway=config.gateway.id, version=self._version, drivers=len(drivers))
        systemd.ready(f"{len(drivers)} drivers")
        try:
            await self._until(stopped, drivers + inner[:3])
        finally:
            systemd.stopping()
            stopped.cancel()
            server.close()
            await _cancel(drivers)
            # What the drivers said last is on disk; whether it is on its way too decides no loss.
            await uplink.drain(_LAST_WORDS_S)
            await uplink.say_goodbye()
            await _cancel(inner)

    async def _until(self, stopped: "asyncio.Task[bool]", tasks: "list[asyncio.Task[None]]") -> None:
        """Wait for the stop. The parts inside never end by themselves: one that does is a fault that ends us aloud."""
        await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done() and not task.cancelled():
                await task
                raise RuntimeError(f"{task.get_name()} ended by itself")

    async def _report(
        self, outbox: Outbox, uplink: Uplink, intake: Intake, parts: Callable[[], dict[str, DriverHealth]]
    ) -> AgentStatus:
        status, link = outbox.status(), uplink.status()
        now_s = self._clock.now().timestamp()
        lanes = [
            LaneReport(
                name=_LANE_NAMES[number],
                epoch=lane.epoch,
                depth=lane.depth,
                floor_seq=lane.floor_seq,
                last_seq=lane.last_seq,
                oldest_s=None if lane.oldest_ms is None else max(0.0, round(now_s - lane.oldest_ms / 1000, 1)),
                dropped=lane.dropped,
                refused=lane.refused,
                damaged=lane.damaged,
                sending=link.lanes.get(number, ""),
            )
            for number, lane in status.lanes.items()
        ]
        letters = await outbox.dead_letters(20) if status.dead_letters else []
        return AgentStatus(
            gateway=self._config.gateway.id,
            version=self._version,
            pid=os.getpid(),
            uptime_s=round(self._clock.monotonic() - self._started_s, 1),
            clock=self._judge.quality,
            uplink_up=link.is_up,
            uplink_detail=link.detail,
            uplink_last_ack_s=link.last_ack_s,
            uplink_strays=link.strays,
            lanes=lanes,
            disk=status.disk,
            salvaged=status.salvaged,
            moved_aside=status.moved_aside,
            dead_letters=status.dead_letters,
            dead_letters_forgotten=status.dead_letters_forgotten,
            newest_dead_letters=[
                DeadLetterReport(_LANE_NAMES[letter.lane], letter.epoch, letter.seq, letter.reason)
                for letter in letters
            ],
            drivers=parts(),
            sirens_sounding=intake.reflexes.is_sounding,
            detectors_in_alarm=sorted(intake.reflexes.alarming),
        )


def hub_options(config: AgentConfig) -> MqttOptions:
    """How to connect to the hub. Raises ConfigError when the password cannot be read or the URL is wrong."""
    hub = config.hub
    options = MqttOptions(
        url=hub.url,
        client_id=config.gateway.id,
        username=hub.username,
        password=None if hub.password_file is None else read_secret(hub.password_file, "hub.password_file"),
        ca_file=hub.ca_file,
        cert_file=hub.cert_file,
        key_file=hub.key_file,
        version=hub.mqtt_version,
        is_persistent=True,
    )
    options.tls()
    return options


async def _cancel(tasks: "list[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
