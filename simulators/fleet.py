"""Thousands of gateways on the wire contract alone, each with a connection of its own, to load and to check a hub.

Every gateway numbers its events, keeps them until they are acknowledged and sends them again when they are not. The
report says what was lost, doubled or answered wrongly, and how long acknowledgements took.
"""

import asyncio
import json
import random
import resource
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from simulators.errors import SimulatorError
from simulators.mqtt_loop import MqttLoopClient, MqttVersion, probe_version
from simulators.wire_stream import WireStream
from wire.clock import Clock
from wire.errors import ContractError
from wire.events import (
    Credential,
    DeviceHealth,
    DeviceHealthData,
    DoorState,
    DoorStateData,
    KnownEvent,
    LockAccess,
    LockAccessData,
    SmokeState,
    SmokeStateData,
)
from wire.ids import new_ulid
from wire.messages import Ack, Status, decode, encode, encode_batch, encode_event
from wire.topics import Leaf, topic

_TURN_S: Final = 0.05
_CONNECTING_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What is asked of the fleet: `events` in all at `rate` per second in all, for `seconds` at most.

    `drain_s` is how long acknowledgements are waited for after the last event.
    """

    url: str
    gateways: int
    rate: float
    events: int | None = None
    seconds: float | None = 60.0
    drain_s: float = 30.0
    batch: int = 100
    retry_s: float = 5.0
    prefix: str = "gw-fleet"
    seed: int = 1


@dataclass(slots=True)
class FleetReport:
    """What came of it. Latency is from first handing an event to the broker to its acknowledgement."""

    gateways: int = 0
    sent: int = 0
    acknowledged: int = 0
    repeats: int = 0
    reconnects: int = 0
    seconds: float = 0.0
    waits_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    numbered: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Gateway -> its epoch and how many events it numbered in it."""

    @property
    def lost(self) -> int:
        """Events that were not acknowledged by the end."""
        return self.sent - self.acknowledged

    @property
    def is_good(self) -> bool:
        """Whether every event was acknowledged, and nothing that was not sent."""
        return self.lost == 0 and not self.faults

    def latency_s(self, share: float) -> float:
        """The latency that `share` (0-1) of the events did not exceed; 0 without events."""
        if not self.waits_s:
            return 0.0
        ordered = sorted(self.waits_s)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def invent_event(dice: random.Random, gateway: str, at: datetime) -> KnownEvent:
    """An ordinary event of a building in which nothing happens: doors, cards, heartbeats. Never an alarm."""
    room = f"{dice.randint(1, 6)}{dice.randint(1, 4):02d}"
    unit = f"{gateway}-{room}"
    draw = dice.random()
    if draw < 0.4:
        return DoorState(observed_at=at, device=f"door-{room}", unit=unit, data=DoorStateData(open=draw < 0.2))
    if draw < 0.7:
        card = Credential(type="card", ref=f"hmac:{dice.getrandbits(256):064x}")
        data = LockAccessData(result="granted", credential=card, direction="in")
        return LockAccess(observed_at=at, device=f"lock-{room}", unit=unit, data=data)
    if draw < 0.85:
        smoke = SmokeStateData(alarm=False, obscuration_pct_per_m=round(dice.random() * 0.2, 3))
        return SmokeState(observed_at=at, device=f"smoke-{room}", unit=unit, data=smoke)
    health = DeviceHealthData(battery_pct=float(dice.randint(40, 100)), rssi_dbm=-60.0)
    return DeviceHealth(observed_at=at, device=f"lock-{room}", unit=unit, data=health)


class FleetGateway:
    """One gateway: a stream and its connection."""

    def __init__(self, gateway: str, plan: FleetPlan, version: MqttVersion, clock: Clock, report: FleetReport) -> None:
        self.gateway = gateway
        self.stream = WireStream(
            new_ulid(clock.now()),
            batch=plan.batch,
            window=plan.batch * 4,
            retry_s=plan.retry_s,
            spread=zlib.crc32(gateway.encode()) / 0xFFFFFFFF,
        )
        self._plan = plan
        self._version = version
        self._clock = clock
        self._report = report
        self._link: MqttLoopClient | None = None

    async def connect(self) -> None:
        """Connect, listen for acknowledgements, say that we are here. Raises SimulatorError."""
        since = self._clock.now()
        will = encode(Status(state="offline", since=since, epoch=self.stream.epoch))
        status_topic = topic(self.gateway, Leaf.STATUS)
        link = MqttLoopClient(
            self._plan.url,
            self.gateway,
            version=self._version,
            on_message=self._on_message,
            will=(status_topic, will),
        )
        await link.connect()
        await link.subscribe(topic(self.gateway, Leaf.ACK))
        online = Status(state="online", since=since, agent_version="anfang-sim", epoch=self.stream.epoch)
        link.publish(status_topic, encode(online), retain=True)
        self._link = link

    async def mend(self) -> None:
        """Connect again when the broker hung up; what was under way is sent again when it is due."""
        if self._link is not None and self._link.lost.done():
            self._link.drop()
            self._link = None
            self._report.reconnects += 1
        if self._link is None:
            await self.connect()

    def send_due(self) -> None:
        """Publish what the stream says is due."""
        link = self._link
        if link is None or link.lost.done():
            return
        for due in self.stream.due(self._clock.monotonic()):
            payload = encode_batch(
                gateway=self.gateway,
                epoch=self.stream.epoch,
                first_seq=due.first_seq,
                floor_seq=self.stream.acknowledged,
                sent_at=self._clock.now(),
                clock="synced",
                events=due.events,
            )
            link.publish(topic(self.gateway, Leaf.EVENT), payload)

    def leave(self) -> None:
        """Say goodbye properly."""
        if self._link is not None and not self._link.lost.done():
            status = Status(state="offline", since=self._clock.now(), epoch=self.stream.epoch)
            self._link.publish(topic(self.gateway, Leaf.STATUS), encode(status), retain=True)
            self._link.disconnect()

    def vanish(self) -> None:
        """Break off as a power cut would."""
        if self._link is not None:
            self._link.drop()

    def _on_message(self, _topic: str, payload: bytes) -> None:
        try:
            ack = decode(payload, Ack)
        except ContractError as error:
            self._report.faults.append(f"{self.gateway}: {error.reason}")
            return
        self._report.waits_s += self.stream.on_ack(ack, self._clock.monotonic())


