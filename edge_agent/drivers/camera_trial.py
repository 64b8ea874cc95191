"""Counts at a camera in this very process for as long as an installer walks: the way of the worker, without events."""

import time
from collections.abc import Callable, Iterator

from edge_agent.counting.line import Direction
from edge_agent.drivers.camera_feed import Feed
from edge_agent.drivers.camera_messages import Crossed, Order
from edge_agent.drivers.camera_source import is_file, without_password
from edge_agent.drivers.camera_worker import Counting
from edge_agent.errors import LinkError

TAKE_S = 0.5
NO_PICTURE_S = 20.0


def crossings(order: Order, is_over: Callable[[], bool]) -> Iterator[Direction]:
    """Who crosses, as it is counted, until `is_over` or the end of a file.

    Raises LinkError where no picture comes for long, ConfigError where the model is not built.
    """
    counting = Counting(order)
    feed = Feed(order.url, order.max_fps, order.transport)
    feed.start()
    while not is_over():
        fresh = feed.take(TAKE_S)
        if fresh is not None:
            yield from (one.direction for one in counting.step(fresh) if isinstance(one, Crossed))
        elif feed.link == "lost" and is_file(order.url):
            return
        elif time.monotonic() - feed.last_frame_s > NO_PICTURE_S:
            raise LinkError(
                f"{without_password(order.url)}: {feed.detail or 'no picture comes'}; mend it and try again"
            )
