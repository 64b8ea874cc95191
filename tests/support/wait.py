"""Waiting for a condition with a deadline: the one way in which tests wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], *, deadline_s: float = 60.0, what: str = "the condition") -> T:
    """Return the first true value of `condition`. Raises AssertionError after `deadline_s`."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {deadline_s} s (last: {value!r})")
        time.sleep(0.01)
    return value


async def until_async(
    condition: Callable[[], T | Awaitable[T]], *, deadline_s: float = 60.0, what: str = "the condition"
) -> T:
    """`until` for a running event loop; `condition` may be a coroutine function."""
    end = time.monotonic() + deadline_s
    while True:
        result = condition()
        value: T = await result if isinstance(result, Awaitable) else result
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {deadline_s} s (last: {value!r})")
        await asyncio.sleep(0.01)
