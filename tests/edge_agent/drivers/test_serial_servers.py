"""Buses behind TCP serial servers, raw and RFC 2217; the exclusive lock of a local port."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.drivers import MemorySink, agent_config, running
from support.serial_server import SerialServer
from support.wait import until_async

from edge_agent.config import AgentConfig, BusSection
from edge_agent.drivers.links import open_link
from edge_agent.errors import ConfigError, LinkError
from simulators.devices.modbus_sensor import ModbusSmoke
from simulators.devices.osdp_reader import OsdpReader
from simulators.devices.serial_line import SerialLine

pytestmark = [
    pytest.mark.integration,
    # pyserial's RFC 2217 still names its thread in the old way.
    pytest.mark.filterwarnings("ignore:set(Daemon|Name)"),
]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    made = SerialLine(tmp_path / "rs485")
    yield made
    made.close()


@pytest.fixture(params=["tcp", "rfc2217"])
def server(request: pytest.FixtureRequest, line: SerialLine) -> Iterator[tuple[str, SerialServer]]:
    made = SerialServer(line, is_rfc2217=request.param == "rfc2217")
    yield f"{request.param}://127.0.0.1:{made.port}", made
    made.close()


def config_for(folder: Path, kind: str, port: str, profile: str) -> AgentConfig:
    return agent_config(
        folder,
        bus=[{"name": "b", "kind": kind, "port": port}],
        device=[{"id": "dev", "profile": profile, "bus": "b", "address": 7}],
    )


async def test_osdp_through_a_serial_server_that_restarts(tmp_path, line, server):
    url, far = server
    reader = OsdpReader(line, 7)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, "osdp", url, "generic/osdp-reader"), sink) as [driver]:
            await until_async(lambda: driver.health().state == "running", what="the reader")
            far.cut()
            await until_async(lambda: driver.health().state != "running", what="the cut noticed")
            await until_async(lambda: driver.health().state == "running", what="the reader again")
            reader.present_card("25,63159")
            await until_async(lambda: sink.of("dev", "lock.access"), what="a card")
    finally:
        reader.close()


async def test_modbus_through_a_serial_server_that_restarts(tmp_path, line, server):
    url, far = server
    sensor = ModbusSmoke(line, 7)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, "modbus", url, "calectro/ug-3-o-mb-r"), sink) as [driver]:
            await until_async(lambda: driver.health().state == "running", what="the sensor")
            far.cut()
            await until_async(lambda: driver.health().state == "backing_off", what="the cut noticed")
            await until_async(lambda: driver.health().state == "running", what="the sensor again")
            sensor.alarm(True)
            await until_async(
                lambda: [data.alarm for data in sink.of("dev", "smoke.state")][-1:] == [True], what="the alarm"
            )
    finally:
        sensor.close()


def test_a_port_is_opened_once(line):
    bus = BusSection(name="b", kind="osdp", port=str(line.path))
    first = open_link(bus)
    with pytest.raises(LinkError, match="another program has the port open"):
        open_link(bus)
    first.close()
    open_link(bus).close()


def test_a_port_that_cannot_switch_the_direction_says_so_and_is_let_go(line):
    bus = BusSection(name="b", kind="osdp", port=str(line.path), rs485=True)
    with pytest.raises(LinkError, match="leave rs485 out"):
        open_link(bus)
    open_link(bus.model_copy(update={"rs485": False})).close()


@pytest.mark.parametrize("port", ["tcp://", "tcp://host", "tcp://host:port"])
def test_an_address_that_is_none_is_a_configuration_error(port):
    with pytest.raises(ConfigError, match="tcp://host:port"):
        open_link(BusSection(name="b", kind="osdp", port=port))
