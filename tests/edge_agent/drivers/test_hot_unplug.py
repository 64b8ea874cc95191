"""Every kind of bus loses its cable in the middle of traffic: nothing accepted is lost, and it works again by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.cut_proxy import CutProxy
from support.drivers import agent_config, running
from support.serial_server import SerialServer
from support.servers import free_port, mosquitto
from support.wait import until_async

from edge_agent.outbox import Outbox
from edge_agent.outbox.rows import LANES
from edge_agent.ports import Driver, Place
from edge_agent.protocols.gb26875 import Command, Frame, Framer
from simulators.devices.modbus_sensor import ModbusSmoke
from simulators.devices.osdp_reader import OsdpReader
from simulators.devices.serial_line import SerialLine
from simulators.devices.zigbee2mqtt import FakeZigbee2Mqtt
from wire.clock import SystemClock
from wire.events import KnownEvent
from wire.messages import decode_event

pytestmark = [
    pytest.mark.integration,
    # pyserial's RFC 2217 still names its thread in the old way.
    pytest.mark.filterwarnings("ignore:set(Daemon|Name)"),
]

RECOVERS_S = 40.0
PACE_S = 0.03
# ActorLancer/GB-T-26875.3.2011-rs, worked example 1; position and checksum are filled in.
FIRE = bytes.fromhex(
    "40400100010120 3A091A090C 790300000000 385B01000000 3000 02 0201 01 01 28 0A00 0200 0200"
    + "20" * 30
    + "00 023A091A090C 46 2323"
)


class Accepted:
    """The real outbox, and what it said that it has."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.accepted: list[tuple[Place, KnownEvent]] = []

    async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
        places = await self.outbox.accept(events)
        self.accepted += zip(places, events, strict=True)
        return places

    def of(self, device: str, kind: str) -> list[Any]:
        return [event.data for _, event in self.accepted if event.device == device and event.kind == kind]

    async def check(self) -> None:
        """Whatever was accepted can be read, in the order of its numbers, with no number missing."""
        for lane in LANES:
            rows = []
            while more := await self.outbox.read(lane, rows[-1].seq if rows else 0, 500, 1 << 20):
                rows += more
            assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
            kept = {row.seq: decode_event(row.body) for row in rows}
            epoch = self.outbox.status().lanes[lane].epoch
            for place, event in self.accepted:
                if place.epoch == epoch:
                    assert (kept[place.seq].device, kept[place.seq].kind) == (event.device, event.kind)


@contextlib.asynccontextmanager
async def site(folder: Path, **tables: Any) -> AsyncIterator[tuple[Driver, Accepted]]:
    clock = SystemClock()
    outbox = await Outbox.open(folder / "o.db", gateway_id="gw-test", max_bytes=1 << 26, clock=clock)
    accepted = Accepted(outbox)
    try:
        async with running(agent_config(folder, **tables), accepted) as [driver]:  # type: ignore[arg-type]
            yield driver, accepted
        await accepted.check()
    finally:
        await outbox.close()


def bus(kind: str, port: str, profile: str) -> dict[str, Any]:
    return {
        "bus": [{"name": "b", "kind": kind, "port": port}],
        "device": [{"id": "dev", "profile": profile, "bus": "b", "address": 7}],
    }


class Cable:
    """The serial adapter or the serial server between gateway and line."""

    def __init__(self, line: SerialLine, kind: str) -> None:
        self._line = line
        self._server = None if kind == "serial" else SerialServer(line, is_rfc2217=kind == "rfc2217")
        self.port = str(line.path) if self._server is None else f"{kind}://127.0.0.1:{self._server.port}"

    async def pull(self, driver: Driver) -> None:
        if self._server is not None:
            self._server.cut()
        else:
            self._line.unplug()
        await until_async(lambda: driver.health().state != "running", deadline_s=RECOVERS_S, what="the loss noticed")

    def put_back(self) -> None:
        if self._server is None:
            self._line.plug_in()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


@contextlib.contextmanager
def wired(folder: Path, kind: str):
    line = SerialLine(folder / "by-id" / "rs485")
    cable = Cable(line, kind)
    try:
        yield line, cable
    finally:
        cable.close()
        line.close()


