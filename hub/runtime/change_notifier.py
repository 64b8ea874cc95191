"""Tells the loop that serves open pages that there are new rows in the table of changes."""

import asyncio
import contextlib


class ChangeFeed:
    """A wake-up call across threads. It carries nothing: the table, which others fill too, says what changed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """From any thread, after the commit."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed between the look and the call
                loop.call_soon_threadsafe(self._changed.set)

    async def wait(self, timeout_s: float) -> bool:
        """Until the next `wake`, or for `timeout_s`. True when woken. One waiter, on one loop."""
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return False
        self._changed.clear()
        return True
