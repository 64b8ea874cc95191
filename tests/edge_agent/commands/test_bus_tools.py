"""`discover`, `identify`, `record` and `replay` on simulated buses that third parties' implementations answer."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.servers import mosquitto

from simulators.devices.modbus_sensor import ModbusSmoke
from simulators.devices.osdp_reader import OsdpReader
from simulators.devices.serial_line import SerialLine
from simulators.devices.zigbee2mqtt import FakeZigbee2Mqtt

pytestmark = pytest.mark.integration


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    made = SerialLine(tmp_path / "by-id" / "rs485")
    yield made
    made.close()


def write_config(folder: Path, text: str) -> Path:
    path = folder / "gateway.toml"
    head = f'[gateway]\nid = "gw-test"\ndata_dir = "{folder}"\n[hub]\nurl = "mqtt://127.0.0.1:1"\n'
    path.write_text(head + text)
    return path


def bus(line: SerialLine, kind: str, profile: str, address: int) -> str:
    return (
        f'[[bus]]\nname = "b"\nkind = "{kind}"\nport = "{line.path}"\n'
        f'[[device]]\nid = "dev"\nprofile = "{profile}"\nbus = "b"\naddress = {address}\n'
    )


def agent(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("anfang-agent")), *map(str, words)],
        capture_output=True, text=True, check=False, timeout=90, env={"COLUMNS": "220", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def test_readers_and_one_that_demands_a_key_are_discovered(tmp_path, line):
    readers = [OsdpReader(line, 3), OsdpReader(line, 5, key=bytes(range(16)))]
    try:
        found = agent("discover", write_config(tmp_path, bus(line, "osdp", "generic/osdp-reader", 3)),
                      "--addresses", "2-6", "--bauds", "9600")  # fmt: skip
    finally:
        for reader in readers:
            reader.close()
    assert found.returncode == 0, found.stderr
    assert "vendor ff:00:0a, model 1" in found.stdout
    rows = [row for row in found.stdout.splitlines() if "OSDP reader" in row]
    assert [row.split("│")[2].strip() for row in rows] == ["3", "5"]


def test_a_sensor_is_discovered_with_its_likely_profile(tmp_path, line):
    sensor = ModbusSmoke(line, 4)
    try:
        found = agent("discover", write_config(tmp_path, bus(line, "modbus", "calectro/ug-3-o-mb-r", 4)),
                      "--addresses", "0-5", "--bauds", "9600")  # fmt: skip
    finally:
        sensor.close()
    assert found.returncode == 0, found.stderr
    [row] = [row for row in found.stdout.splitlines() if "Modbus slave" in row]
    assert row.split("│")[2].strip() == "4"


def test_what_zigbee2mqtt_knows_is_discovered_with_its_profile(tmp_path):
    with mosquitto(tmp_path / "mosquitto") as broker:
        bridge = FakeZigbee2Mqtt(broker.url, {"room-1202/smoke": "heiman/hs1sa"})
        try:
            found = agent("discover", write_config(tmp_path, f'[mqtt]\nurl = "{broker.url}"\n'), "--seconds", "2")
        finally:
            bridge.close()
    assert "room-1202/smoke" in found.stdout
    assert "heiman/hs1sa" in found.stdout


def test_identify_makes_the_reader_blink(tmp_path, line):
    reader = OsdpReader(line, 3)
    try:
        found = agent("identify", write_config(tmp_path, bus(line, "osdp", "generic/osdp-reader", 3)), "dev")
        assert found.returncode == 0, found.stderr
        assert reader.commands
    finally:
        reader.close()


def test_identify_says_when_a_device_does_not_answer(tmp_path, line):
    config = write_config(tmp_path, bus(line, "osdp", "generic/osdp-reader", 3))
    found = agent("identify", config, "dev", "--seconds", "2")
    assert (found.returncode, "not online within 2 s" in found.stderr) == (1, True)


def test_what_is_recorded_can_be_replayed(tmp_path, line):
    sensor = ModbusSmoke(line, 4)
    sensor.alarm(True)
    out = tmp_path / "c.jsonl"
    try:
        config = write_config(tmp_path, bus(line, "modbus", "calectro/ug-3-o-mb-r", 4))
        recorded = agent("record", config, "--bus", "b", "--seconds", "3", "-o", out)
        assert recorded.returncode == 0, recorded.stderr
    finally:
        sensor.close()
    assert json.loads(out.read_text().splitlines()[0])["profile"] == "calectro/ug-3-o-mb-r"
    found = agent("replay", out, "--json")
    assert found.returncode == 0, found.stderr
    kinds = [json.loads(row)["kind"] for row in found.stdout.splitlines()]
    assert "smoke.state" in kinds


def test_a_bus_that_is_not_there_is_said_in_one_line(tmp_path, line):
    line.unplug()
    found = agent("discover", write_config(tmp_path, bus(line, "osdp", "generic/osdp-reader", 3)))
    assert found.returncode == 1
    assert "is not there" in found.stderr
    assert len(found.stderr.splitlines()) == 1
