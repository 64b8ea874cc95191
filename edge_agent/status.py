"""What the running agent says of itself, over a socket in its data folder; the lock that lets only one run there."""

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from edge_agent.errors import AgentError, ConfigError
from wire.events import DriverHealth

_SOCKET_NAME: Final = "agent.sock"
_LOCK_NAME: Final = "agent.lock"
_MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024


class LaneReport(msgspec.Struct, frozen=True):
    """One lane of the outbox."""

    name: str
    epoch: str
    depth: int
    floor_seq: int
    last_seq: int
    oldest_s: float | None
    dropped: int
    refused: int
    damaged: int
    sending: str


class DeadLetterReport(msgspec.Struct, frozen=True):
    """An event that was set aside; its content stays in the outbox."""

    lane: str
    epoch: str
    seq: int
    reason: str


class AgentStatus(msgspec.Struct, frozen=True):
    """The answer to `anfang-agent status`."""

    gateway: str
    version: str
    pid: int
    uptime_s: float
    clock: str
    uplink_up: bool
    uplink_detail: str
    uplink_last_ack_s: float | None
    uplink_strays: int
    lanes: list[LaneReport]
    disk: str
    salvaged: int
    moved_aside: str | None
    dead_letters: int
    dead_letters_forgotten: int
    newest_dead_letters: list[DeadLetterReport]
    drivers: dict[str, DriverHealth]
    sirens_sounding: bool
    detectors_in_alarm: list[str]


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock. Raises ConfigError when another agent has it or the folder cannot be used."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(data_dir / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"gateway.data_dir: {data_dir}: {error.strerror}; give a folder that can be written"
        ) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"gateway.data_dir: {data_dir}: another agent runs there; stop it, or give this one its own folder"
            ) from error
        yield
    finally:
        os.close(file)


@contextlib.contextmanager
def _short_path(data_dir: Path) -> Iterator[str]:
    """The socket's path by way of the folder's descriptor: a socket's name may have 107 bytes only."""
    folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{_SOCKET_NAME}"
    finally:
        os.close(folder)


async def serve_status(data_dir: Path, report: Callable[[], "asyncio.Future[AgentStatus]"]) -> asyncio.Server:
    """Answer everyone who connects (the agent's own user only) with one JSON object."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(msgspec.json.encode(await report()))
            await writer.drain()
        except (ConnectionError, AgentError):
            return
        finally:
            writer.close()

    (data_dir / _SOCKET_NAME).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short_path(data_dir) as path:
        listener.bind(path)
    (data_dir / _SOCKET_NAME).chmod(0o600)
    return await asyncio.start_unix_server(answer, sock=listener)


def ask_status(data_dir: Path, timeout_s: float = 5.0) -> AgentStatus | None:
    """What the agent that runs on `data_dir` says, or None when none runs there. Raises AgentError."""
    try:
        with (
            _short_path(data_dir) as path,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
        ):
            connection.settimeout(timeout_s)
            connection.connect(path)
            answer = b""
            while (part := connection.recv(65_536)) and len(answer) < _MAX_ANSWER_BYTES:
                answer += part
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise AgentError(f"{data_dir}: the agent cannot be asked: {error}; run this as the agent's user") from error
    try:
        return msgspec.json.decode(answer, type=AgentStatus)
    except msgspec.MsgspecError as error:
        raise AgentError(
            f"{data_dir}: the agent's answer cannot be read: {error}; is it of another release?"
        ) from error
