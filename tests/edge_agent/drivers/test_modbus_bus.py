"""The Modbus driver against pymodbus's server and, as a second implementation, modbus-tk, over a pseudo-terminal."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import modbus_tk.defines as tk
import pytest
import serial
from modbus_tk import modbus_rtu
from support.drivers import MemorySink, agent_config, built, running
from support.wait import until_async

from edge_agent.errors import CommandError, ConfigError
from simulators.devices.modbus_sensor import ModbusSmoke
from simulators.devices.serial_line import SerialLine

pytestmark = pytest.mark.integration

PROFILE = "calectro/ug-3-o-mb-r"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    made = SerialLine(tmp_path / "by-id" / "rs485")
    yield made
    made.close()


def config_for(folder: Path, line: SerialLine, *addresses: int, profile: str = PROFILE) -> object:
    devices = [
        {"id": f"smoke-{address}", "profile": profile, "bus": "fire", "address": address, "unit": f"u-{address}"}
        for address in addresses
    ]
    return agent_config(folder, bus=[{"name": "fire", "kind": "modbus", "port": str(line.path)}], device=devices)


def alarms(sink: MemorySink, device: str) -> list[bool]:
    return [data.alarm for data in sink.of(device, "smoke.state")]


async def test_smoke_becomes_an_event_and_so_does_its_end(tmp_path, line):
    sensor = ModbusSmoke(line, 7)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, 7), sink) as drivers:
            await until_async(lambda: alarms(sink, "smoke-7") == [False], what="the first state")
            sensor.alarm(True)
            await until_async(lambda: alarms(sink, "smoke-7") == [False, True], what="the alarm")
            sensor.alarm(False)
            await until_async(lambda: alarms(sink, "smoke-7") == [False, True, False], what="the end")
            assert drivers[0].health().state == "running"
    finally:
        sensor.close()
    assert {event.unit for event in sink.events} == {"u-7"}


async def test_a_silent_device_is_offline_and_does_not_hold_up_the_others(tmp_path, line):
    sensors = [ModbusSmoke(line, address) for address in (1, 2)]
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, 1, 2, 3), sink) as drivers:
            await until_async(lambda: alarms(sink, "smoke-1") and alarms(sink, "smoke-2"), what="both states")
            await until_async(
                lambda: [data.online for data in sink.of("smoke-3", "device.health")] == [False], what="3 offline"
            )
            started = time.monotonic()
            sensors[1].alarm(True)
            await until_async(lambda: alarms(sink, "smoke-2")[-1], what="the alarm of 2")
            # One poll interval, one time-out of the dead device, and some for the machine.
            assert time.monotonic() - started < 1.0 + 0.4 + 0.6
            assert "smoke-3 (address 3): no answer" in drivers[0].health().detail
            sensors[0].silence()
            await until_async(lambda: sink.of("smoke-1", "device.health")[-1].online is False, what="1 offline")
            sensors[0].silence(False)
            await until_async(lambda: sink.of("smoke-1", "device.health")[-1].online is True, what="1 online")
    finally:
        for sensor in sensors:
            sensor.close()


async def test_the_siren_is_written_and_confirmed_by_the_device(tmp_path, line):
    sensor = ModbusSmoke(line, 7)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, 7), sink) as drivers:
            await until_async(lambda: alarms(sink, "smoke-7"), what="the first state")
            await drivers[0].actuate("smoke-7", "siren_on", {})
            assert sensor.host.get(7, "holding", 2) == 567
            with pytest.raises(CommandError, match="no command 'unlock'"):
                await drivers[0].actuate("smoke-7", "unlock", {})
    finally:
        sensor.close()


async def test_an_exception_of_the_device_names_what_its_profile_asks_for(tmp_path, line):
    profile = tmp_path / "greedy.yaml"
    profile.write_text(
        "profile: 1\nvendor: A\nmodel: B\nfamily: smoke\nsource: test\ntransport: {kind: modbus, poll_s: 0.1}\n"
        "fields: {smoke: {input: 4000}}\nevents: [{kind: smoke.state, from: {alarm: smoke}}]\n"
        "examples: [{name: a, input: {input: {4000: 1}}, fields: {smoke: 1}},"
        " {name: b, input: {}, fails: registers}]\n"
    )
    sensor = ModbusSmoke(line, 7)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, 7, profile=str(profile)), sink) as drivers:
            await until_async(lambda: "illegal address" in drivers[0].health().detail, what="the exception's name")
    finally:
        sensor.close()


# modbus-tk still calls threading.Event.isSet in its server thread.
@pytest.mark.filterwarnings("ignore:isSet")
async def test_modbus_tk_speaks_with_it_too(tmp_path, line):
    server = modbus_rtu.RtuServer(serial.Serial(line.attach_pty(), 9600))
    server.start()
    slave = server.add_slave(5)
    slave.add_block("bits", tk.DISCRETE_INPUTS, 0, 4)
    slave.set_values("bits", 0, [1, 0, 0, 0])
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, 5), sink):
            await until_async(lambda: alarms(sink, "smoke-5") == [False], what="the first state")
            slave.set_values("bits", 2, [1])
            await until_async(lambda: alarms(sink, "smoke-5")[-1:] == [True], what="the alarm")
    finally:
        await asyncio.to_thread(server.stop)
    assert not [thread for thread in threading.enumerate() if "modbus_tk" in thread.name]


async def test_unplugging_the_adapter_is_survived(tmp_path, line):
    sensor = ModbusSmoke(line, 7)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, 7), sink) as drivers:
            await until_async(lambda: alarms(sink, "smoke-7"), what="the first state")
            line.unplug()
            await until_async(lambda: drivers[0].health().state == "backing_off", what="the port gone")
            await until_async(lambda: sink.of("smoke-7", "device.health")[-1].online is False, what="offline")
            line.plug_in()
            await until_async(lambda: drivers[0].health().state == "running", what="the port back")
            sensor.alarm(True)
            await until_async(lambda: alarms(sink, "smoke-7")[-1], what="the alarm")
    finally:
        sensor.close()


@pytest.mark.parametrize("address", [0, 256, "seven", None])
def test_an_address_that_cannot_be_is_refused_at_the_start(tmp_path, line, address):
    config = agent_config(
        tmp_path,
        bus=[{"name": "fire", "kind": "modbus", "port": str(line.path)}],
        device=[{"id": "s", "profile": PROFILE, "bus": "fire", "address": address}],
    )
    with pytest.raises(ConfigError, match="a Modbus address is 1 to 247"):
        built(config)


async def test_noise_on_the_line_is_survived_and_makes_no_alarm(tmp_path, line):
    sensor = ModbusSmoke(line, 7)
    sink = MemorySink()
    source = random.Random(485)
    try:
        async with running(config_for(tmp_path, line, 7), sink) as drivers:
            await until_async(lambda: alarms(sink, "smoke-7"), what="the first state")
            for _ in range(60):
                line.noise(source.randbytes(source.randint(1, 12)))
                await asyncio.sleep(0.02)
            sensor.alarm(True)
            await until_async(lambda: alarms(sink, "smoke-7")[-1], what="the alarm")
            await until_async(lambda: drivers[0].health().state == "running", what="all well")
    finally:
        sensor.close()
    assert alarms(sink, "smoke-7") == [False, True]


async def test_a_modbus_tcp_server_is_a_bus_too(tmp_path):
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice
    from support.servers import free_port

    port = free_port()
    bits = [SimData(0, values=[True, False, True, False] + [False] * 12, datatype=DataType.BITS)]
    registers = [SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)]
    none = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    server = ModbusTcpServer([SimDevice(7, (none, bits, registers, registers))], address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    sink = MemorySink()
    config = agent_config(
        tmp_path,
        bus=[{"name": "fire", "kind": "modbus", "port": f"modbus-tcp://127.0.0.1:{port}"}],
        device=[{"id": "smoke-7", "profile": PROFILE, "bus": "fire", "address": 7}],
    )
    try:
        async with running(config, sink) as drivers:
            await until_async(lambda: alarms(sink, "smoke-7") == [True], what="the alarm")
            await drivers[0].actuate("smoke-7", "reset", {})
    finally:
        await server.shutdown()


DEAD = """\
profile: 1
vendor: A
model: dead
family: smoke
source: test
transport: {kind: modbus, poll_s: 0.05, timeout_s: 30}
health: {failures: 100}
fields: {smoke: {discrete: 0}}
events: [{kind: smoke.state, from: {alarm: smoke}}]
commands: {siren_on: {write: [{coil: 0, value: true}]}, reset: {write: [{coil: 1, value: true}]}}
examples: [{name: a, input: {discrete: {0: 1}}, fields: {smoke: true}}, {name: b, input: {}, fails: registers}]
"""
RELAY_ON = bytes([7, 6, 0, 2, 2, 0x37])


class Wire:
    """What passes on a line, in order."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, bytes]] = []

    def __call__(self, way: str, data: bytes) -> None:
        self.frames.append((way, data))

    def sent_to(self, address: int) -> list[bytes]:
        return [data for way, data in self.frames if way == ">" and data[0] == address]

    @property
    def last_sent(self) -> bytes:
        return next((data for way, data in reversed(self.frames) if way == ">"), b"")


