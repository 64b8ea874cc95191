"""The thread that owns the outbox file: what arrives while one commit runs goes into the next, with no timer."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from edge_agent.errors import AgentError, OutboxError
from edge_agent.outbox.keeper import Keeper
from edge_agent.outbox.rows import OutboxStatus
from edge_agent.outbox.store import Addition, Store

_MAX_GROUP: Final = 4096
# A delete that finds no commit to ride on waits this long for one: flash wears by commits.
_LINGER_S: Final = 0.25

log = structlog.get_logger()


@dataclass(slots=True)
class Write:
    """Events of one `accept`, stored together or not at all."""

    additions: list[Addition]
    token: Any


@dataclass(slots=True)
class Acknowledge:
    """The hub has everything of the lane's `epoch` up to `seq`."""

    lane: int
    epoch: str
    seq: int


@dataclass(slots=True)
class Call:
    """Something else to do with the store."""

    function: Callable[[Store], Any]
    token: Any


Job = Write | Acknowledge | Call | None


@dataclass(slots=True)
class Outcome:
    """What became of some jobs, and how the outbox is now. Each answer is a result or an AgentError."""

    status: OutboxStatus
    generation: int
    written: list[tuple[Write, Any]] = field(default_factory=list)
    called: list[tuple[Call, Any]] = field(default_factory=list)


class Writer(threading.Thread):
    """Runs until a None arrives in `jobs`. `deliver` is called on this thread with every outcome."""

    def __init__(self, keeper: Keeper, deliver: Callable[[Outcome], None], monotonic: Callable[[], float]) -> None:
        super().__init__(name="outbox", daemon=True)
        self.jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._keeper = keeper
        self._deliver = deliver
        self._monotonic = monotonic
        self._floors: dict[tuple[int, str], int] = {}
        self._refused: dict[int, int] = {}

    def run(self) -> None:
        """Collect, commit, tell; until stopped."""
        stopped = False
        while not stopped:
            jobs, stopped = self._collect()
            for job in jobs:
                if isinstance(job, Acknowledge):
                    key = (job.lane, job.epoch)
                    self._floors[key] = max(job.seq, self._floors.get(key, 0))
            calls = [job for job in jobs if isinstance(job, Call)]
            writes = [job for job in jobs if isinstance(job, Write)]
            try:
                called = [(job, self._call(job)) for job in calls]
                written = self._write(writes)
            except Exception as error:  # the top of the thread: whoever waits must hear of it
                log.exception("outbox.fault")
                fault = OutboxError(f"outbox: a fault in the program: {error!r}")
                called = [(job, fault) for job in calls]
                written = [(job, self._refuse(job, fault)) for job in writes]
            self._deliver(Outcome(self._keeper.status(), self._keeper.generation, written, called))
        self._keeper.close()

    def _collect(self) -> tuple[list[Job], bool]:
        """Everything that waits, after waiting for at least one job; and whether to stop after it."""
        jobs: list[Job] = []
        size = 0
        may_linger = True
        job = self.jobs.get()
        deadline_s = self._monotonic() + _LINGER_S
        while job is not None:
            jobs.append(job)
            may_linger = may_linger and isinstance(job, Acknowledge) and len(jobs) < _MAX_GROUP
            size += len(job.additions) if isinstance(job, Write) else 0
            if size >= _MAX_GROUP:
                return jobs, False
            try:
                if may_linger:
                    job = self.jobs.get(timeout=max(0.0, deadline_s - self._monotonic()))
                else:
                    job = self.jobs.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    def _call(self, job: Call) -> Any:
        try:
            return self._keeper.attempt(job.function)
        except AgentError as error:
            return error

    def _write(self, writes: list[Write]) -> list[tuple[Write, Any]]:
        """Commit the group; when it cannot be had whole, each write alone, those with urgent events first."""
        if not writes and not self._floors:
            return []
        try:
            places = iter(self._commit([addition for write in writes for addition in write.additions]))
            return [(write, [next(places) for _ in write.additions]) for write in writes]
        except OutboxError as error:
            if len(writes) <= 1:
                return [(write, self._refuse(write, error)) for write in writes]
        return [(write, self._write_alone(write)) for write in sorted(writes, key=_urgency)]

    def _write_alone(self, write: Write) -> Any:
        try:
            return self._commit(write.additions)
        except OutboxError as error:
            return self._refuse(write, error)

    def _commit(self, additions: list[Addition]) -> Any:
        places = self._keeper.attempt(lambda store: store.commit(additions, self._floors, self._refused))
        self._floors.clear()
        self._refused.clear()
        return places

    def _refuse(self, write: Write, error: OutboxError) -> OutboxError:
        """Count what could not be taken; the count itself goes to disk with the next commit that can."""
        for addition in write.additions:
            self._refused[addition.lane] = self._refused.get(addition.lane, 0) + 1
        return error


def _urgency(write: Write) -> int:
    return min((addition.lane for addition in write.additions), default=0)
