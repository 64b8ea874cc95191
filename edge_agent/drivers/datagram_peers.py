"""Peers that speak by UDP, each as a pair of `receive` and `send`, so that it is served as a connection is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import structlog

Receive = Callable[[], Awaitable[bytes]]
Send = Callable[[bytes], Awaitable[None]]
Serve = Callable[[Receive, Send], Awaitable[None]]
Address = tuple[Any, ...]

MAX_WAITING: Final = 64
"""Datagrams of one peer that wait to be read; more are dropped, as UDP may: what is not confirmed comes again."""

log = structlog.get_logger()


class DatagramPeers(asyncio.DatagramProtocol):
    """Serves at most `most` peers at once. `serve` ends when a peer has been silent for too long."""

    def __init__(self, serve: Serve, most: int) -> None:
        self._serve = serve
        self._most = most
        self._transport: asyncio.DatagramTransport | None = None
        self._inboxes: dict[Address, asyncio.Queue[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.dropped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See DatagramProtocol."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """See DatagramProtocol."""
        inbox = self._inboxes.get(addr)
        if inbox is None:
            if len(self._inboxes) >= self._most:
                self.dropped += 1
                return
            inbox = self._inboxes[addr] = asyncio.Queue(MAX_WAITING)
            task = asyncio.create_task(self._attend(addr, inbox), name="datagram-peer")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            inbox.put_nowait(data)
        except asyncio.QueueFull:
            self.dropped += 1

    async def close(self) -> None:
        """Stop listening, and serving."""
        if self._transport is not None:
            self._transport.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _attend(self, addr: Address, inbox: "asyncio.Queue[bytes]") -> None:
        async def send(data: bytes) -> None:
            if self._transport is not None:
                self._transport.sendto(data, addr)

        try:
            await self._serve(inbox.get, send)
        except OSError as error:
            log.info("datagrams.lost", peer=str(addr[0]), reason=str(error))
        finally:
            del self._inboxes[addr]