def with_dead(folder: Path, line: SerialLine, *addresses: int) -> object:
    profile = folder / "dead.yaml"
    profile.write_text(DEAD)
    config = config_for(folder, line, 7)
    more = [{"id": f"dead-{n}", "profile": str(profile), "bus": "fire", "address": n} for n in addresses]
    return config.model_copy(
        update={"device": [*config.device, *(type(config.device[0]).model_validate(each) for each in more)]}
    )


async def test_the_siren_overtakes_a_device_that_does_not_answer(tmp_path, line):
    """By order, not by time: the dead device's own time-out is half a minute."""
    sensor, wire = ModbusSmoke(line, 7), Wire()
    try:
        async with running(with_dead(tmp_path, line, 9), MemorySink(), wire) as drivers:
            await until_async(lambda: wire.last_sent[:1] == b"\x09", what="the line being held by the dead one")
            asked = len(wire.sent_to(9))
            await asyncio.wait_for(drivers[0].actuate("smoke-7", "siren_on", {}), 15)
            assert sensor.host.get(7, "holding", 2) == 567
            order = [data for way, data in wire.frames if way == ">"]
            first = next(index for index, data in enumerate(order) if data.startswith(RELAY_ON))
            assert sum(data[0] == 9 for data in order[:first]) == asked, "nobody was asked in between"
            assert order[first - 1][0] == 9
    finally:
        sensor.close()


