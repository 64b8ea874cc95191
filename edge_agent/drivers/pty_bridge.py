"""A local serial port for a link that has none: libraries that open ports by name can speak through a serial server."""

import contextlib
import os
import select
import threading
import tty
from typing import Final

from edge_agent.drivers.links import Link
from edge_agent.errors import LinkError

_TURN_S: Final = 0.005
_CHUNK: Final = 1024


class PtyBridge:
    """Moves bytes between a pseudo-terminal and a link until one of them ends; then the port at `path` breaks."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self.fault: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._pump, name="pty-bridge", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of port and link."""
        self._stop.set()
        self._thread.join(5)

    def _pump(self) -> None:
        try:
            while not self._stop.is_set():
                self._turn()
        except (LinkError, OSError) as error:
            self.fault = str(error)
        finally:
            self._link.close()
            for end in (self._master, self._slave):
                with contextlib.suppress(OSError):
                    os.close(end)

    def _turn(self) -> None:
        ready, _, _ = select.select([self._master], [], [], _TURN_S)
        if ready:
            rest = os.read(self._master, _CHUNK)
            while rest and not self._stop.is_set():
                rest = rest[self._link.write(rest) :]
        data = self._link.read(_CHUNK)
        if data:
            os.write(self._master, data)
