"""A serial server: a simulated bus behind TCP, raw or by RFC 2217 (pyserial's own far side)."""

import contextlib
import os
import select
import socket
import threading
import tty
from pathlib import Path

import serial
import serial.rfc2217

from simulators.devices.serial_line import SerialLine


class _PtyPort(serial.Serial):
    """A pseudo-terminal has no modem lines."""

    def _update_rts_state(self) -> None:
        pass

    def _update_dtr_state(self) -> None:
        pass


class _Manager(serial.rfc2217.PortManager):
    """pyserial's server side of RFC 2217, for a port without modem lines."""

    def check_modem_lines(self, force_notification: bool = False) -> None:
        pass


class SerialServer:
    """Serves one connection at a time on a free port of the loopback."""

    def __init__(self, line: SerialLine, *, is_rfc2217: bool) -> None:
        self._is_rfc2217 = is_rfc2217
        self._path = str(Path(line.path).resolve())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._stop = threading.Event()
        self._cut = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Drop the connection, as a reboot of the server would."""
        self._cut.set()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        self._listener.settimeout(0.1)
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._cut.clear()
            with connection, contextlib.suppress(OSError):
                self._pump(connection)

    def _pump(self, connection: socket.socket) -> None:
        manager = None
        with _PtyPort(self._path, 9600, timeout=0) as port:
            tty.setraw(port.fileno())
            if self._is_rfc2217:

                class Out:
                    def write(self, data: bytes) -> None:
                        connection.sendall(data)

                manager = _Manager(port, Out())
            while not self._stop.is_set() and not self._cut.is_set():
                ready, _, _ = select.select([connection, port.fileno()], [], [], 0.02)
                if connection in ready:
                    data = connection.recv(1024)
                    if not data:
                        return
                    os.write(port.fileno(), b"".join(manager.filter(data)) if manager else data)
                if port.fileno() in ready:
                    data = os.read(port.fileno(), 1024)
                    connection.sendall(b"".join(manager.escape(data)) if manager else data)
