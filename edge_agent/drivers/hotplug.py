"""Waiting for a port: no longer than the back-off, and no longer than it is away."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from wire.clock import Clock

LOOK_S: Final = 0.5


async def wait_for_port(clock: Clock, beat: Callable[[], None], port: str, delay_s: float) -> None:
    """Sleep `delay_s`, alive; return at once when a serial port that was not there has been plugged in.

    Looking at the path twice a second costs nothing and, unlike a listener to udev, works in containers too.
    """
    path = Path(port) if port.startswith("/") else None
    was_there = path is None or path.exists()
    while delay_s > 0:
        beat()
        step_s = min(delay_s, LOOK_S)
        await clock.sleep(step_s)
        delay_s -= step_s
        if path is not None and path.exists() and not was_there:
            return
