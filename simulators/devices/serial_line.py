"""A serial bus made of pseudo-terminals: the gateway's port at one end, any number of devices at the other.

With `baud` each byte takes as long as on a real line (10 bits), so that poll cycles can be measured.
"""

import contextlib
import errno
import os
import select
import threading
import time
import tty
from collections import deque
from pathlib import Path
from typing import Final

MAX_BACKLOG: Final = 65_536
_CHUNK: Final = 4096


class Port:
    """A device's ear and mouth on the bus; what the gateway sends is heard by all ports."""

    def __init__(self, line: "SerialLine") -> None:
        self._line = line
        self._heard: deque[bytes] = deque(maxlen=4096)
        self._rest = b""

    def read(self, most: int) -> bytes:
        """What has come, at once."""
        while self._heard and len(self._rest) < most:
            self._rest += self._heard.popleft()
        data, self._rest = self._rest[:most], self._rest[most:]
        return data

    def write(self, data: bytes) -> int:
        """Send to the gateway."""
        self._line.send(data)
        return len(data)

    def flush(self) -> None:
        """Forget what came."""
        self._heard.clear()
        self._rest = b""

    def hear(self, data: bytes) -> None:
        """For the line: something came."""
        self._heard.append(data)


class SerialLine:
    """The bus. `path` is a link that stays the same when it is unplugged and plugged in again, as in by-id."""

    def __init__(self, path: Path, *, baud: int | None = None) -> None:
        self.path = path
        self._baud = baud
        self._ports: list[Port] = []
        self._pumped: list[tuple[int, int]] = []
        self._lock = threading.Lock()
        self._busy_until_s = 0.0
        self._stop = threading.Event()
        self._master: int | None = None
        self._slave: int | None = None
        self.tapped: list[bytes] | None = None
        """Set to a list to keep what passes in both directions."""
        self.plug_in()
        self._thread = threading.Thread(target=self._pump, name="serial-line", daemon=True)
        self._thread.start()

    def attach(self) -> Port:
        """A port for a device in this process."""
        port = Port(self)
        with self._lock:
            self._ports.append(port)
        return port

    def attach_pty(self) -> str:
        """The path of a pseudo-terminal of its own, for a device that opens a serial port by name."""
        master, slave = os.openpty()
        for end in (master, slave):
            tty.setraw(end)
        os.set_blocking(master, False)
        with self._lock:
            self._pumped.append((master, slave))
        return os.ttyname(slave)

    def detach(self, port: Port) -> None:
        """The device is cut off."""
        with self._lock:
            self._ports.remove(port)

    def unplug(self) -> None:
        """Pull the adapter out of the gateway: its open port breaks."""
        with self._lock:
            self._close()
        self.path.unlink(missing_ok=True)

    def plug_in(self) -> None:
        """Put it in again, under the same name."""
        with self._lock:
            self._close()
            self._master, self._slave = os.openpty()
            tty.setraw(self._master)
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            name = os.ttyname(self._slave)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(name)

    def send(self, data: bytes) -> None:
        """From a device to the gateway."""
        self._take_time(len(data))
        if self.tapped is not None:
            self.tapped.append(data)
        with self._lock, contextlib.suppress(BlockingIOError, OSError):
            if self._master is not None:
                os.write(self._master, data)

    def noise(self, data: bytes) -> None:
        """Bytes that no device sent."""
        self.send(data)

    def close(self) -> None:
        """Take it all down."""
        self._stop.set()
        self._thread.join(5)
        self.unplug()
        for master, slave in self._pumped:
            os.close(master)
            os.close(slave)

    def _close(self) -> None:
        for end in (self._master, self._slave):
            if end is not None:
                os.close(end)
        self._master = self._slave = None

    def _take_time(self, count: int) -> None:
        if self._baud is None:
            return
        now_s = time.monotonic()
        self._busy_until_s = max(now_s, self._busy_until_s) + count * 10 / self._baud
        time.sleep(max(0.0, self._busy_until_s - now_s))

    def _pump(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                sources = self._sources()
            try:
                ready, _, _ = select.select(sources, [], [], 0.02)
            except (OSError, ValueError):
                continue
            for source in ready:
                self._carry(source)
            if not sources:
                time.sleep(0.02)

    def _sources(self) -> list[int]:
        return [fd for fd in (self._master, *(pair[0] for pair in self._pumped)) if fd is not None]

    def _carry(self, source: int) -> None:
        try:
            with self._lock:
                if source not in self._sources():
                    # Unplugged since: the number may by now be another file's, whose bytes are not ours to take.
                    return
                data = os.read(source, _CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            # EIO: nobody has the other end open just now.
            if error.errno not in (errno.EIO, errno.EBADF):
                raise
            time.sleep(0.002)
            return
        if source != self._master:
            self.send(data)
            return
        self._take_time(len(data))
        if self.tapped is not None:
            self.tapped.append(data)
        with self._lock:
            ports, pumped = list(self._ports), list(self._pumped)
        for port in ports:
            port.hear(data)
        for master, _ in pumped:
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(master, data)
