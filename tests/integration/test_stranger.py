"""A client that nobody wrote for us: `mosquitto_pub` and `mosquitto_sub`, with the example of the contract."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.hub import RunningHub, running_hub
from support.ingest import stored
from support.servers import Mosquitto, mosquitto
from support.wait import until

from hub.store.database import Database, database_url

pytestmark = pytest.mark.integration
EXAMPLE = Path(__file__).parents[1] / "golden" / "v1" / "contract-example.batch.json"
GATEWAY = "gw-jh-0001"
EPOCH = "01JD9ZK3W6K6Q2V7R7M3J0X9AB"


@dataclass
class Stranger:
    """Publishes with `mosquitto_pub`; what comes back on `ack` is read by `mosquitto_sub`."""

    port: int
    gateway: str
    heard: Path

    def send(self, file: Path, *options: str) -> None:
        command = ["mosquitto_pub", "-p", str(self.port), "-t", f"anfang/v1/{self.gateway}/event", "-q", "1", *options]
        subprocess.run([*command, "-f", str(file)], check=True, timeout=20)

    @property
    def acks(self) -> list[dict[str, Any]]:
        lines = self.heard.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@contextlib.contextmanager
def a_stranger(broker: Mosquitto, gateway: str, folder: Path) -> Iterator[Stranger]:
    """A stranger that already listens for its acknowledgements."""
    assert shutil.which("mosquitto_sub"), "`make packages` installs Debian's mosquitto-clients"
    stranger = Stranger(broker.port, gateway, folder / f"{gateway}.acks")
    # Line by line: into a file, mosquitto_sub would keep what it heard until it has 4 KiB of it.
    command = ["stdbuf", "-oL", "mosquitto_sub", "-p", str(broker.port), "-t", f"anfang/v1/{gateway}/ack"]
    with stranger.heard.open("wb") as out:
        listener = subprocess.Popen([*command, "-q", "1", "-d"], stdout=out, stderr=subprocess.DEVNULL)
    try:
        until(lambda: "Subscribed" in stranger.heard.read_text(), what="mosquitto_sub being subscribed")
        yield stranger
    finally:
        listener.terminate()
        listener.wait(60)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, broker: Mosquitto) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), broker.url) as running:
        yield running


def held(hub: RunningHub, gateway: str) -> list[tuple[str, int]]:
    database = Database(database_url(hub.folder, None))
    try:
        return [(epoch, seq) for epoch, seq, _ in stored(database, gateway)]
    finally:
        database.close()


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return shutil.copy(EXAMPLE, tmp_path / "batch.json")


def test_the_contracts_example_is_stored_once_and_acknowledged_each_time(
    hub: RunningHub, broker: Mosquitto, tmp_path: Path, example: Path
) -> None:
    with a_stranger(broker, GATEWAY, tmp_path) as stranger:
        wanted = {"v": 1, "epoch": EPOCH, "seq": 4182}
        stranger.send(example)
        until(lambda: stranger.acks == [wanted], what="the acknowledgement")
        stranger.send(example)
        until(lambda: stranger.acks == [wanted, wanted], what="the second acknowledgement")
        assert held(hub, GATEWAY) == [(EPOCH, 4182)]


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_a_broken_batch_is_kept_answered_with_an_error_and_the_next_good_one_goes_through(
    hub: RunningHub, broker: Mosquitto, tmp_path: Path, version: str
) -> None:
    gateway = f"gw-{version}"
    batch = json.loads(EXAMPLE.read_text()) | {"gateway": gateway, "first_seq": 1}
    good, poison, rubbish = tmp_path / "good.json", tmp_path / "poison.json", tmp_path / "rubbish.json"
    poisoned = json.loads(json.dumps(batch))
    poisoned["events"][0]["data"]["result"] = "perhaps"
    poison.write_text(json.dumps(poisoned))
    rubbish.write_bytes(b"\x78\x9crubbish")
    good.write_text(json.dumps(batch | {"first_seq": 2}))
    with a_stranger(broker, gateway, tmp_path) as stranger:
        stranger.send(rubbish, "-V", version)
        until(lambda: len(stranger.acks) == 1, what="the answer to rubbish")
        assert stranger.acks[0]["seq"] == 0
        assert "zlib" in stranger.acks[0]["error"]
        stranger.send(poison, "-V", version)
        until(lambda: len(stranger.acks) == 3, what="the answer to poison")
        assert stranger.acks[1]["epoch"] == EPOCH
        assert stranger.acks[1]["seq"] == 1
        assert "result" in stranger.acks[1]["error"]
        assert stranger.acks[2] == {"v": 1, "epoch": EPOCH, "seq": 1}
        stranger.send(good, "-V", version)
        until(lambda: stranger.acks[-1] == {"v": 1, "epoch": EPOCH, "seq": 2}, what="the acknowledgement")
        assert held(hub, gateway) == [(EPOCH, 2)]


def test_a_topic_that_is_none_and_a_huge_message_disturb_nobody(
    hub: RunningHub, broker: Mosquitto, tmp_path: Path, example: Path
) -> None:
    huge = tmp_path / "huge.json"
    huge.write_bytes(b'{"v":1,"gateway":"gw-huge","epoch":"E","first_seq":1,"events":[' + b" " * 300_000)
    command = ["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-m", "x", "-t"]
    with a_stranger(broker, "gw-huge", tmp_path) as stranger:
        subprocess.run([*command, "anfang/v1/GW_UPPER/event"], check=True, timeout=20)
        stranger.send(huge)
        until(lambda: len(stranger.acks) == 1, what="the answer")
        assert "over 262144" in stranger.acks[0]["error"]
        assert hub.health()[0] == 200
