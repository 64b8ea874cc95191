"""Batches, and an intake on a database, for tests of ingest."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import text
from sqlmodel import Session

from hub.domain.stored_event import Change, StoredEvent
from hub.ingest.reading import Broken, Delivered, read_batch
from hub.ingest.transaction import Intake
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.metrics import Metrics
from hub.store.database import Database
from wire.clock import Clock, FakeClock
from wire.messages import encode_batch
from wire.topics import Leaf, topic

SENT = datetime(2026, 11, 23, 6, 12, 45, tzinfo=UTC)
BROKEN_EVENT = b'{"observed_at":"2026-11-23T06:12:44Z","device":"door","kind":"door.state","data":{"open":"maybe"}}'


class Recorder:
    """A folder that remembers what it was given, and fails on the devices it is told to."""

    def __init__(self) -> None:
        self.folded: list[StoredEvent] = []
        self.fails_on: frozenset[str] = frozenset()

    def fold(self, session: Session, events: Sequence[StoredEvent], now: datetime) -> list[Change]:
        for event in events:
            if event.event.device in self.fails_on:
                raise ZeroDivisionError(f"a rule failed on {event.event.device}")
        self.folded += events
        return []

    def tick(self, session: Session, now: datetime) -> list[Change]:
        return []


def event(number: int, device: str = "door") -> bytes:
    """A well-formed event that says which one it is."""
    return (
        b'{"observed_at":"2026-11-23T06:12:44.900Z","device":"%s","unit":"u-1","kind":"people.crossing",'
        b'"data":{"direction":"in","count":%d,"line":"door","confidence":1.0}}' % (device.encode(), number)
    )


def payload(
    gateway: str, epoch: str, first_seq: int, events: Sequence[bytes], *, floor_seq: int | None = None
) -> bytes:
    """A batch as it stands on the wire."""
    return encode_batch(
        gateway=gateway,
        epoch=epoch,
        first_seq=first_seq,
        floor_seq=floor_seq,
        sent_at=SENT,
        clock="synced",
        events=events,
    )


def batch(
    gateway: str, epoch: str, first_seq: int, events: Sequence[bytes], *, floor_seq: int | None = None
) -> Delivered | Broken:
    """A batch as ingest has read it."""
    return read_batch(topic(gateway, Leaf.EVENT), payload(gateway, epoch, first_seq, events, floor_seq=floor_seq))


def span(gateway: str, first: int, last: int, *, epoch: str = "E", floor_seq: int | None = 0) -> Delivered | Broken:
    """Events `first` to `last`, each well-formed and saying its number."""
    return batch(gateway, epoch, first, [event(n) for n in range(first, last + 1)], floor_seq=floor_seq)


def intake(
    database: Database, *, folder: Recorder | None = None, clock: Clock | None = None, accept_unknown: bool = True
) -> Intake:
    """An intake of its own feed and figures."""
    return Intake(
        database,
        clock or FakeClock(SENT),
        ChangeFeed(),
        folder or Recorder(),
        Metrics(),
        accept_unknown=accept_unknown,
    )


def stored(database: Database, gateway: str) -> list[tuple[str, int, int]]:
    """What the database holds of a gateway, in the order of storing: (epoch, seq, the number in the body)."""
    query = text(
        "SELECT s.epoch, e.seq, e.body FROM event e JOIN stream s ON s.id = e.stream_id "
        "WHERE s.gateway_id = :gateway ORDER BY e.id"
    )
    with database.read() as session:
        rows = session.connection().execute(query, {"gateway": gateway}).all()
    return [(row.epoch, row.seq, _number(row.body)) for row in rows]


def _number(body: str) -> int:
    _, _, rest = body.partition('"count":')
    return int(rest.partition(",")[0]) if rest else 0
