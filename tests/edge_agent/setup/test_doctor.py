"""The doctor against a real broker, a real port and a real outbox: what is well is well, what is broken is named."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.servers import Mosquitto, free_port, mosquitto
from support.wait import until

from edge_agent.config import load_config
from edge_agent.setup.doctor import Diagnosis, examine
from edge_agent.setup.words import AREAS
from simulators.devices.serial_line import SerialLine
from wire.clock import SystemClock

pytestmark = pytest.mark.integration


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as found:
        yield found


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    made = SerialLine(tmp_path / "by-id" / "rs485")
    yield made
    made.close()


def write_config(folder: Path, broker: Mosquitto, line: SerialLine, more: str = "") -> Path:
    path = folder / "gateway.toml"
    path.write_text(
        f'[gateway]\nid = "gw-test"\ndata_dir = "{folder}/data"\n[hub]\nurl = "{broker.url}"\n'
        f'[mqtt]\nurl = "{broker.url}"\n[reflexes]\nsirens = ["siren"]\n'
        f'[[bus]]\nname = "fire"\nkind = "modbus"\nport = "{line.path}"\n'
        '[[device]]\nid = "siren"\nprofile = "calectro/ug-3-o-mb-r"\nbus = "fire"\naddress = 1\n' + more
    )
    return path


def examined(path: Path) -> dict[str, list[Diagnosis]]:
    found: dict[str, list[Diagnosis]] = {}
    for item in examine(load_config(path), path.parent, SystemClock()):
        found.setdefault(item.area, []).append(item)
    return found


def agent(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("anfang-agent")), *map(str, words)],
        capture_output=True, text=True, check=False, timeout=90,
        env={"COLUMNS": "220", "PATH": "/usr/bin:/bin", **environment},
    )  # fmt: skip


def test_a_gateway_that_is_well_has_nothing_bad(tmp_path, broker, line):
    found = examined(write_config(tmp_path, broker, line))
    assert [item for items in found.values() for item in items if item.state == "bad"] == []
    assert {"port", "broker", "hub", "disk", "clock", "profile", "data", "siren"} <= set(found)


def test_what_is_broken_is_bad_and_the_rest_is_looked_at_too(tmp_path, broker, line):
    camera = (
        f'[[camera]]\nid = "c"\nurl = "rtsp://u:secret@127.0.0.1:{free_port()}/x"\nline = [0,0,1,1]\nin_side = "left"\n'
    )
    path = write_config(tmp_path, broker, line, camera)
    path.write_text(path.read_text().replace("calectro/ug-3-o-mb-r", "heiman/hs1sa"))
    line.unplug()
    broker.kill()
    found = examined(path)
    assert {area for area, items in found.items() if any(item.state == "bad" for item in items)} == {
        "port", "siren", "broker", "hub", "camera",
    }  # fmt: skip
    assert "has no siren_on and no siren_off" in found["siren"][0].detail
    assert "secret" not in str(found)


def test_a_port_that_another_program_holds_is_said(tmp_path, broker, line):
    import serial

    with serial.Serial(str(line.path), exclusive=True):
        [port] = examined(write_config(tmp_path, broker, line))["port"]
    assert (port.state, "another program has the port open" in port.detail) == ("bad", True)


def test_smoke_that_nothing_would_sound_is_a_warning(tmp_path, broker, line):
    path = write_config(tmp_path, broker, line)
    path.write_text(path.read_text().replace('sirens = ["siren"]', "sirens = []"))
    [siren] = examined(path)["siren"]
    assert (siren.state, siren.about) == ("warning", "siren")


def test_an_outbox_of_another_program_and_a_broken_one_are_bad(tmp_path, broker, line):
    import apsw

    path = write_config(tmp_path, broker, line)
    (tmp_path / "data").mkdir()
    outbox = tmp_path / "data" / "outbox.db"
    apsw.Connection(str(outbox)).execute("CREATE TABLE t(x)")
    assert "not an outbox" in examined(path)["outbox"][0].detail
    outbox.write_bytes(b"not a database at all" * 500)
    assert examined(path)["outbox"][0].state == "bad"


def test_beside_a_running_agent_it_asks_that_for_its_drivers_and_confirmations(tmp_path, broker, line):
    path = write_config(tmp_path, broker, line)
    program = str(Path(sys.executable).with_name("anfang-agent"))
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen([program, "run", str(path)], stdout=log, stderr=log) as process,
    ):
        try:
            until((tmp_path / "data" / "agent.sock").exists, deadline_s=60, what="the agent")
            until(lambda: "ack" in examined(path), deadline_s=60, what="its status")
            found = examined(path)
        finally:
            process.terminate()
    # The port is the agent's own: that it cannot be opened twice is no fault.
    assert "port" not in found
    assert {item.about for item in found["device"]} >= {"modbus-fire", "mqtt", "uplink", "outbox"}
    assert found["outbox"][0].state == "good"


def test_the_command_speaks_both_languages_and_says_bad_by_its_status(tmp_path, broker, line):
    path = write_config(tmp_path, broker, line)
    good = agent("doctor", path)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "connection to the hub" in good.stdout
    assert "与平台的连接" in agent("doctor", path, LANG="zh_CN.UTF-8").stdout
    broker.kill()
    bad = agent("doctor", path, "--language", "zh")
    assert (bad.returncode, "启动 MQTT 服务器" in bad.stdout) == (1, True)
    rows = json.loads(agent("doctor", path, "--json").stdout)
    assert next(row["state"] for row in rows if row["area"] == "hub") == "bad"
    assert all(row["en"]["mend"] and row["zh"]["mend"] for row in rows)


def test_a_configuration_that_cannot_be_read_is_a_finding_too(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text("[gateway]\nid = 'gw-test'\ndata_dr = 'x'\n")
    found = agent("doctor", path, "--json")
    assert found.returncode == 78, "as every other command"
    assert {row["area"] for row in json.loads(found.stdout)} == {"config"}


def test_every_area_has_its_words_in_both_languages():
    assert all(all(words) and words.zh != words.en for words in AREAS.values())


def test_a_panels_port_that_is_taken_is_said(tmp_path, broker, line):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"listen://127.0.0.1:{server.getsockname()[1]}"
        path = write_config(tmp_path, broker, line, f'[[bus]]\nname = "g"\nkind = "gb26875"\nport = "{port}"\n')
        found = examined(path)["port"]
    assert [item.state for item in found] == ["good", "bad"]
    assert os.strerror(98) in found[1].detail


def test_a_panels_udp_port_that_is_taken_is_said(tmp_path, broker, line):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = f"listen-udp://127.0.0.1:{taken.getsockname()[1]}"
        path = write_config(tmp_path, broker, line, f'[[bus]]\nname = "g"\nkind = "gb26875"\nport = "{port}"\n')
        found = examined(path)["port"]
    assert [item.state for item in found] == ["good", "bad"]
    assert os.strerror(98) in found[1].detail
