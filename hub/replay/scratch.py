"""The database in which a past is played again: the tables of the hub's own, filled as time goes on."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, event, insert, update
from sqlmodel import Session, SQLModel, col, select

from hub.alerts import actions
from hub.errors import NotAllowedError, RegistryError, StaleAlertError
from hub.evaluation.silence_checks import LISTENING
from hub.registry.changeset import place_gateways
from hub.replay.history import RAW, Adopted, Batch, Done, History, RegistryStep, Step
from hub.store import tables
from hub.store.database import Database
from hub.store.tables.alerts import AlertRow, PolicyOverride, Progress
from hub.store.tables.ingest import Gateway, Stream
from hub.store.tables.registry import GatewayPlacementRow, RegistryRevision, Versioned

assert tables.__all__
_STREAM: Table = Stream.__table__  # type: ignore[attr-defined]  # SQLModel adds it
_GATEWAY: Table = Gateway.__table__  # type: ignore[attr-defined]  # as above
_INSERT: Final = f"INSERT INTO event ({', '.join(RAW)}) VALUES ({', '.join('?' * len(RAW))})"  # noqa: S608 - our own names


class Scratch:
    """Puts steps of a history into `database`, which must be empty."""

    def __init__(self, database: Database, history: History) -> None:
        # Nobody needs it after a power cut.
        event.listen(database.writer, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        SQLModel.metadata.create_all(database.writer)
        self._history = history
        self._gateways: dict[str, datetime] = {}
        self._streams: set[int] = set()
        with database.write() as session:
            session.add_all([PolicyOverride(**row) for row in history.overrides])

    def put(self, session: Session, step: Step) -> None:
        """Have this step be so. Events are stored only; folding them is the caller's."""
        match step:
            case RegistryStep():
                self._put_registry(session, step)
            case Adopted():
                self._meet(session, step.gateway_id, step.at)
                values = {"state": step.state}
                if step.building_code is not None:
                    values["building_code"] = step.building_code
                session.connection().execute(update(_GATEWAY).where(_GATEWAY.c.id == step.gateway_id).values(**values))
            case Batch():
                self._put_batch(session, step)
            case Done():
                _do(session, step)

    def listen(self, session: Session, now: datetime, since: datetime) -> None:
        """Say that the hub has listened from `since` to `now`: it ticks more seldom here than it did."""
        session.merge(Progress(name=LISTENING, at=now, cursor=str(since.timestamp())))
        session.flush()

    def _put_batch(self, session: Session, batch: Batch) -> None:
        connection = session.connection()
        heard = {stored.gateway_id: stored.received_at for stored in batch.events}
        for gateway_id, at in heard.items():
            self._meet(session, gateway_id, at)
            if self._gateways[gateway_id] < at:
                self._gateways[gateway_id] = at
                connection.execute(update(_GATEWAY).where(_GATEWAY.c.id == gateway_id).values(last_seen_at=at))
        for stream_id in {row[1] for row in batch.rows} - self._streams:
            gateway_id, epoch = self._history.streams[stream_id]
            times = dict.fromkeys(("first_batch_at", "last_batch_at", "progress_at"), batch.at)
            zeros = dict.fromkeys(("stored_count", "forgotten_count", "floor_seq", "ack_seq"), 0)
            values = {"id": stream_id, "gateway_id": gateway_id, "epoch": epoch, "accounted": [], "rejected": []}
            connection.execute(insert(_STREAM).values(**values, **times, **zeros, has_floor=True))
            self._streams.add(stream_id)
        # By the driver, with instants as they are stored: the scratch database is SQLite.
        connection.connection.driver_connection.executemany(_INSERT, batch.rows)  # type: ignore[union-attr]  # it is connected

    def _meet(self, session: Session, gateway_id: str, at: datetime) -> None:
        """A gateway that speaks for the first time."""
        if gateway_id in self._gateways:
            return
        if session.get(Gateway, gateway_id) is None:
            session.add(Gateway(id=gateway_id, first_seen_at=at, last_seen_at=at))
            session.flush()
        self._gateways[gateway_id] = at

    @staticmethod
    def _put_registry(session: Session, step: RegistryStep) -> None:
        connection = session.connection()
        ends = {(kind, code, begun): ended for kind, code, begun, ended in step.ended}
        fresh: dict[type[Versioned], list[dict[str, Any]]] = {}
        for kind, row in step.begun:
            until = ends.pop((kind, row["code"], row["known_from"]), None)
            fresh.setdefault(kind, []).append(row | {"known_to": until})
        # Closed before opened: at most one version of a thing may be current.
        for (kind, code, begun), ended in ends.items():
            which = (col(kind.code) == code) & (col(kind.known_from) == begun)
            connection.execute(update(kind).where(which).values(known_to=ended))
        for kind, rows in fresh.items():
            connection.execute(insert(kind), rows)
        current = [row for row in fresh.get(GatewayPlacementRow, []) if row["known_to"] is None]
        place_gateways(session, [GatewayPlacementRow(**row) for row in current], step.at)
        connection.execute(insert(RegistryRevision), [step.revision])


def _do(session: Session, done: Done) -> None:
    """A person's action on the alert that is open here for the same matter, if there is one and it allows it."""
    query = select(AlertRow.id).where(
        AlertRow.rule_id == done.rule_id, AlertRow.subject == done.subject, col(AlertRow.resolved_at).is_(None)
    )
    alert_id = session.exec(query).first()
    if alert_id is None:
        return
    try:
        _act(session, alert_id, done)
    except (StaleAlertError, NotAllowedError, RegistryError):
        # Under other rules the alert may stand differently when the person comes to it.
        return


def _act(session: Session, alert_id: int, done: Done) -> None:
    by, now, reason = done.by, done.at, done.reason
    match done.action:
        case "acknowledge":
            actions.acknowledge(session, alert_id, by, now, reason=reason)
        case "assign":
            actions.assign(session, alert_id, by, now, assignee=done.detail or None, reason=reason)
        case "confirm":
            actions.confirm(session, alert_id, by, now, reason=reason)
        case "shelve":
            actions.shelve(session, alert_id, by, now, until=datetime.fromisoformat(done.detail), reason=reason)
        case "unshelve":
            actions.unshelve(session, alert_id, by, now, reason=reason)
        case "contest":
            actions.contest(session, alert_id, by, now, reason=reason)
        case "review":
            actions.review_contest(session, alert_id, by, now, upheld=done.detail == "upheld", reason=reason)
        case "resolve":
            outcome, _, cause = done.detail.partition(" ")
            if outcome in {"true", "false", "benign"}:
                actions.resolve(session, alert_id, by, now, outcome=outcome, cause=cause, reason=reason)  # type: ignore[arg-type]  # checked above
