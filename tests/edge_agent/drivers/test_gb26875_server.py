"""The GB/T 26875.3 driver against published frames sent by a far side that only moves bytes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from support.drivers import MemorySink, agent_config, built, running
from support.wait import until_async

from edge_agent.config import AgentConfig
from edge_agent.drivers.datagram_peers import MAX_WAITING, DatagramPeers
from edge_agent.errors import CommandError, ConfigError, LinkError
from edge_agent.protocols.gb26875 import Command, Frame, Framer, answer_to, encode_frame
from edge_agent.protocols.gb26875.frame import CHINA_TIME
from simulators.devices.serial_line import SerialLine

pytestmark = pytest.mark.integration

# ActorLancer/GB-T-26875.3.2011-rs, worked examples 1 and 2; the checksums are the published ones.
SMOKE = bytes.fromhex(
    "40400100010120 3A091A090C 790300000000 385B01000000 3000 02 0201 01 01 28 0A00 0200 0200"
    + "20" * 30
    + "00 023A091A090C 46 2323"
)
MAINS = bytes.fromhex("40400100010120 3A091A090C 790300000000 385B01000000 0900 02 150108 023A091A090C 42 2323")
ADDRESS = 0x379


def config_for(folder: Path, port: str = "listen://127.0.0.1:0", **device: object) -> AgentConfig:
    listed = {
        "id": "panel", "profile": "generic/gb26875-transmitter", "bus": "fire", "parts": {"10.2": "unit-302"}, **device,
    }  # fmt: skip
    return agent_config(folder, bus=[{"name": "fire", "kind": "gb26875", "port": port}], device=[listed])


class FarSide:
    """Moves bytes and cuts the answers into frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.framer = reader, writer, Framer()

    async def frame(self, command: int) -> Frame:
        """The next frame with this command."""
        async with asyncio.timeout(60):
            while True:
                for frame in self.framer.feed(await self.reader.read(4096)):
                    assert isinstance(frame, Frame)
                    if frame.command == command:
                        return frame


