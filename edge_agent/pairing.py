"""Gives an OSDP reader its key: once, at the door, while the reader is in its install mode.

In install mode a reader takes the standard's default key, which everyone knows. So this is a window of seconds that a
person opens; the agent itself never speaks with that key.
"""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge_agent.config import BusSection
from edge_agent.drivers.links import open_link
from edge_agent.drivers.osdp_commands import keyset
from edge_agent.drivers.osdp_panel import Panel, ReaderSetup
from edge_agent.errors import CommandError, LinkError

KEY_BYTES: Final = 16
_PROOF_S: Final = 10.0


def pair(bus: BusSection, address: int, key_file: Path, window_s: float) -> None:
    """Make a key, give it to the reader, prove that it works, keep it in `key_file` (0600).

    Raises LinkError when the reader is not in install mode or does not answer, CommandError when it refuses the key.
    """
    key = secrets.token_bytes(KEY_BYTES)
    fresh = key_file.with_name(key_file.name + ".new")
    _write(fresh, key)
    # On an error `.new` stays: a reader may have taken the key although its answer was lost.
    _give(bus, address, key, window_s)
    _prove(bus, address, key)
    fresh.replace(key_file)


def _give(bus: BusSection, address: int, key: bytes, window_s: float) -> None:
    answers: list[bool] = []
    with _Running(bus, ReaderSetup(address, key, is_pairing=True)) as panel:
        if not _until(lambda: address in panel.secure(), window_s, panel):
            raise LinkError(
                f"reader {address}: no secure channel within {window_s:g} s; "
                "put it in install mode (its manual says how)"
            )
        panel.submit(address, keyset(key), answers.append)
        if not _until(lambda: bool(answers), _PROOF_S, panel) or not answers[0]:
            raise CommandError(f"reader {address}: it did not take the key")


def _prove(bus: BusSection, address: int, key: bytes) -> None:
    with _Running(bus, ReaderSetup(address, key)) as panel:
        if not _until(lambda: address in panel.secure(), _PROOF_S, panel):
            raise LinkError(f"reader {address}: it took the key, but does not speak with it; power it off and on")


class _Running:
    """A panel of one reader, at work inside its `with` block."""

    def __init__(self, bus: BusSection, reader: ReaderSetup) -> None:
        self._link = open_link(bus)
        self._panel = Panel(self._link, [reader], lambda event: None)

    def __enter__(self) -> Panel:
        self._panel.start()
        return self._panel

    def __exit__(self, *_: object) -> None:
        self._panel.stop()
        self._link.close()


def _until(condition: Callable[[], bool], limit_s: float, panel: Panel) -> bool:
    end_s = time.monotonic() + limit_s
    while not condition():
        if panel.fault is not None:
            raise LinkError(panel.fault)
        if time.monotonic() > end_s:
            return False
        time.sleep(0.05)
    return True


def _write(path: Path, key: bytes) -> None:
    """As hex, readable by nobody else from its first moment, on the disk before the reader hears of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
