"""Byte links: serial ports and TCP serial servers, opened, locked and closed; never blocking."""

import socket
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import serial
import serial.rs485

from edge_agent.config import BusSection
from edge_agent.errors import ConfigError, LinkError

CONNECT_TIMEOUT_S: Final = 3.0
# pyserial lets termios' own error through, which is no OSError, and TypeError when a port is closed under a read.
_GONE: Final = (serial.SerialException, OSError, termios.error, TypeError)


class Link(Protocol):
    """Bytes in and out at once. Every method raises LinkError when the cable or the peer is gone."""

    def read(self, most: int) -> bytes:
        """What has come, at most `most` bytes; empty when nothing has."""
        ...

    def write(self, data: bytes) -> int:
        """Send; returns how many bytes were taken."""
        ...

    def discard_input(self) -> None:
        """Forget what has come."""
        ...

    def close(self) -> None:
        """Let go of the port. Never raises."""
        ...


Tap = Callable[[str, bytes], None]
"""Is told what passes: `<` from the devices, `>` to them."""


class TappedLink:
    """A link that lets a recorder hear."""

    def __init__(self, link: Link, tap: Tap) -> None:
        self._link = link
        self._tap = tap

    def read(self, most: int) -> bytes:
        """See Link."""
        data = self._link.read(most)
        if data:
            self._tap("<", data)
        return data

    def write(self, data: bytes) -> int:
        """See Link."""
        sent = self._link.write(data)
        self._tap(">", data[:sent])
        return sent

    def discard_input(self) -> None:
        """See Link."""
        self._link.discard_input()

    def close(self) -> None:
        """See Link."""
        self._link.close()


def open_link(bus: BusSection) -> Link:
    """Open the port of a bus (blocking up to CONNECT_TIMEOUT_S). Raises LinkError, or ConfigError for a bad URL."""
    if bus.port.startswith("tcp://"):
        return _TcpLink(bus.port)
    return _SerialLink(bus)


def port_fault(port: str) -> str | None:
    """Why a serial port cannot be there, before anything is opened; None when it may be, or is not a local one."""
    if "://" in port:
        return None
    path = Path(port)
    if not path.exists():
        near = sorted(str(found) for found in path.parent.glob("*"))[:4] if path.parent.is_dir() else []
        there = f"there is: {', '.join(near)}" if near else "no serial port is plugged in"
        return f"{port} is not there; {there}"
    return None


class _SerialLink:
    def __init__(self, bus: BusSection) -> None:
        fault = port_fault(bus.port)
        if fault is not None:
            raise LinkError(fault)
        self._is_local = bus.port.startswith("/")
        try:
            self._port = serial.serial_for_url(
                bus.port, baudrate=bus.baud, parity=bus.parity, stopbits=bus.stop_bits, timeout=0, do_not_open=True
            )
            if self._is_local:
                # Two programs on one bus are noise to each other.
                self._port.exclusive = True
            self._port.open()
            if bus.rs485:
                self._switch_direction(bus.port)
        except (serial.SerialException, OSError, termios.error) as error:
            raise LinkError(f"{bus.port}: {_reason(error)}") from error
        except ValueError as error:
            raise ConfigError(f"bus {bus.name}: port {bus.port}: {error}") from error

    def _switch_direction(self, name: str) -> None:
        """Have the kernel's driver raise RTS while it sends (TIOCSRS485). Raises LinkError."""
        try:
            self._port.rs485_mode = serial.rs485.RS485Settings()
        except (ValueError, OSError) as error:
            self._port.close()
            raise LinkError(f"{name}: its driver does not switch the direction of RS-485; leave rs485 out") from error

    def read(self, most: int) -> bytes:
        try:
            data = bytes(self._port.read(most))
            # pyserial's network ports give one byte at a time when they may not wait.
            while not self._is_local and len(data) < most and (more := bytes(self._port.read(most - len(data)))):
                data += more
            return data
        except _GONE as error:
            raise LinkError(f"unplugged: {_reason(error)}") from error

    def write(self, data: bytes) -> int:
        try:
            return int(self._port.write(data) or 0)
        except _GONE as error:
            raise LinkError(f"unplugged: {_reason(error)}") from error

    def discard_input(self) -> None:
        try:
            if self._is_local:
                self._port.reset_input_buffer()
            else:
                # RFC 2217's purge waits for the server's answer; reading what is there does not.
                while self._port.read(4096):
                    pass
        except _GONE as error:
            raise LinkError(f"unplugged: {_reason(error)}") from error

    def close(self) -> None:
        try:
            self._port.close()
        except (serial.SerialException, OSError, termios.error):
            return


class _TcpLink:
    """A serial server in raw mode: bytes as they are."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(f"{url}: {error}; write tcp://host:port") from error
        if not host or not port:
            raise ConfigError(f"{url}: write tcp://host:port")
        try:
            self._socket = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S)
        except OSError as error:
            raise LinkError(f"{url}: {_reason(error)}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket.setblocking(False)

    def read(self, most: int) -> bytes:
        try:
            data = self._socket.recv(most)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LinkError(f"connection lost: {_reason(error)}") from error
        if not data:
            raise LinkError("the serial server closed the connection")
        return data

    def write(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LinkError(f"connection lost: {_reason(error)}") from error

    def discard_input(self) -> None:
        while self.read(4096):
            pass

    def close(self) -> None:
        self._socket.close()


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    if "exclusively lock" in str(error) or "temporarily unavailable" in str(error):
        return "another program has the port open"
    if "Permission denied" in text:
        return "permission denied; add the user to the group dialout"
    return text.splitlines()[0] if text else type(error).__name__