@contextlib.asynccontextmanager
async def connected(driver: object) -> AsyncIterator[FarSide]:
    await until_async(lambda: driver.port, what="the server")
    reader, writer = await asyncio.open_connection("127.0.0.1", driver.port)
    try:
        yield FarSide(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_fire_is_an_event_of_the_part_and_its_unit_and_is_confirmed(tmp_path):
    sink = MemorySink()
    async with running(config_for(tmp_path, address=ADDRESS), sink) as [driver], connected(driver) as far:
        far.writer.write(SMOKE[:20])
        await far.writer.drain()
        far.writer.write(SMOKE[20:])
        confirm = await far.frame(Command.CONFIRM)
        assert (confirm.serial, confirm.source, confirm.destination) == (1, 0x15B38, ADDRESS)
        assert driver.health().state == "running"
    [fire] = sink.of("panel/10.2", "fire.component")
    assert (fire.component_type, fire.address, fire.states) == (40, "10.2", ["fire"])
    assert [data.alarm for data in sink.of("panel/10.2", "smoke.state")] == [True]
    assert {event.unit for event in sink.events if event.device == "panel/10.2"} == {"unit-302"}


async def test_nothing_is_confirmed_that_is_not_on_disk(tmp_path):
    sink = MemorySink()
    async with running(config_for(tmp_path, address=ADDRESS), sink) as [driver], connected(driver) as far:
        far.writer.write(encode_frame(Frame(5, Command.SEND, b"", ADDRESS, 0)))
        await far.frame(Command.CONFIRM)
        sink.refuses = True
        far.writer.write(MAINS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await far.frame(Command.CONFIRM)
        sink.refuses = False
        far.writer.write(MAINS)
        assert (await far.frame(Command.CONFIRM)).serial == 1
    assert next(data.fault for data in sink.of("panel", "device.health") if data.fault is not None) is True


async def test_its_clock_is_set_and_duty_is_checked(tmp_path):
    sink = MemorySink()
    async with running(config_for(tmp_path, address=ADDRESS), sink) as [driver], connected(driver) as far:
        far.writer.write(encode_frame(Frame(7, Command.SEND, b"", ADDRESS, 0)))
        sync = await far.frame(Command.CONTROL)
        assert sync.app_data[:2] == bytes([90, 1])
        far.writer.write(encode_frame(answer_to(sync, Command.CONFIRM, sync.at)))
        inspection = asyncio.create_task(driver.actuate("panel", "inspect", {}))
        asked = await far.frame(Command.CONTROL)
        assert asked.app_data == bytes([91, 1, 10])
        far.writer.write(encode_frame(answer_to(asked, Command.CONFIRM, asked.at)))
        await inspection
        refused = asyncio.create_task(driver.actuate("panel", "sync_time", {}))
        asked = await far.frame(Command.CONTROL)
        far.writer.write(encode_frame(answer_to(asked, Command.DENY, asked.at)))
        with pytest.raises(CommandError, match="refuses"):
            await refused


async def test_a_transmitter_that_nobody_configured_is_denied(tmp_path):
    sink = MemorySink()
    async with running(config_for(tmp_path, address=1), sink) as [driver], connected(driver) as far:
        far.writer.write(SMOKE)
        assert (await far.frame(Command.DENY)).serial == 1
        with pytest.raises(LinkError, match="not connected"):
            await driver.actuate("panel", "inspect", {})
    assert sink.events == []


async def test_a_dropped_connection_is_offline_and_the_next_one_works(tmp_path):
    sink = MemorySink()
    async with running(config_for(tmp_path), sink) as [driver]:
        async with connected(driver) as far:
            far.writer.write(MAINS)
            await far.frame(Command.CONFIRM)
        await until_async(lambda: sink.of("panel", "device.health")[-1].online is False, what="offline")
        async with connected(driver) as far:
            far.writer.write(b"@@\xff" + MAINS)
            await far.frame(Command.CONFIRM)
            assert sink.of("panel", "device.health")[-1].online is True


async def test_it_works_on_a_serial_line_too(tmp_path):
    line = SerialLine(tmp_path / "by-id" / "panel")
    port = line.attach()
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, port=str(line.path)), sink) as [driver]:
            await until_async(lambda: driver.health().state == "degraded", what="the port open")
            port.write(SMOKE)
            heard = bytearray()

            def confirmed() -> bool:
                heard.extend(port.read(4096))
                frames = [*Framer().feed(bytes(heard))]
                return any(isinstance(frame, Frame) and frame.command == Command.CONFIRM for frame in frames)

            await until_async(confirmed, what="the confirmation")
    finally:
        line.close()
    assert [data.alarm for data in sink.of("panel/10.2", "smoke.state")] == [True]


DAHUA = int.from_bytes(bytes.fromhex("123456789012"), "little")
CENTRE = (1 << 48) - 1


@pytest.mark.parametrize("profile", ["dahua/fire-terminal", "generic/gb26875-transmitter"])
async def test_what_a_vendor_adds_to_the_standard_is_confirmed_and_is_a_sign_of_life(tmp_path, profile):
    """A registration by command 0 and a heartbeat by command 7: a terminal that is not answered sends them for ever."""
    sink = MemorySink()
    config = config_for(tmp_path, address="12:34:56:78:90:12", profile=profile)
    async with running(config, sink) as [driver], connected(driver) as far:
        for serial, command, data in ((1, 0, bytes([0, 1, 1, 3]) + bytes(108)), (2, 7, b"")):
            far.writer.write(encode_frame(Frame(serial, command, data, DAHUA, CENTRE, version=(1, 3))))
            confirm = await far.frame(Command.CONFIRM)
            assert (confirm.serial, confirm.version) == (serial, (1, 3))
        assert [said.online for said in sink.of("panel", "device.health") if said.online is not None] == [True]


async def test_one_that_asks_for_the_time_gets_it_in_its_own_digits(tmp_path):
    sink = MemorySink()
    config = config_for(tmp_path, address="123456789012", profile="dahua/fire-terminal")
    async with running(config, sink) as [driver], connected(driver) as far:
        far.writer.write(encode_frame(Frame(9, Command.CONTROL, bytes([90, 1]) + bytes(6), DAHUA, CENTRE)))
        answer = await far.frame(Command.CONTROL)
        while answer.serial != 9:  # the clock is also set unasked
            answer = await far.frame(Command.CONTROL)
        assert answer.app_data[:2] == bytes([90, 1])
        assert answer.app_data[2:].hex().isdecimal()
        assert answer.app_data[2:].hex()[-2:] == f"{datetime.now(CHINA_TIME):%y}"


