"""Server-sent events: each change is framed once and written to every open page; a page that cannot keep up is dropped.

A page that comes back says the last id that it saw (`Last-Event-ID`) and gets what it missed from the table of
changes. The broadcaster writes by driving each client's ASGI `send` without a task switch: a send that would have to
wait means a full socket, and that client is let go, so one slow page never holds up the others or grows the memory.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog
from sqlmodel import col, func, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from hub.access.roles import Right, sees_everything
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, authenticate
from hub.api.problems import Problem, respond
from hub.runtime.services import Services
from hub.store.tables.changes import ChangeRow

log = structlog.get_logger(__name__)

KEEP_ALIVE_S: Final = 15.0
POLL_S: Final = 1.0
CATCH_UP_PAGE: Final = 1000
CATCH_UP_MOST: Final = 20_000
# Scoped callers hear only of what they could open; an alert's id says nothing by itself, and opening it asks again.
_FOR_ALL: Final = frozenset({"alert", "unit"})


class _Told(msgspec.Struct):
    kind: str
    subject: str
    what: str
    at: str


def frame(change: ChangeRow) -> bytes:
    """One change as a server-sent event; its `id:` is what a page gives back to catch up."""
    told = _Told(change.kind, change.subject, change.what, change.at.isoformat(timespec="milliseconds"))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (change.id or 0, change.kind.encode(), msgspec.json.encode(told))


@dataclass(eq=False, slots=True)
class _Client:
    send: Send
    caller: Caller
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def hears(self, change: ChangeRow) -> bool:
        if sees_everything(self.caller.role, self.caller.scopes):
            return True
        if change.kind == "unit":
            return self.caller.sees(change.subject)
        return change.kind in _FOR_ALL

    def write(self, body: bytes) -> None:
        """Write now, or mark as gone when that would mean waiting."""
        sending = self.send({"type": "http.response.body", "body": body, "more_body": True})
        try:
            sending.send(None)  # type: ignore[attr-defined]  # an ASGI send is a coroutine, typed as an Awaitable
        except StopIteration:
            return
        except OSError:
            self.gone.set()
            return
        sending.close()  # type: ignore[attr-defined]  # as above
        self.gone.set()


class Broadcaster:
    """Follows the table of changes and tells every open page. `run` it as a task; `close` lets all pages go."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._clients: set[_Client] = set()
        self._position = -1
        self._ready = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def open_pages(self) -> int:
        """How many pages are connected."""
        return len(self._clients)

    async def run(self) -> None:
        """Until cancelled: wait for a wake-up, read what is new, tell it. The changes of other processes are polled."""
        self._position = max(self._position, await run_in_threadpool(self._newest))
        self._ready.set()
        clock = self._services.clock
        told_at = clock.monotonic()
        while not self._closed.is_set():
            await self._services.feed.wait(POLL_S)
            changes = await run_in_threadpool(self._after, self._position, CATCH_UP_PAGE)
            while changes:
                self._tell(changes)
                told_at = clock.monotonic()
                more = len(changes) == CATCH_UP_PAGE
                changes = await run_in_threadpool(self._after, self._position, CATCH_UP_PAGE) if more else []
            if clock.monotonic() - told_at >= KEEP_ALIVE_S:
                told_at = clock.monotonic()
                self._write(list(self._clients), b":\n\n")

    def close(self) -> None:
        """Let every page go; they reconnect to whoever answers next."""
        self._closed.set()
        for client in self._clients:
            client.gone.set()

    def _tell(self, changes: Sequence[ChangeRow]) -> None:
        frames = [(change, frame(change)) for change in changes]
        everything = b"".join(body for _, body in frames)
        self._position = changes[-1].id or self._position
        unlimited = [c for c in self._clients if sees_everything(c.caller.role, c.caller.scopes)]
        self._write(unlimited, everything)
        for client in self._clients.difference(unlimited):
            heard = b"".join(body for change, body in frames if client.hears(change))
            if heard:
                client.write(heard)

    @staticmethod
    def _write(clients: Iterable[_Client], body: bytes) -> None:
        for client in clients:
            if not client.gone.is_set():
                client.write(body)

    def _newest(self) -> int:
        with self._services.database.read() as session:
            return session.exec(select(func.max(ChangeRow.id))).one() or 0

    def _after(self, position: int, limit: int) -> list[ChangeRow]:
        with self._services.database.read() as session:
            query = select(ChangeRow).where(col(ChangeRow.id) > position).order_by(col(ChangeRow.id)).limit(limit)
            return list(session.exec(query))

    def _oldest(self) -> int:
        with self._services.database.read() as session:
            return session.exec(select(func.min(ChangeRow.id))).one() or 0

    async def serve(self, caller: Caller, last_id: int | None, receive: Receive, send: Send) -> None:
        """One page, from its first byte to its leaving."""
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                ],
            }
        )
        client = _Client(send, caller)
        if await self._catch_up(client, last_id):
            leaving = [asyncio.ensure_future(_left(receive)), asyncio.ensure_future(client.gone.wait())]
            try:
                await asyncio.wait(leaving, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._clients.discard(client)
                for task in leaving:
                    task.cancel()
        # A page that was dropped for being slow may never read the end either.
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(send({"type": "http.response.body", "body": b"", "more_body": False}), 5)

    async def _catch_up(self, client: _Client, last_id: int | None) -> bool:
        """Send what was missed and join the others at the same place. False when the stream is closing."""
        await self._ready.wait()
        at = self._position if last_id is None else last_id
        oldest = await run_in_threadpool(self._oldest)
        if at > self._position or at + 1 < oldest or self._position - at > CATCH_UP_MOST:
            # Too long away, or a database that was restored: the page has to read everything again.
            at = self._position
            await client.send(_body(b"id: %d\nevent: reset\ndata: {}\n\n" % at))
        else:
            await client.send(_body(b"id: %d\nevent: hello\ndata: {}\n\n" % at))
        while at < self._position:
            missed = [
                row
                for row in await run_in_threadpool(self._after, at, CATCH_UP_PAGE)
                if (row.id or 0) <= self._position
            ]
            if not missed:
                break
            at = missed[-1].id or at
            await client.send(_body(b"".join(frame(row) for row in missed if client.hears(row)) or b":\n\n"))
        if self._closed.is_set():
            return False
        self._clients.add(client)
        return True


def _body(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class StreamEndpoint:
    """`GET /api/v1/stream` as plain ASGI: a response object for each page would cost more than its messages."""

    policy = Allow(Right.SEE_ALERTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the caller as every other route does, then stay."""
        request = Request(scope, receive)
        try:
            caller = await run_in_threadpool(authenticate, request)
            if not caller.may(Right.SEE_ALERTS):
                raise Problem("not-allowed", f"the right {Right.SEE_ALERTS.value} is needed")
            last_id = _last_id(request)
        except Problem as problem:
            language = request.headers.get("accept-language", "")
            answer = respond(problem.slug, problem.detail, accept_language=language, headers=problem.headers)
            await answer(scope, receive, send)
            return
        broadcaster = scope["app"].state.broadcaster
        assert isinstance(broadcaster, Broadcaster)
        await broadcaster.serve(caller, last_id, receive, send)


def _last_id(request: Request) -> int | None:
    text = request.headers.get("last-event-id") or request.query_params.get("after")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Problem("invalid", "Last-Event-ID: a number that an earlier event carried")
    return int(text)
