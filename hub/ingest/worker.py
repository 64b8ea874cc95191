"""An ingest worker: one thread, one MQTT session, one transaction after the other.

While a transaction commits, the next batches collect in the socket and in the broker; they make the next transaction.
So commits are as large as the load wants, without a timer, and memory is bounded by what one turn reads.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from hub.domain.stored_event import Change
from hub.errors import LinkError
from hub.ingest.commands import put_back, take_due, take_reply
from hub.ingest.link import HubLink, Incoming
from hub.ingest.presence import take_status
from hub.ingest.progress import GRACE
from hub.ingest.reading import Broken, Delivered, read_batch, where
from hub.ingest.rejects import Rejected, keep_rejected
from hub.ingest.streams import StreamKey, known_gateways
from hub.ingest.transaction import Answer, Intake, Outcome
from hub.runtime.backoff import Backoff
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.metrics import Metrics
from hub.store.changes import record_changes
from hub.store.database import Database
from wire.clock import Clock
from wire.errors import ContractError
from wire.messages import Reply, Status, decode, encode
from wire.topics import Leaf, Topic, topic

T = TypeVar("T")

log = structlog.get_logger(__name__)

MAX_MESSAGES: Final = 2000
MAX_BYTES: Final = 1024 * 1024
"""What one turn reads at most: compressed batches unpack to some ten times as much."""
MAX_EVENTS: Final = 4000
"""About so many events make one transaction."""
_IDLE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker works with."""

    database: Database
    clock: Clock
    feed: ChangeFeed
    metrics: Metrics
    accept_unknown: bool


