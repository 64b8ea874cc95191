"""The real `anfang-agent` as a process: publishes, deletes on acknowledgement, survives kill -9, stops cleanly."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.servers import Mosquitto, mosquitto
from support.tiny_hub import TinyHub, tiny_hub
from support.wait import until

from edge_agent.status import AgentStatus, ask_status
from wire.events import GatewayHealth
from wire.messages import decode_event

pytestmark = pytest.mark.integration

AGENT = [sys.executable, "-c", "from edge_agent.cli import main; main()"]


def write_config(folder: Path, url: str, more: str = "", interval_s: float = 0.05) -> Path:
    path = folder / "agent.toml"
    path.write_text(
        f'[gateway]\nid = "gw-test"\ndata_dir = "{folder}/data"\nhealth_interval_s = {interval_s}\n'
        f'[hub]\nurl = "{url}"\n[log]\nformat = "json"\n{more}',
        encoding="utf-8",
    )
    return path


@contextlib.contextmanager
def agent(config: Path, **env: str) -> Iterator["subprocess.Popen[bytes]"]:
    with (config.parent / "agent.log").open("ab") as log:
        process = subprocess.Popen([*AGENT, "run", str(config)], stdout=log, stderr=log, env={**os.environ, **env})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def status(folder: Path) -> AgentStatus | None:
    data = folder / "data"
    return ask_status(data) if data.is_dir() else None


def running(folder: Path) -> AgentStatus:
    return until(lambda: status(folder), what="the agent answering")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, Mosquitto, TinyHub]]:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        yield tmp_path, broker, hub


def test_it_publishes_deletes_on_acknowledgement_and_stops_within_seconds(
    place: tuple[Path, Mosquitto, TinyHub],
) -> None:
    folder, broker, hub = place
    with agent(write_config(folder, broker.url)) as process:
        until(lambda: hub.count() >= 3, what="three health events")
        found = running(folder)
        assert found.uplink_up
        assert found.uplink_detail == "connected, MQTT 5"
        assert found.lanes[1].floor_seq >= 1
        assert found.drivers["outbox"].state == "running"
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert time.monotonic() - begun < 5
    until(lambda: hub.statuses[-1].state == "offline", what="the goodbye")
    assert status(folder) is None


@pytest.mark.slow
def test_kill_nine_at_random_moments_loses_and_doubles_nothing(place: tuple[Path, Mosquitto, TinyHub]) -> None:
    folder, broker, hub = place
    config = write_config(folder, broker.url, interval_s=0.01)
    chance = random.Random(4)
    for _ in range(12):
        known = hub.count()
        with agent(config) as process:
            until(lambda known=known: hub.count() > known, what="news")
            time.sleep(chance.uniform(0, 0.5))
            process.kill()
            process.wait()
    with agent(config):
        found = running(folder)
        until(lambda: (now := status(folder)) and now.lanes[1].floor_seq > found.lanes[1].last_seq, what="all sent")
    streams = {key: rows for key, rows in hub.events.items() if rows}
    ((key, rows),) = streams.items()
    assert key == ("gw-test", found.lanes[1].epoch), "one epoch through all the kills"
    assert sorted(rows) == list(range(1, max(rows) + 1)), "no hole"
    uptimes = [event.data.uptime_s for body in rows.values() if isinstance(event := decode_event(body), GatewayHealth)]
    assert len(uptimes) == len(rows)


def test_only_one_agent_runs_on_a_data_folder(place: tuple[Path, Mosquitto, TinyHub]) -> None:
    folder, broker, _ = place
    config = write_config(folder, broker.url)
    with agent(config):
        running(folder)
        second = subprocess.run([*AGENT, "run", str(config)], capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 78
        assert "another agent runs there" in second.stderr
        assert len(second.stderr.splitlines()) == 1


def test_a_port_that_is_not_there_stops_nothing_and_is_shown(place: tuple[Path, Mosquitto, TinyHub]) -> None:
    folder, broker, hub = place
    more = (
        '[[bus]]\nname = "a"\nkind = "osdp"\nport = "/dev/does-not-exist"\n'
        '[[device]]\nid = "reader-1"\nprofile = "generic/osdp-reader"\nbus = "a"\naddress = 1\n'
    )
    config = write_config(folder, broker.url, more)
    check = subprocess.run([*AGENT, "check-config", str(config)], capture_output=True, text=True, check=False)
    assert check.returncode == 78
    assert "bus.0.port" in check.stderr
    with agent(config):
        until(
            lambda: (now := status(folder)) and now.drivers.get("osdp-a") and now.drivers["osdp-a"].state != "running",
            what="the trouble shown",
        )
        until(lambda: hub.count() >= 3, what="events going on all the same")


def test_status_is_shown_as_a_table_and_as_json(place: tuple[Path, Mosquitto, TinyHub]) -> None:
    folder, broker, _ = place
    config = write_config(folder, broker.url)
    nobody = subprocess.run([*AGENT, "status", str(config)], capture_output=True, text=True, check=False)
    assert nobody.returncode == 78
    with agent(config):
        running(folder)
        ask = [*AGENT, "status", "--data-dir", str(folder / "data")]
        table = subprocess.run(ask, capture_output=True, text=True, check=True)
        assert "gw-test" in table.stdout
        assert "routine" in table.stdout
        found = json.loads(subprocess.run([*ask, "--json"], capture_output=True, text=True, check=True).stdout)
        assert found["gateway"] == "gw-test"
        assert {lane["name"] for lane in found["lanes"]} == {"urgent", "routine"}
    gone = subprocess.run([*AGENT, "status", str(config)], capture_output=True, text=True, check=False)
    assert gone.returncode == 3
    assert "no agent is running" in gone.stderr


def test_systemd_hears_ready_alive_and_stopping(tmp_path: Path) -> None:
    # A socket's name may have 107 bytes only: not below tmp_path.
    short = Path(f"/tmp/anfang-notify-{os.getpid()}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(short))
    listener.settimeout(10)
    try:
        config = write_config(tmp_path, "mqtt://127.0.0.1:1")
        with agent(config, NOTIFY_SOCKET=str(short), WATCHDOG_USEC="600000") as process:
            heard = []
            while heard.count("WATCHDOG=1") < 3 or not any("READY=1" in word for word in heard):
                heard.append(listener.recv(4096).decode())
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            listener.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard.append(listener.recv(4096).decode())
            assert heard[-1] == "STOPPING=1"
    finally:
        listener.close()
        short.unlink()


def test_a_damaged_outbox_does_not_stop_it_and_is_told(place: tuple[Path, Mosquitto, TinyHub]) -> None:
    folder, broker, hub = place
    config = write_config(folder, broker.url)
    (folder / "data").mkdir()
    (folder / "data" / "outbox.db").write_bytes(b"junk" * 10_000)
    with agent(config):
        until(lambda: hub.count() >= 1, what="an event")
        found = running(folder)
        assert found.moved_aside is not None
        assert found.drivers["outbox"].state == "degraded"
    bodies = hub.everything()
    event = decode_event(bodies[0])
    assert isinstance(event, GatewayHealth)
    assert "was damaged" in event.data.drivers["outbox"].detail


def test_it_is_small_and_idle_when_nothing_happens(place: tuple[Path, Mosquitto, TinyHub]) -> None:
    folder, broker, _ = place
    with agent(write_config(folder, broker.url, interval_s=3600)) as process:
        running(folder)
        until(lambda: (now := status(folder)) and now.uplink_up, what="the uplink")
        stat = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        rss_mib = int(next(line for line in stat.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
        assert rss_mib < 80