@contextlib.asynccontextmanager
async def talking(say: Any) -> AsyncIterator[None]:
    """Something is said again and again, whatever becomes of the cable."""

    async def talk() -> None:
        number = 0
        while True:
            say(number)
            number += 1
            await asyncio.sleep(PACE_S)

    task = asyncio.create_task(talk())
    try:
        yield
        assert not task.done() or task.result() is None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("kind", ["serial", "tcp", "rfc2217"])
async def test_an_osdp_bus(tmp_path: Path, kind: str):
    with wired(tmp_path, kind) as (line, cable):
        reader = OsdpReader(line, 7)
        try:
            async with (
                site(tmp_path, **bus("osdp", cable.port, "generic/osdp-reader")) as (driver, accepted),
                talking(lambda n: reader.present_card(f"25,{n + 1}") if n % 4 == 0 else None),
            ):
                await until_async(lambda: len(accepted.of("dev", "lock.access")) > 2, deadline_s=RECOVERS_S)
                await cable.pull(driver)
                before = len(accepted.of("dev", "lock.access"))
                cable.put_back()
                await until_async(
                    lambda: len(accepted.of("dev", "lock.access")) > before + 2, deadline_s=RECOVERS_S, what="cards"
                )
        finally:
            reader.close()


@pytest.mark.parametrize("kind", ["serial", "tcp", "rfc2217"])
async def test_a_modbus_bus(tmp_path: Path, kind: str):
    with wired(tmp_path, kind) as (line, cable):
        sensor = ModbusSmoke(line, 7)
        try:
            async with site(tmp_path, **bus("modbus", cable.port, "calectro/ug-3-o-mb-r")) as (driver, accepted):
                await until_async(lambda: accepted.of("dev", "smoke.state"), deadline_s=RECOVERS_S)
                await cable.pull(driver)
                # What happens while the cable is out is a state: it is there when the cable is back.
                sensor.alarm(True)
                cable.put_back()
                await until_async(
                    lambda: [data.alarm for data in accepted.of("dev", "smoke.state")] == [False, True],
                    deadline_s=RECOVERS_S,
                    what="the alarm that began meanwhile",
                )
                await until_async(lambda: driver.health().state == "running", deadline_s=RECOVERS_S)
        finally:
            sensor.close()


