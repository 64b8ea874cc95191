"""A whole site for tests of the pages: a real broker, a real hub in a process of its own, and a gateway that we play."""

import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from support.servers import free_port, mosquitto
from support.wait import until

EPOCH = "01JD9ZK3W6K6Q2V7R7M3J0X9AB"
HUB = [str(Path(sys.executable).with_name("anfang-hub"))]


def hub_command(*arguments: str) -> str:
    """Standard output of one `anfang-hub` command that succeeds."""
    done = subprocess.run([*HUB, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Site:
    """Where it is, and how to play its gateways."""

    address: str
    data_dir: Path
    broker: mqtt.Client
    api: httpx.Client
    numbers: dict[str, Iterator[int]] = field(default_factory=dict)

    def publish(self, gateway: str, *events: Mapping[str, Any]) -> None:
        """One batch, as wire.md says. An event without `observed_at` was seen just now."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        numbers = self.numbers.setdefault(gateway, itertools.count(1))
        seqs = [next(numbers) for _ in events]
        batch = {
            "v": 1,
            "gateway": gateway,
            "epoch": EPOCH,
            "first_seq": seqs[0],
            "sent_at": now,
            "clock": "synced",
            "events": [{"observed_at": now, **event} for event in events],
        }
        sent = self.broker.publish(f"anfang/v1/{gateway}/event", json.dumps(batch), qos=1)
        sent.wait_for_publish(10)

    def smoke(self, gateway: str, device: str, unit: str | None = None, *, alarm: bool = True) -> None:
        """A smoke detector's word."""
        where = {} if unit is None else {"unit": unit}
        self.publish(gateway, {"device": device, **where, "kind": "smoke.state", "data": {"alarm": alarm}})

    def alerts(self, **query: str) -> list[dict[str, Any]]:
        """What the API lists."""
        answer = self.api.get("/api/v1/alerts", params={"limit": "500", **query})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def link(self, name: str, role: str, *scopes: str) -> str:
        """The address of a one-time sign-in link for a user who is made when missing."""
        arguments = ["user", "add", name, "--role", role, "--link", "--address", self.address]
        for scope in scopes:
            arguments += ["--scope", scope]
        return hub_command(*arguments, "--data-dir", str(self.data_dir)).splitlines()[-1]


@contextlib.contextmanager
def running_site(folder: Path, seed: Path | None = None) -> Iterator[Site]:
    """A site with its files in `folder`; `seed` is loaded into the registry first."""
    data_dir = folder / "hub"
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with mosquitto(folder / "broker") as broker:
        if seed is not None:
            hub_command("registry", "load", str(seed), "--data-dir", str(data_dir))
        token = hub_command("token", "create", "--data-dir", str(data_dir), "--role", "admin").splitlines()[-1]
        with (folder / "hub.log").open("ab") as log:
            arguments = ["--data-dir", str(data_dir), "--http", f"127.0.0.1:{port}", "--mqtt", broker.url]
            process = subprocess.Popen([*HUB, "serve", *arguments], stdout=log, stderr=log)
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        api = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20)
        try:
            until(lambda: _is_ready(process, api, folder / "hub.log"), what="the hub being ready")
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            yield Site(address, data_dir, client, api)
        finally:
            client.disconnect()
            client.loop_stop()
            api.close()
            process.terminate()
            process.wait(60)


def _is_ready(process: subprocess.Popen[bytes], api: httpx.Client, log: Path) -> bool:
    assert process.poll() is None, f"the hub ended: {log.read_text()[-2000:]}"
    with contextlib.suppress(httpx.TransportError):
        return api.get("/healthz").status_code == 200
    return False