async def test_the_generic_profile_understands_a_panel_that_nobody_has_seen(tmp_path):
    """Another user version, another system type, a component type of the vendor's own, and bit 0 unset in a fire."""
    app = bytes([2, 2]) + b"".join(
        bytes([200, 1, kind]) + bytes([3, 0, number, 0]) + (2).to_bytes(2, "little") + b"x".ljust(31, b"\0") + bytes(6)
        for kind, number in ((40, 1), (212, 2))
    )
    sink = MemorySink()
    config = config_for(tmp_path, parts={"3.1": "unit-101", "3.2": "unit-102"})
    async with running(config, sink) as [driver], connected(driver) as far:
        far.writer.write(encode_frame(Frame(3, Command.SEND, app, 0xABCDEF, 0, version=(1, 77))))
        await far.frame(Command.CONFIRM)
    assert [data.states for part in ("3.1", "3.2") for data in sink.of(f"panel/{part}", "fire.component")] == [
        ["fire"]
    ] * 2
    assert [data.alarm for data in sink.of("panel/3.1", "smoke.state")] == [True]
    assert sink.of("panel/3.2", "smoke.state") == [], "what it is, nobody here knows: fire.component says so"
    assert {event.unit for event in sink.events if event.device.startswith("panel/3")} == {"unit-101", "unit-102"}


@pytest.mark.parametrize("address", ["12345678901", "no address", 1 << 48, -1])
def test_an_address_that_cannot_be_is_refused_with_how_to_write_it(tmp_path, address):
    with pytest.raises(ConfigError, match="six bytes as they stand on the line"):
        built(config_for(tmp_path, address=address))


class UdpSide(asyncio.DatagramProtocol):
    """A transmitter that speaks by UDP."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.frames += [frame for frame in Framer().feed(data) if isinstance(frame, Frame)]


@contextlib.asynccontextmanager
async def udp_side(driver: object) -> AsyncIterator[tuple[asyncio.DatagramTransport, UdpSide]]:
    await until_async(lambda: driver.port, what="the port")
    transport, side = await asyncio.get_running_loop().create_datagram_endpoint(
        UdpSide, remote_addr=("127.0.0.1", driver.port)
    )
    try:
        yield transport, side
    finally:
        transport.close()


async def test_a_transmitter_by_udp_is_confirmed_asked_and_told_apart_from_another(tmp_path):
    sink = MemorySink()
    config = config_for(tmp_path, port="listen-udp://127.0.0.1:0", address=ADDRESS)
    async with running(config, sink) as [driver], udp_side(driver) as (line, side), udp_side(driver) as (noise, other):
        noise.sendto(b"@@rubbish" + SMOKE[:20])
        line.sendto(SMOKE)
        line.sendto(MAINS)
        await until_async(
            lambda: [frame.command for frame in side.frames].count(Command.CONFIRM) == 2, what="both confirmations"
        )
        asked = asyncio.create_task(driver.actuate("panel", "inspect", {}))
        await until_async(lambda: any(frame.app_data[:1] == bytes([91]) for frame in side.frames), what="the question")
        question = next(frame for frame in side.frames if frame.app_data[:1] == bytes([91]))
        line.sendto(encode_frame(answer_to(question, Command.CONFIRM, question.at)))
        await asked
        assert other.frames == []
    assert [data.alarm for data in sink.of("panel/10.2", "smoke.state")] == [True]


async def test_peers_by_udp_have_a_bound():
    served = []

    async def serve(receive, send):
        served.append(await receive())
        await asyncio.Event().wait()

    peers = DatagramPeers(serve, most=2)
    for number in range(5):
        peers.datagram_received(b"x", ("192.0.2.1", number))
    for _ in range(MAX_WAITING + 3):
        peers.datagram_received(b"y", ("192.0.2.1", 0))
    await until_async(lambda: len(served) == 2, what="both being served")
    assert peers.dropped >= 3 + 3
    await peers.close()