class Worker:
    """Runs until stopped. A database that fails holds it up and loses nothing; a broker that goes is tried again."""

    def __init__(self, link: HubLink, intake: Intake, parts: WorkerParts, *, name: str = "ingest") -> None:
        self._link = link
        self._intake = intake
        self._parts = parts
        self._stopping = threading.Event()
        self._has_commands = threading.Event()
        self._has_commands.set()
        self._floors: dict[StreamKey, float] = {}
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.has_been_up = False

    @property
    def is_up(self) -> bool:
        """Whether the session with the broker is there."""
        return self._link.is_up

    @property
    def detail(self) -> str:
        """How the link fares, for a person."""
        return self._link.detail

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """From any thread: there are commands to send."""
        self._has_commands.set()
        self._link.wake()

    def stop(self, timeout_s: float = 15.0) -> None:
        """Finish the transaction in hand and end."""
        self._stopping.set()
        if self._thread.ident is None:
            self._link.end()
            return
        self._link.wake()
        self._thread.join(timeout_s)

    # -- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        backoff = Backoff(first_s=0.2, most_s=5.0)
        while not self._stopping.is_set():
            try:
                if not self._link.is_up:
                    self._link.open()
                    self.has_been_up = True
                    backoff.reset()
                    log.info("ingest.up", detail=self._link.detail)
                self._turn()
            except LinkError as error:
                log.warning("ingest.down", reason=str(error))
                self._has_commands.set()
                self._pause(backoff.next_s())
            except DBAPIError as error:
                # Raised by what is not worth a retry of its own: it comes again in the next turn.
                self._database_failed(error)
                self._pause(backoff.next_s())
            except Exception:  # the top of a supervised task: log, and begin again with a new connection
                log.exception("ingest.failed")
                self._parts.metrics.task_failures.labels("ingest").inc()
                self._link.close()
                self._pause(backoff.next_s())
        self._link.end()
        log.info("ingest.stopped")

    def _pause(self, delay_s: float) -> None:
        self._stopping.wait(delay_s)

    def _turn(self) -> None:
        """One round: floors and commands that are due, then what has arrived."""
        clock = self._parts.clock
        if self._has_commands.is_set():
            self._send_commands()
        due = [key for key, at_s in self._floors.items() if at_s <= clock.monotonic()]
        if due:
            outcome = self._insist(lambda: self._intake.look_at_floors(due))
            for key in due:
                del self._floors[key]
            self._answer(outcome.answers)
            self._note_floors(outcome)
        wait_s = min([_IDLE_S, *(max(0.0, at_s - clock.monotonic()) for at_s in self._floors.values())])
        incoming = self._link.receive(wait_s, MAX_MESSAGES, MAX_BYTES)
        if incoming:
            self._take(incoming)

    def _take(self, incoming: Sequence[Incoming]) -> None:
        """Everything that one read brought, in transactions of bearable size."""
        metrics = self._parts.metrics
        metrics.queue_depth.set(len(incoming))
        group: list[Delivered | Broken] = []
        sources: list[Incoming] = []
        size = 0
        for message in incoming:
            try:
                place = where(message.topic)
            except ContractError:
                self._link.confirm([message])
                continue
            if place.leaf is not Leaf.EVENT:
                self._insist(partial(self._take_small, message, place))
                self._link.confirm([message])
                continue
            read = read_batch(message.topic, message.payload)
            group.append(read)
            sources.append(message)
            size += len(read.events) if isinstance(read, Delivered) else 1
            if size >= MAX_EVENTS:
                self._commit(group, sources)
                group, sources, size = [], [], 0
        if group:
            self._commit(group, sources)
        metrics.queue_depth.set(0)

    def _commit(self, group: Sequence[Delivered | Broken], sources: Sequence[Incoming]) -> None:
        outcome = self._insist(lambda: self._intake.take(group))
        self._answer(outcome.answers)
        self._link.confirm(sources)
        self._note_floors(outcome)
        metrics = self._parts.metrics
        metrics.commits.inc()
        metrics.batches.inc(len(group))
        metrics.events.inc(outcome.stored)
        now_s = self._parts.clock.monotonic()
        for message in sources:
            metrics.ack_latency.observe(now_s - message.arrived_s)

    def _insist(self, work: Callable[[], T]) -> T:
        """Do it until the database lets us. What has been read waits meanwhile, and nothing more is read."""
        backoff = Backoff(first_s=0.05, most_s=5.0)
        while True:
            try:
                return work()
            except DBAPIError as error:
                self._database_failed(error)
            if self._stopping.wait(backoff.next_s()):
                raise LinkError("stopping while the database fails: the gateways will send again")

    def _database_failed(self, error: DBAPIError) -> None:
        # The statement's parameters hold what gateways sent; the log gets the database's own words only.
        log.error("ingest.database_failed", error=f"{type(error).__name__}: {error.orig}".splitlines()[0])
        self._parts.metrics.database_failures.inc()
        self._intake.forget()

    def _answer(self, answers: Sequence[Answer]) -> None:
        # A cumulative acknowledgement makes earlier ones of its stream needless; errors each say something.
        last = {(answer.gateway_id, answer.ack.epoch): answer for answer in answers if answer.ack.error is None}
        for answer in [*(answer for answer in answers if answer.ack.error is not None), *last.values()]:
            self._link.publish(topic(answer.gateway_id, Leaf.ACK), encode(answer.ack))

    def _note_floors(self, outcome: Outcome) -> None:
        at_s = self._parts.clock.monotonic() + GRACE.total_seconds()
        for key in outcome.await_floor:
            self._floors.setdefault(key, at_s)

    # -- status, replies, commands ----------------------------------------------------------------------------------

    def _take_small(self, message: Incoming, place: Topic) -> None:
        """A status or a reply, in a transaction of its own: they are rare."""
        parts = self._parts
        now = parts.clock.now()
        changes: list[Change] = []
        with parts.database.write() as session:
            if place.leaf is Leaf.STATUS and message.payload:
                changes = self._take_status(session, message, place)
            elif place.leaf is Leaf.REPLY:
                try:
                    changes = take_reply(session, place.gateway, decode(message.payload, Reply), parts.clock)
                except ContractError as error:
                    changes = self._reject(session, message, place, error.reason)
            record_changes(session, changes, now)
        if changes:
            parts.feed.wake()

    def _take_status(self, session: Session, message: Incoming, place: Topic) -> list[Change]:
        if not self._parts.accept_unknown and not known_gateways(session.connection(), [place.gateway]):
            return self._reject(session, message, place, f"gateway {place.gateway} is not known to this hub")
        try:
            status = decode(message.payload, Status)
        except ContractError as error:
            return self._reject(session, message, place, error.reason)
        return take_status(session, place.gateway, status, self._parts.clock.now())

    def _reject(self, session: Session, message: Incoming, place: Topic, reason: str) -> list[Change]:
        """Keep it for operators. No answer: the ack topic speaks of batches."""
        rejected = Rejected(message.topic, place.gateway, "", 0, reason, message.payload)
        kept = keep_rejected(session, [rejected], self._parts.clock.now())
        self._parts.metrics.rejected.inc()
        self._parts.metrics.rejected_dropped.inc(kept.dropped)
        return [Change("rejected", place.gateway, "kept")] if kept.added else []

    def _send_commands(self) -> None:
        self._has_commands.clear()
        with self._parts.database.write() as session:
            due = take_due(session, self._parts.clock)
        unsent = [command.id for command in due if not self._link.publish(command.topic, command.payload)]
        if unsent:
            with self._parts.database.write() as session:
                put_back(session, unsent)
            self._has_commands.set()
