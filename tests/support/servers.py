"""Real servers on free ports of the loopback: Mosquitto and PostgreSQL. Each stops with its `with` block."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.wait import until


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def can_connect(port: int) -> bool:
    """Whether somebody accepts connections at a port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _program(name: str, package: str) -> str:
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.fail(f"{name} is missing: `make packages` installs Debian's {package}")
    return path


@dataclass
class Mosquitto:
    """A running Mosquitto; `kill` and `start` again for outage tests."""

    folder: Path
    port: int
    settings: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and return when it accepts connections."""
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n"
            f"persistence false\n{self.settings}\n"
        )
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen(
                [_program("mosquitto", "mosquitto"), "-c", str(config)], stdout=log, stderr=log
            )
        until(lambda: can_connect(self.port), what="Mosquitto accepting connections")

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None


@contextlib.contextmanager
def mosquitto(folder: Path, settings: str = "") -> Iterator[Mosquitto]:
    """A Mosquitto of its own, with its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder, free_port(), settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL cluster of its own in `folder`; gives `postgresql://…` of an empty database."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        pytest.fail("PostgreSQL is missing: `make packages` installs Debian's postgresql")
    bin_dir = binaries[-1]
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "pgdata"
    # PostgreSQL refuses to run as root; the account comes with Debian's package. It must reach the folder.
    account: dict[str, str] = {}
    if os.geteuid() == 0:
        account = {"user": "postgres", "group": "postgres"}
        shutil.chown(folder, "postgres", "postgres")
        for parent in folder.resolve().parents:
            if parent.owner() == "root" and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
    port = free_port()
    run = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": str(folder), **account}
    subprocess.run(
        [str(bin_dir / "initdb"), "-D", str(data), "-U", "anfang", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        **run,  # type: ignore[call-overload]  # the keyword set is one of Popen's
    )
    server = subprocess.Popen(
        [str(bin_dir / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", ""],
        **run,  # type: ignore[call-overload]  # the keyword set is one of Popen's
    )
    try:
        ready = [str(bin_dir / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
        until(lambda: subprocess.run(ready, check=False).returncode == 0, what="PostgreSQL being ready")
        yield f"postgresql://anfang@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)
