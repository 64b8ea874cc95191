"""The outbox as the event loop sees it: `accept` returns when the disk has it, `read` gives what is to be sent."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from edge_agent.errors import AgentError, OutboxError
from edge_agent.outbox import memory
from edge_agent.outbox.keeper import Keeper
from edge_agent.outbox.rows import LANES, DeadLetter, LaneStatus, OutboxStatus, Row
from edge_agent.outbox.store import Addition, Store, StoreOptions
from edge_agent.outbox.writer import Acknowledge, Call, Outcome, Write, Writer
from edge_agent.ports import Place
from wire.clock import Clock
from wire.events import KnownEvent, LocalAction, LocalActionData, lane_of
from wire.ids import new_ulid
from wire.messages import MAX_BATCH_BYTES, encode_event

T = TypeVar("T")

MAX_EVENT_BYTES: Final = MAX_BATCH_BYTES - 1024
"""An event must fit a batch of its own, envelope included."""
_MAX_WAITING_BYTES: Final = 4 * 1024 * 1024
_TAIL_ROWS: Final = 512


class _Tail:
    """The newest rows of a lane, so that what was just stored is sent without reading it again."""

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=_TAIL_ROWS)

    def add(self, row: Row) -> None:
        if self._rows and self._rows[-1].seq + 1 != row.seq:
            self._rows.clear()
        self._rows.append(row)

    def clear(self) -> None:
        self._rows.clear()

    def after(self, seq: int, max_events: int, max_bytes: int) -> list[Row] | None:
        """The rows after `seq`, or None when they do not begin in here."""
        if not self._rows or not self._rows[0].seq <= seq + 1 <= self._rows[-1].seq:
            return None
        rows: list[Row] = []
        size = 0
        start = seq + 1 - self._rows[0].seq
        for index in range(start, min(start + max_events, len(self._rows))):
            row = self._rows[index]
            size += len(row.body)
            if rows and size > max_bytes:
                break
            rows.append(row)
        return rows


class Outbox:
    """The durable queue. Make one with `Outbox.open`; `close` it. Methods belong to the loop that opened it."""

    def __init__(self, keeper: Keeper, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(keeper, self._deliver_soon, clock.monotonic)
        self._status = OutboxStatus(lanes={lane: LaneStatus() for lane in LANES})
        self._generation = 0
        self._acked: dict[int, tuple[str, int]] = {}
        self._tails = {lane: _Tail() for lane in LANES}
        self._waiting_bytes = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._listeners: list[Callable[[], None]] = []
        self._keeper = keeper
        self._is_closed = False

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        gateway_id: str,
        max_bytes: int,
        clock: Clock,
        is_patient: bool = False,
        synchronous: str = "FULL",
        vfs: str | None = None,
    ) -> "Outbox":
        """Open or create the file `path`; a damaged one is put aside and salvaged. Raises OutboxError, ConfigError.

        With `is_patient` a failing disk is no error here: `accept` raises until the disk is back, so that the reflexes
        can work meanwhile. `synchronous` and `vfs` are for tests that prove the defaults needed.
        """
        options = StoreOptions(
            max_bytes=max_bytes,
            new_epoch=lambda: new_ulid(clock.now()),
            tombstone=lambda seq, rule, reason: _tombstone(gateway_id, clock, seq, rule, reason),
            now_ms=lambda: _ms(clock),
            synchronous=synchronous,
            vfs=vfs,
        )
        outbox = cls(Keeper(path, options, clock.monotonic), clock)
        outbox._writer.start()
        try:
            await outbox._call(lambda _: None)
        except OutboxError:
            if not is_patient:
                await outbox.close()
                raise
        except BaseException:
            await outbox.close()
            raise
        return outbox

    async def close(self) -> None:
        """Commit what waits and close the file. What comes after is refused."""
        if not self._is_closed:
            self._is_closed = True
            self._writer.jobs.put(None)
        await asyncio.to_thread(self._writer.join)

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called on the loop after every change of what is stored."""
        self._listeners.append(listener)

    async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
        """Store the events, all or none; return their places when they are on disk. Raises OutboxError."""
        stored_ms = _ms(self._clock)
        additions: list[Addition] = []
        size = 0
        for event in events:
            body = _encode(event)
            additions.append(Addition(lane_of(event), stored_ms, body))
            size += len(body)
        if not additions:
            return []
        # Back-pressure: callers wait here, rather than memory grow, when the disk is slower than they are.
        while self._waiting_bytes > _MAX_WAITING_BYTES:
            self._has_room.clear()
            await self._has_room.wait()
        if self._is_closed:
            raise OutboxError("the outbox is closed: the agent is stopping")
        answer: asyncio.Future[list[Place]] = self._loop.create_future()
        self._waiting_bytes += size
        self._writer.jobs.put(Write(additions, (answer, size)))
        return await answer

    async def read(self, lane: int, after_seq: int, max_events: int, max_bytes: int) -> list[Row]:
        """Events of a lane after `after_seq`, in order and without a hole. Raises OutboxError."""
        after_seq = max(after_seq, self._floor(lane))
        rows = self._tails[lane].after(after_seq, max_events, max_bytes)
        if rows is not None:
            return rows
        return await self._call(lambda store: store.read(lane, after_seq, max_events, max_bytes))

    def acknowledge(self, lane: int, epoch: str, seq: int) -> None:
        """The hub has committed everything of the lane's epoch up to `seq`: it may be deleted.

        Passed over when the epoch is not the lane's or `seq` is beyond its last number.
        """
        found = self._status.lanes[lane]
        if epoch != found.epoch or seq > found.last_seq:
            return
        self._acked[lane] = (epoch, max(seq, self._floor(lane)))
        if not self._is_closed:
            self._writer.jobs.put(Acknowledge(lane, epoch, seq))

    async def set_aside(self, lane: int, seq: int, reason: str) -> bool:
        """Make event `seq` a dead letter, with a tombstone in its place. False when it is no longer there."""
        return await self._call(lambda store: store.set_aside(lane, seq, "hub_rejected", reason), rewrites=True)

    async def renumber(self, lane: int, epoch: str) -> None:
        """Begin new epochs, because the hub knows more of the lane's `epoch` than this file does."""
        await self._call(lambda store: store.renumber(lane, epoch), rewrites=True)

    async def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        return await self._call(lambda store: store.read_dead_letters(limit))

    async def begin_command(self, command_id: str, expires_ms: int) -> tuple[bool, bytes | None]:
        """(True, None) when the command is new, and now noted on disk; else (False, its reply if there is one)."""
        return await self._call(lambda store: memory.begin_command(store, command_id, expires_ms, _ms(self._clock)))

    async def finish_command(self, command_id: str, reply: bytes) -> None:
        """Keep a command's reply."""
        await self._call(lambda store: memory.finish_command(store, command_id, reply))

    async def keep(self, name: str, value: bytes) -> None:
        """Remember a small value across restarts."""
        await self._call(lambda store: memory.keep(store, name, value))

    async def kept(self, name: str) -> bytes | None:
        """The value that `keep` remembered."""
        return await self._call(lambda store: memory.kept(store, name))

    async def tend(self) -> None:
        """Take back the disk reserve when there is room again."""
        await self._call(lambda _: self._keeper.tend())

    def status(self) -> OutboxStatus:
        """How the queue is, without I/O; acknowledged events count as gone."""
        lanes = {lane: self.lane(lane) for lane in self._status.lanes}
        return replace(self._status, lanes=lanes)

    def lane(self, lane: int) -> LaneStatus:
        """One lane's status."""
        return replace(self._status.lanes[lane], floor_seq=self._floor(lane))

    def _floor(self, lane: int) -> int:
        found = self._status.lanes[lane]
        epoch, seq = self._acked.get(lane, ("", 0))
        return max(found.floor_seq, seq) if epoch == found.epoch else found.floor_seq

    async def _call(self, function: Callable[[Store], T], *, rewrites: bool = False) -> T:
        if self._is_closed:
            raise OutboxError("the outbox is closed: the agent is stopping")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._writer.jobs.put(Call(function, (answer, rewrites)))
        return await answer

    # -- on the writer's thread ----------------------------------------------------------------------------------

    def _deliver_soon(self, outcome: Outcome) -> None:
        self._loop.call_soon_threadsafe(self._deliver, outcome)

    # -- back on the loop ----------------------------------------------------------------------------------------

    def _deliver(self, outcome: Outcome) -> None:
        if outcome.generation != self._generation or any(call.token[1] for call, _ in outcome.called):
            self._generation = outcome.generation
            for tail in self._tails.values():
                tail.clear()
        self._status = outcome.status
        for write, result in outcome.written:
            answer, size = write.token
            self._waiting_bytes -= size
            if not isinstance(result, AgentError):
                for addition, place in zip(write.additions, result, strict=True):
                    self._tails[addition.lane].add(Row(place.seq, addition.stored_ms, addition.body))
            _settle(answer, result)
        for call, result in outcome.called:
            _settle(call.token[0], result)
        if self._waiting_bytes <= _MAX_WAITING_BYTES:
            self._has_room.set()
        for listener in self._listeners:
            listener()


def _settle(answer: asyncio.Future[Any], result: Any) -> None:
    if answer.done():  # whoever asked was cancelled meanwhile
        return
    if isinstance(result, AgentError):
        answer.set_exception(result)
    else:
        answer.set_result(result)


def _encode(event: KnownEvent) -> bytes:
    try:
        body = encode_event(event)
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise OutboxError(f"{event.device}: its {event.kind} event cannot be written: {error}") from error
    if len(body) > MAX_EVENT_BYTES:
        raise OutboxError(f"{event.device}: its {event.kind} event of {len(body)} bytes is over {MAX_EVENT_BYTES}")
    return body


def _ms(clock: Clock) -> int:
    return int(clock.now().timestamp() * 1000)


def _tombstone(gateway_id: str, clock: Clock, seq: int, rule: str, reason: str) -> bytes:
    """What stands in the place of an event that cannot be sent: the loss is told where it happened."""
    data = LocalActionData(action="event_set_aside", rule=rule, because=[seq], ok=False, detail=reason[:512])
    return encode_event(LocalAction(observed_at=clock.now(), device=gateway_id, data=data))