async def test_the_siren_that_answers_goes_before_the_one_that_does_not(tmp_path, line):
    sensor, wire = ModbusSmoke(line, 7), Wire()
    try:
        async with running(with_dead(tmp_path, line, 9), MemorySink(), wire) as drivers:
            await until_async(lambda: "dead-9" in drivers[0].health().detail, what="the dead one's trouble")
            await until_async(lambda: wire.last_sent[:1] == b"\x09", what="the line being held by the dead one")
            dead = asyncio.create_task(drivers[0].actuate("dead-9", "siren_on", {}))
            await until_async(lambda: wire.last_sent[:2] == b"\x09\x05", what="the dead siren being told")
            await asyncio.wait_for(drivers[0].actuate("smoke-7", "siren_on", {}), 15)
            assert not dead.done(), "it is told again, not given up"
            await until_async(lambda: len([d for d in wire.sent_to(9) if d[1] == 5]) >= 2, what="it being told again")
            dead.cancel()
            await asyncio.gather(dead, return_exceptions=True)
    finally:
        sensor.close()


async def test_what_was_overtaken_is_no_fault_and_is_asked_again(tmp_path, line):
    sensor, wire, sink = ModbusSmoke(line, 7), Wire(), MemorySink()
    try:
        async with running(with_dead(tmp_path, line, 9), sink, wire) as drivers:
            for _ in range(5):
                await until_async(lambda: wire.last_sent[:1] == b"\x09", what="the line being held by the dead one")
                await asyncio.wait_for(drivers[0].actuate("smoke-7", "siren_on", {}), 15)
            asked = len(wire.sent_to(9))
            await until_async(lambda: len(wire.sent_to(9)) > asked, what="the dead one being asked again")
            sensor.alarm(True)
            await until_async(lambda: alarms(sink, "smoke-7")[-1:] == [True], what="the alarm")
            assert "dead-9" in drivers[0].health().detail
            assert "smoke-7" not in drivers[0].health().detail
    finally:
        sensor.close()
