"""`anfang-sim fleet` against the real hub: over Mosquitto, compared with the hub's own account."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.hub import running_hub
from support.servers import mosquitto

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("fleet")]

BIN = Path(sys.executable).parent


def _fleet(mqtt: str, api: str, hub_dir: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    token = subprocess.run(
        [BIN / "anfang-hub", "token", "create", "--data-dir", hub_dir, "--role", "viewer"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    command = [BIN / "anfang-sim", "fleet", "--mqtt", mqtt, "--api", api, "--token", token, "--json", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_hub_holds_every_event_of_a_hundred_gateways_once(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, running_hub(tmp_path / "hub", broker.url) as hub:
        done = _fleet(broker.url, hub.address, hub.folder, "--gateways", "100", "--rate", "1000", "--events", "3000")
        assert done.returncode == 0, done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert (report["sent"], report["acknowledged"], report["lost"], report["faults"]) == (3000, 3000, 0, [])
        # The same fleet again, in new epochs: what is stored of the first run is not counted for the second.
        again = _fleet(broker.url, hub.address, hub.folder, "--gateways", "100", "--rate", "1000", "--events", "100")
        assert again.returncode == 0, again.stdout + again.stderr


def test_a_hub_that_does_not_hold_what_was_acknowledged_is_found_out(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path / "broker") as broker,
        mosquitto(tmp_path / "other") as other,
        running_hub(tmp_path / "hub", broker.url),
        running_hub(tmp_path / "another", other.url) as asked,
    ):
        # One hub acknowledges; the other one is asked what it holds.
        done = _fleet(broker.url, asked.address, asked.folder, "--gateways", "2", "--rate", "100", "--events", "10")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["lost"] == 0
    assert report["faults"] == ["gw-fleet-0001: 5 sent, 0 stored", "gw-fleet-0002: 5 sent, 0 stored"]
