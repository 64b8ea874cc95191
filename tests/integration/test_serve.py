"""`anfang-hub serve` as a process: when it is ready, how it stops, what it says when it cannot start."""

import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest
from support.hub import RunningHub, hub_command, running_hub
from support.servers import free_port, mosquitto
from support.wait import until

pytestmark = pytest.mark.integration


def test_it_is_ready_only_when_the_broker_is_there_and_says_why_not(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker:
        broker.kill()
        hub = RunningHub(tmp_path / "hub", broker.url)
        hub.start(wait_s=0)
        try:
            until(lambda: "refused" in hub.health()[1].get("parts", {}).get("broker", ""), what="an answer")
            status, body = hub.health()
            assert (status, body["status"]) == (503, "unavailable")
            broker.start()
            until(hub.is_ready, what="the hub being ready")
            assert "MQTT 5, shared" in hub.health()[1]["parts"]["broker"]
            broker.kill()
            until(
                lambda: "lost" in hub.health()[1]["parts"]["broker"] or "refused" in hub.health()[1]["parts"]["broker"],
                what="the loss being told",
            )
            assert hub.health()[0] == 200, "alerts can still be looked at"
            assert hub.stop() == 0
        finally:
            hub.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_well_though_a_page_holds_the_stream_open(tmp_path: Path, number: signal.Signals) -> None:
    with mosquitto(tmp_path / "broker") as broker, running_hub(tmp_path / "hub", broker.url) as hub:
        made = hub_command("token", "create", "--data-dir", str(hub.folder), "--role", "viewer")
        request = urllib.request.Request(
            f"{hub.address}/api/v1/stream", headers={"Authorization": f"Bearer {made.stdout.strip()}"}
        )
        with urllib.request.urlopen(request, timeout=60) as stream:
            assert b"hello" in stream.readline() + stream.readline()
            assert hub.process is not None
            hub.process.send_signal(number)
            assert hub.process.wait(60) == 0, hub.log
        hub.process = None


def test_the_embedded_broker_serves_old_clients_and_sends_new_ones_to_the_old_protocol(tmp_path: Path) -> None:
    port = free_port()
    with running_hub(tmp_path / "hub", f"mqtt://127.0.0.1:{port}", "--embedded-broker") as hub:
        publish = ["mosquitto_pub", "-p", str(port), "-t", "anfang/v1/gw-x/event", "-q", "1", "-m", "rubbish"]
        subprocess.run(publish, check=True, timeout=20)
        until(lambda: hub.metric("anfang_batches_rejected_total") == 1, what="the message having come")
        refused = subprocess.run([*publish, "-V", "5"], check=False, capture_output=True, text=True, timeout=20)
        assert refused.returncode != 0
        assert "Unsupported Protocol Version" in refused.stderr


def test_figures_are_there_for_prometheus(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, running_hub(tmp_path / "hub", broker.url) as hub:
        assert hub.metric("anfang_broker_up") == 1
        assert hub.metric("anfang_database_bytes") > 0
        assert hub.metric("anfang_events_committed_total") == 0
        with urllib.request.urlopen(f"{hub.address}/metrics", timeout=60) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_second_hub_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, running_hub(tmp_path / "hub", broker.url) as hub:
        for command in (["serve", "--http", f"127.0.0.1:{free_port()}"], ["ingest"]):
            second = hub_command(*command, "--data-dir", str(hub.folder), "--mqtt", broker.url)
            assert second.returncode == 78
            assert "a hub runs there already" in second.stderr


def test_the_organisations_key_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker:
        with running_hub(tmp_path / "hub", broker.url) as hub:
            key = hub.folder / "organisation.key"
            first = key.read_text()
            assert re.fullmatch("[0-9a-f]{64}\n", first)
            assert key.stat().st_mode & 0o777 == 0o600
        with running_hub(tmp_path / "hub", broker.url):
            assert key.read_text() == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mqtt", "http://127.0.0.1"], "mqtt.url"),
        (["--http", "8080"], "http.listen"),
        (["--http", "127.0.0.1:99999"], "ports end at 65535"),
        (["--database", "mysql://x"], "use postgresql://"),
        (["--database", "postgresql://anfang@127.0.0.1:1/none"], "check the address"),
        (["--mqtt", "mqtt://192.0.2.1:1883", "--embedded-broker"], "is not the loopback"),
        (["--config", "/nonexistent/hub.toml"], "give a file that can be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_setting_that_cannot_work_is_named_in_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    listening = [] if "--http" in arguments else ["--http", f"127.0.0.1:{free_port()}"]
    ended = hub_command("serve", "--data-dir", str(tmp_path), *listening, *arguments)
    assert ended.returncode == 78
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert said in line


def test_a_key_of_the_file_that_nobody_knows_is_named_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text("[ingest]\nacept_unknown_gateways = false\n")
    ended = hub_command("serve", "--data-dir", str(tmp_path))
    assert ended.returncode == 78
    assert f"{tmp_path / 'hub.toml'}: ingest.acept_unknown_gateways" in ended.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = hub_command("serve", "--data-dir", str(tmp_path), "--http", f"127.0.0.1:{taken.getsockname()[1]}")
    assert ended.returncode == 78
    assert "Address already in use" in ended.stderr


def test_a_closed_hub_answers_unknown_gateways_and_stores_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "hub.toml").write_text("[ingest]\naccept_unknown_gateways = false\n")
    example = Path(__file__).parents[1] / "golden" / "v1" / "contract-example.batch.json"
    with mosquitto(tmp_path / "broker") as broker, running_hub(folder, broker.url) as hub:
        publish = ["mosquitto_pub", "-p", str(broker.port), "-t", "anfang/v1/gw-jh-0001/event", "-q", "1"]
        subprocess.run([*publish, "-f", str(example)], check=True, timeout=20)
        until(lambda: hub.metric("anfang_batches_rejected_total") == 1, what="the refusal")
        assert hub.metric("anfang_events_committed_total") == 0
