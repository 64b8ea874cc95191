"""The audit trail: append-only, each line sealed with the one before it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import delete, text
from sqlmodel import Session, col, func, select

from hub.store.base import to_ms
from hub.store.tables.access import AuditEntry
from hub.store.tables.alerts import Progress

GENESIS = "0" * 64
"""What the first line is sealed with."""

# One lock for the chain on PostgreSQL, where several transactions could read the same last line. The number is ours.
_CHAIN_LOCK = 0x616E66616E67
_ANCHOR = "audit.anchor"
"""Where the trail begins after its oldest part went: the seal of the last line that is gone."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What is to be remembered: who (`actor`: `user:NAME`, `token:ID`, `tenant:UNIT`, `cli`, `system`) did what."""

    actor: str
    role: str
    action: str
    subject: str = ""
    unit_code: str | None = None
    purpose: str = ""
    reason: str = ""
    detail: str = ""


def append_audit(session: Session, entry: Audited, now: datetime) -> AuditEntry:
    """Add a line in the caller's transaction, so that what it tells of and the line stand or fall together."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    last = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    previous = last.hash if last else GENESIS
    row = AuditEntry(
        at=now,
        actor=entry.actor,
        role=entry.role,
        action=entry.action,
        subject=entry.subject,
        unit_code=entry.unit_code,
        purpose=entry.purpose,
        reason=entry.reason,
        detail=entry.detail,
        previous_hash=previous,
        hash="",
    )
    row.hash = seal(row)
    session.add(row)
    session.flush()
    return row


def seal(row: AuditEntry) -> str:
    """The SHA-256 that a line must carry, over its own words and `previous_hash`."""
    words = [
        row.previous_hash, to_ms(row.at), row.actor, row.role, row.action,
        row.subject, row.unit_code, row.purpose, row.reason, row.detail,
    ]  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(words)).hexdigest()


def cut_audit(session: Session, before: datetime) -> int:
    """Delete the oldest part of the trail, up to that instant; how many lines. The chain goes on from its last line.

    The seal of that line is kept beside the trail, and is in the line that the caller adds about the cut.
    """
    last = session.exec(select(func.max(AuditEntry.id)).where(col(AuditEntry.at) < before)).one()
    if last is None:
        return 0
    anchor = session.exec(select(AuditEntry.hash).where(AuditEntry.id == last)).one()
    session.merge(Progress(name=_ANCHOR, at=before, cursor=anchor))
    session.flush()
    return session.connection().execute(delete(AuditEntry).where(col(AuditEntry.id) <= last)).rowcount


def broken_links(session: Session) -> Iterator[int]:
    """Ids of lines that were changed, or whose predecessor was changed or taken away. Reads the whole trail."""
    anchor = session.get(Progress, _ANCHOR)
    previous = anchor.cursor if anchor is not None else GENESIS
    for row in session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).yield_per(1000):
        if row.previous_hash != previous or seal(row) != row.hash:
            yield row.id or 0
        previous = row.hash
