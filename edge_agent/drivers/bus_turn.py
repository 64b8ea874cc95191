"""Whose turn it is on a line: one at a time, the most urgent first, and the holder learns that somebody cannot wait.

```
ranks    siren to a device that answers < to one that does not < any other command < poll
```
"""

import asyncio
import contextlib
import heapq
from collections.abc import AsyncIterator
from enum import IntEnum
from itertools import count
from typing import Final

LIFE_COMMANDS: Final = frozenset({"siren_on"})
"""What nobody on the line may hold up."""


class Rank(IntEnum):
    """What a request is for. The smaller goes first."""

    LIFE = 0
    LIFE_SILENT = 1
    """To a device that did not answer lately: it must not hold up one that does."""
    COMMAND = 2
    POLL = 3


class BusTurn:
    """A lock with ranks. Of one rank, who came first goes first. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._held: Rank | None = None
        self._overtaken = asyncio.Event()

    @contextlib.asynccontextmanager
    async def taken(self, rank: Rank) -> AsyncIterator[None]:
        """The line is the caller's inside the block."""
        if self._held is not None:
            mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, next(self._numbers), mine))
            if rank < self._held:
                self._overtaken.set()
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    self._pass_on()  # it was given the line in the very moment in which it gave up
                raise
        self._hold(rank)
        try:
            yield
        finally:
            self._pass_on()

    async def overtaken(self) -> None:
        """For the holder: until somebody waits whose request is more urgent than its own."""
        await self._overtaken.wait()

    def _hold(self, rank: Rank) -> None:
        self._held = rank
        if any(waiting < rank for waiting, _, mine in self._waiting if not mine.done()):
            self._overtaken.set()
        else:
            self._overtaken.clear()

    def _pass_on(self) -> None:
        self._overtaken.clear()
        while self._waiting:
            rank, _, mine = heapq.heappop(self._waiting)
            if not mine.done():
                # Held from now on, though its task runs later: nobody slips in between.
                self._held = rank
                mine.set_result(None)
                return
        self._held = None
