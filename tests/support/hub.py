"""The real hub as a process of its own: `anfang-hub serve`, as an operator would start it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.servers import free_port
from support.wait import until

PROGRAM = str(Path(sys.executable).with_name("anfang-hub"))


@dataclass
class RunningHub:
    """A hub with its data in `folder`; `kill` and `start` again for crash tests."""

    folder: Path
    mqtt: str
    arguments: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "hub.log").read_text()

    def start(self, *, wait_s: float = 90.0) -> None:
        """Start; return when it is ready (`wait_s` 0: at once)."""
        command = [PROGRAM, "serve", "--data-dir", str(self.folder), "--http", f"127.0.0.1:{self.port}"]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "hub.log").open("ab") as log:
            self.process = subprocess.Popen([*command, "--mqtt", self.mqtt, *self.arguments], stdout=log, stderr=log)
        if wait_s:
            until(self.is_ready, deadline_s=wait_s, what="the hub being ready")

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the hub ended:\n{self.log}"
        return self.health()[0] == 200

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /healthz; (0, {}) when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    def metric(self, name: str) -> float:
        """One figure of /metrics."""
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line.split()[-1] for line in lines if line.startswith(f"{name} ")))

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(60)
        finally:
            self.kill()


@contextlib.contextmanager
def running_hub(folder: Path, mqtt: str, *arguments: str) -> Iterator[RunningHub]:
    """A hub that is ready; it is stopped, and must have stopped well, when the block ends."""
    hub = RunningHub(folder, mqtt, arguments)
    try:
        hub.start()
        yield hub
        if hub.process is not None:
            assert hub.stop() == 0, hub.log
    finally:
        hub.kill()


def hub_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One of the hub's other commands, to its end."""
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run([PROGRAM, *arguments], check=False, capture_output=True, text=True, env=environment)