async def test_modbus_tcp(tmp_path: Path):
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    port = free_port()
    bits = [SimData(0, values=[True] + [False] * 15, datatype=DataType.BITS)]
    registers = [SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)]
    none = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    server = ModbusTcpServer([SimDevice(7, (none, bits, registers, registers))], address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        async with CutProxy(port) as cable:
            tables = bus("modbus", f"modbus-tcp://127.0.0.1:{cable.port}", "calectro/ug-3-o-mb-r")
            async with site(tmp_path, **tables) as (driver, accepted):
                await until_async(lambda: driver.health().state == "running", deadline_s=RECOVERS_S)
                await cable.cut()
                await until_async(lambda: driver.health().state == "backing_off", deadline_s=RECOVERS_S)
                await server.async_setValues(7, 2, 2, [True])
                await cable.mend()
                await until_async(
                    lambda: [data.alarm for data in accepted.of("dev", "smoke.state")] == [False, True],
                    deadline_s=RECOVERS_S,
                    what="the alarm that began meanwhile",
                )
    finally:
        await server.shutdown()


def fire(position: int) -> bytes:
    body = bytearray(FIRE[:-3])
    at = body.index(bytes.fromhex("0A000200")) + 2
    body[at : at + 2] = position.to_bytes(2, "little")
    body[2:4] = position.to_bytes(2, "little")
    return bytes(body) + bytes([sum(body[2:]) & 0xFF]) + b"##"


class Transmitter:
    """Says one fire after another, each until it is confirmed, as clause 6 asks of it."""

    def __init__(self) -> None:
        self.confirmed = 0
        self._framer = Framer()

    def next(self) -> bytes:
        return fire(self.confirmed + 1)

    def hear(self, data: bytes) -> None:
        for frame in self._framer.feed(data):
            if isinstance(frame, Frame) and frame.command == Command.CONFIRM and frame.serial == self.confirmed + 1:
                self.confirmed += 1


def fires(accepted: Accepted) -> set[str]:
    return {event.device for _, event in accepted.accepted if event.kind == "fire.component"}


async def test_a_fire_panels_transmitter_on_tcp(tmp_path: Path):
    port = free_port()
    tables = bus("gb26875", f"listen://127.0.0.1:{port}", "generic/gb26875-transmitter")
    tables["device"][0]["address"] = 0x379
    far = Transmitter()
    async with site(tmp_path, **tables) as (_driver, accepted), CutProxy(port) as cable:
        for goal in (5, 10):
            with contextlib.suppress(OSError):
                await _transmit(far, cable.port, goal, cable if goal == 5 else None)
            await cable.mend() if goal == 5 else None
        assert far.confirmed >= 10
        assert {f"dev/10.{number + 1}" for number in range(far.confirmed)} <= fires(accepted)


async def _transmit(far: Transmitter, port: int, goal: int, cable: CutProxy | None) -> None:
    """Transmit until `goal` fires are confirmed; then cut the cable with one under way."""
    end_s = asyncio.get_running_loop().time() + RECOVERS_S
    while asyncio.get_running_loop().time() < end_s:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while far.confirmed < goal:
                    writer.write(far.next())
                    with contextlib.suppress(TimeoutError):
                        if not (data := await asyncio.wait_for(reader.read(4096), 2)):
                            break
                        far.hear(data)
                else:
                    writer.write(far.next())
                    await writer.drain()
                    if cable is not None:
                        await cable.cut()
                    return
            finally:
                writer.close()
        await asyncio.sleep(PACE_S)
    raise AssertionError(f"{far.confirmed} fires confirmed, not {goal}")


async def test_a_fire_panels_transmitter_on_a_serial_line(tmp_path: Path):
    line = SerialLine(tmp_path / "by-id" / "panel")
    port = line.attach()
    tables = bus("gb26875", str(line.path), "generic/gb26875-transmitter")
    tables["device"][0]["address"] = 0x379
    far = Transmitter()

    def turn(_number: int) -> None:
        far.hear(port.read(4096))
        port.write(far.next())

    try:
        async with site(tmp_path, **tables) as (driver, accepted), talking(turn):
            await until_async(lambda: far.confirmed > 3, deadline_s=RECOVERS_S, what="confirmations")
            line.unplug()
            await until_async(lambda: driver.health().state == "backing_off", deadline_s=RECOVERS_S)
            before = far.confirmed
            line.plug_in()
            await until_async(lambda: far.confirmed > before + 3, deadline_s=RECOVERS_S, what="confirmations again")
            assert {f"dev/10.{number + 1}" for number in range(far.confirmed)} <= fires(accepted)
    finally:
        line.close()


async def test_the_brokers_cable(tmp_path: Path):
    with mosquitto(tmp_path) as broker:
        names = [f"door-{number}" for number in range(60)]
        bridge = FakeZigbee2Mqtt(broker.url, dict.fromkeys(names, "sonoff/snzb-04"))
        try:
            async with CutProxy(broker.port) as cable:
                tables = {
                    "mqtt": {"url": f"mqtt://127.0.0.1:{cable.port}"},
                    "device": [{"id": name, "profile": "sonoff/snzb-04", "address": name} for name in names],
                }
                async with site(tmp_path, **tables) as (driver, accepted):
                    await until_async(lambda: driver.health().state == "running", deadline_s=RECOVERS_S)

                    def opened() -> set[str]:
                        return {event.device for _, event in accepted.accepted if event.kind == "door.state"}

                    for number, name in enumerate(names):
                        # Each is said once, at QoS 1: what the agent has not confirmed the broker says again.
                        bridge.say_once(name, {"contact": False})
                        if number == 20:
                            await until_async(opened, what="the first door")
                            await cable.cut()
                        if number == 40:
                            await cable.mend()
                        await asyncio.sleep(0.005)
                    await until_async(
                        lambda: opened() == set(names),
                        deadline_s=RECOVERS_S,
                        what="every door, also those said meanwhile",
                    )
        finally:
            bridge.close()