def gateway_ids(plan: FleetPlan) -> list[str]:
    """`gw-fleet-0001` and so on."""
    width = max(4, len(str(plan.gateways)))
    return [f"{plan.prefix}-{number:0{width}d}" for number in range(1, plan.gateways + 1)]


async def run_fleet(plan: FleetPlan, clock: Clock) -> FleetReport:
    """Connect all gateways, send at the asked rate until a bound is reached, wait for the acknowledgements, report.

    Raises SimulatorError when the broker cannot be reached or refuses.
    """
    if plan.events is None and plan.seconds is None:
        raise SimulatorError("fleet: neither a number of events nor a time bounds it; give --events or --seconds")
    _allow_open_files(plan.gateways + 100)
    version = await probe_version(plan.url)
    report = FleetReport(gateways=plan.gateways)
    fleet = [FleetGateway(name, plan, version, clock, report) for name in gateway_ids(plan)]
    try:
        for start in range(0, len(fleet), _CONNECTING_AT_ONCE):
            await asyncio.gather(*(gateway.connect() for gateway in fleet[start : start + _CONNECTING_AT_ONCE]))
        began_s = clock.monotonic()
        await _emit(plan, fleet, clock)
        await _drain(plan, fleet, clock)
        report.seconds = clock.monotonic() - began_s
    finally:
        for gateway in fleet:
            gateway.leave()
    for gateway in fleet:
        report.sent += gateway.stream.numbered
        if gateway.stream.numbered:
            report.numbered[gateway.gateway] = (gateway.stream.epoch, gateway.stream.numbered)
        report.acknowledged += gateway.stream.acknowledged
        report.repeats += gateway.stream.repeats
        report.faults += [f"{gateway.gateway}: {fault}" for fault in gateway.stream.faults]
    return report


async def _emit(plan: FleetPlan, fleet: Sequence[FleetGateway], clock: Clock) -> None:
    dice = random.Random(plan.seed)  # a repeatable load, no secret
    began_s = clock.monotonic()
    emitted = 0
    while True:
        elapsed_s = clock.monotonic() - began_s
        if plan.seconds is not None and elapsed_s >= plan.seconds:
            return
        owed = int(elapsed_s * plan.rate) + 1
        if plan.events is not None:
            owed = min(owed, plan.events)
        for number in range(emitted, owed):
            gateway = fleet[number % len(fleet)]
            gateway.stream.add(encode_event(invent_event(dice, gateway.gateway, clock.now())))
        emitted = max(emitted, owed)
        await _turn(fleet)
        if plan.events is not None and emitted >= plan.events:
            return
        await clock.sleep(_TURN_S)


async def _drain(plan: FleetPlan, fleet: Sequence[FleetGateway], clock: Clock) -> None:
    give_up_s = clock.monotonic() + plan.drain_s
    while any(gateway.stream.depth for gateway in fleet) and clock.monotonic() < give_up_s:
        await _turn(fleet)
        await clock.sleep(_TURN_S)


async def _turn(fleet: Sequence[FleetGateway]) -> None:
    for gateway in fleet:
        try:
            await gateway.mend()
        except SimulatorError:
            # The broker is away; the stream keeps its events, and the next turn tries again.
            continue
        gateway.send_due()


def _allow_open_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SimulatorError(f"fleet: {wanted} open files are needed and {hard} allowed; raise `ulimit -n`")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def report_lines(report: FleetReport) -> list[str]:
    """The report for a person, in one block."""
    rate = report.acknowledged / report.seconds if report.seconds else 0.0
    lines = [
        f"gateways      {report.gateways}",
        f"sent          {report.sent}",
        f"acknowledged  {report.acknowledged}  ({rate:.0f}/s over {report.seconds:.1f} s)",
        f"lost          {report.lost}",
        f"sent again    {report.repeats} batches",
        f"reconnected   {report.reconnects} times",
        f"latency       p50 {report.latency_s(0.5) * 1000:.0f} ms, p99 {report.latency_s(0.99) * 1000:.0f} ms, "
        f"max {report.latency_s(1.0) * 1000:.0f} ms",
    ]
    lines += [f"fault         {fault}" for fault in report.faults[:20]]
    return lines


def report_json(report: FleetReport) -> str:
    """The report for a program."""
    return json.dumps(
        {
            "gateways": report.gateways,
            "sent": report.sent,
            "acknowledged": report.acknowledged,
            "lost": report.lost,
            "batches_sent_again": report.repeats,
            "reconnects": report.reconnects,
            "seconds": round(report.seconds, 3),
            "latency_ms": {
                name: round(report.latency_s(share) * 1000, 1)
                for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))
            },
            "faults": report.faults,
        }
    )
