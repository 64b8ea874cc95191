"""A hub's brain on a database of its own: a registry, events stored as ingest stores them, time that the test moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_type_hints

import msgspec
from sqlalchemy import event as sa_event
from sqlmodel import Session, SQLModel, col, select

from hub.domain.stored_event import Change, StoredEvent
from hub.evaluation.evaluator import Evaluator
from hub.registry.personal_data.vault import Vault, new_vault
from hub.registry.yaml_import.seed_file import Loaded, load_text
from hub.rules.policy import PackSet
from hub.store import tables
from hub.store.database import Database, database_url
from hub.store.tables.alerts import AlertRow
from hub.store.tables.ingest import EventRow, Gateway, Stream
from wire.events import EVENT_TYPES, AnyEvent
from wire.ids import credential_ref
from wire.messages import encode_event

assert tables
START = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"
GATEWAY = "gw-test-0001"
_KINDS = {cls: kind for kind, cls in EVENT_TYPES.items()}


def card_ref(number: int) -> str:
    """The reference of a card with this number."""
    return credential_ref(KEY, "card", str(number))


def event(kind: str, at: datetime, device: str, unit: str | None = None, **data: object) -> AnyEvent:
    """An event of a kind, its data by name."""
    cls = EVENT_TYPES[kind]
    body = msgspec.convert(data, get_type_hints(cls)["data"])
    return cls(observed_at=at, device=device, unit=unit, data=body)


@dataclass
class House:
    """Call `load`, `send`, `tick`; look at `alerts`."""

    folder: Path
    packs: PackSet | None = None
    now: datetime = START
    vault: Vault = field(default_factory=new_vault)
    seq: int = 0
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.db = Database(database_url(self.folder, None))
        # A test's database need not survive a power cut.
        sa_event.listen(self.db.writer, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        SQLModel.metadata.create_all(self.db.writer)
        self.brain = Evaluator(self.packs)

    def load(self, text: str) -> Loaded:
        """Bring YAML into the registry."""
        with self.db.write() as session:
            return load_text(session, text, "test.yaml", vault=self.vault, organisation_key=KEY, now=self.now)

    def send(self, *events: AnyEvent, gateway: str = GATEWAY) -> list[StoredEvent]:
        """Store events and fold them, as ingest does, at `now`."""
        with self.db.write() as session:
            stored = self.store(session, events, gateway)
            self.changes += self.brain.fold(session, stored, self.now)
        return stored

    def skip(self) -> int:
        """Leave a number out, as a batch does that is on its way; `send_late` takes it."""
        self.seq += 1
        return self.seq

    def send_late(self, item: AnyEvent, seq: int, gateway: str = GATEWAY) -> None:
        """Store and fold an event whose number was left out."""
        newest, self.seq = self.seq, seq - 1
        with self.db.write() as session:
            (stored,) = self.store(session, [item], gateway)
            late = msgspec.structs.replace(stored, is_late=True)
            self.changes += self.brain.fold(session, [late], self.now)
        self.seq = newest

    def store(self, session: Session, events: Sequence[AnyEvent], gateway_id: str = GATEWAY) -> list[StoredEvent]:
        """Store events as ingest does, and no more."""
        gateway = session.get(Gateway, gateway_id)
        if gateway is None:
            gateway = Gateway(id=gateway_id, first_seen_at=self.now, last_seen_at=self.now)
        gateway.last_seen_at = self.now
        session.add(gateway)
        stream = session.exec(select(Stream).where(Stream.gateway_id == gateway_id)).first()
        if stream is None:
            stream = Stream(
                gateway_id=gateway_id,
                epoch="E1",
                first_batch_at=self.now,
                last_batch_at=self.now,
                progress_at=self.now,
            )
            session.add(stream)
            session.flush()
        stored = []
        for item in events:
            self.seq += 1
            kind = _KINDS.get(type(item)) or item.kind
            row = EventRow(
                stream_id=stream.id,
                seq=self.seq,
                observed_at=item.observed_at,
                sent_at=self.now,
                received_at=self.now,
                clock="synced",
                kind=kind,
                device=item.device,
                unit=item.unit,
                body=encode_event(item).decode(),
            )
            session.add(row)
            session.flush()
            assert row.id is not None
            stored.append(StoredEvent(row.id, gateway_id, "E1", self.seq, self.now, item))
        return stored

    def tick(self, **later: float) -> None:
        """Let time pass (`hours=1`), then tick."""
        self.now += timedelta(**later)
        with self.db.write() as session:
            self.changes += self.brain.tick(session, self.now)

    def alive(self, gateway: str = GATEWAY) -> None:
        """Have the gateway heard now."""
        self.send(event("gateway.health", self.now, gateway), gateway=gateway)

    def alerts(self, rule_id: str | None = None, *, is_open: bool = True) -> list[AlertRow]:
        """Alerts, oldest first."""
        query = select(AlertRow).order_by(col(AlertRow.id))
        if rule_id is not None:
            query = query.where(AlertRow.rule_id == rule_id)
        if is_open:
            query = query.where(col(AlertRow.resolved_at).is_(None))
        with self.db.read() as session:
            found = list(session.exec(query))
            session.expunge_all()
            return found

    def close(self) -> None:
        """Give the database back."""
        self.db.close()


def count_queries(house: House, into: list[str]) -> None:
    """Note every statement that the writer runs, from now on."""

    @sa_event.listens_for(house.db.writer, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        into.append(statement)
