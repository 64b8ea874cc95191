"""Commands to gateways: a row before it is sent, sent once, its outcome kept.

waiting ── sent ──┬─ done     the gateway did it
   │        │     └─ failed   the gateway says why not
   └────────┴──────  expired  its time passed; the gateway refuses it too
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

import msgspec
from pydantic import JsonValue
from sqlalchemy import update
from sqlmodel import Session, col, select

from hub.domain.stored_event import Change
from hub.errors import NotFoundError
from hub.runtime.services import Services
from hub.store.changes import record_changes
from hub.store.tables.ingest import CommandRow, Gateway
from wire.clock import Clock
from wire.messages import Command, Reply, encode
from wire.topics import Leaf, topic


class Outgoing(NamedTuple):
    """A command that is due, ready for the broker."""

    id: str
    topic: str
    payload: bytes


def send_command(
    services: Services,
    gateway_id: str,
    kind: str,
    args: Mapping[str, JsonValue],
    *,
    expires_s: float,
    actor: str = "system",
) -> str:
    """Have a gateway told to do something within `expires_s` seconds; returns the command's id.

    Raises NotFoundError for a gateway that is not known. The outcome comes with the reply: see `CommandRow.state`.
    """
    now = services.clock.now()
    with services.database.write() as session:
        if session.get(Gateway, gateway_id) is None:
            raise NotFoundError(f"gateway {gateway_id}: there is none here")
        row = CommandRow(
            id=secrets.token_hex(16),
            gateway_id=gateway_id,
            kind=kind,
            args=dict(args),
            actor=actor,
            created_at=now,
            expires_at=now + timedelta(seconds=expires_s),
        )
        session.add(row)
        record_changes(session, [Change("gateway", gateway_id, "command")], now)
    services.feed.wake()
    services.wake_ingest()
    return row.id


def take_due(session: Session, clock: Clock) -> list[Outgoing]:
    """Mark the waiting commands as sent and return them; those whose time has passed end as expired."""
    now = clock.now()
    over = update(CommandRow).where(col(CommandRow.expires_at) <= now, col(CommandRow.state).in_(["waiting", "sent"]))
    session.connection().execute(over.values(state="expired"))
    query = select(CommandRow).where(CommandRow.state == "waiting").order_by(col(CommandRow.created_at))
    due: list[Outgoing] = []
    for row in session.exec(query.with_for_update(skip_locked=True)):
        row.state, row.sent_at = "sent", now
        session.add(row)
        command = Command(id=row.id, kind=row.kind, args=row.args, expires_at=row.expires_at)
        due.append(Outgoing(row.id, topic(row.gateway_id, Leaf.COMMAND), encode(command)))
    return due


def put_back(session: Session, command_ids: list[str]) -> None:
    """These could not be handed to the broker: they wait again."""
    again = update(CommandRow).where(col(CommandRow.id).in_(command_ids), col(CommandRow.state) == "sent")
    session.connection().execute(again.values(state="waiting", sent_at=None))


def take_reply(session: Session, gateway_id: str, reply: Reply, clock: Clock) -> list[Change]:
    """Note what became of a command. A second reply, or one to no command of ours, changes nothing."""
    row = session.get(CommandRow, reply.id, with_for_update=True)
    if row is None or row.gateway_id != gateway_id or row.replied_at is not None:
        return []
    row.state = "done" if reply.ok else "failed"
    row.replied_at = clock.now()
    row.result = None if reply.result is None else msgspec.json.encode(reply.result).decode()
    row.error = reply.error
    session.add(row)
    return [Change("gateway", gateway_id, "reply")]
