"""Keeps messages that broke the contract, for operators to look at: bounded, and each once however often it comes."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from hub.store.tables.ingest import RejectedBatch
from wire.messages import MAX_BATCH_BYTES

KEEP_PER_GATEWAY: Final = 100
KEEP_IN_ALL: Final = 10_000


class Rejected(NamedTuple):
    """A message, where it stood, and what is wrong with it."""

    topic: str
    gateway_id: str
    epoch: str
    seq: int
    reason: str
    payload: bytes


class Kept(NamedTuple):
    """How many messages were kept, and how many older ones went for them."""

    added: int
    dropped: int


def keep_rejected(session: Session, messages: Sequence[Rejected], now: datetime) -> Kept:
    """Keep each message that is not kept already; beyond the bounds the oldest go."""
    added = 0
    touched: set[str] = set()
    for message in messages:
        digest = hashlib.sha256(message.payload).hexdigest()
        again = (
            update(RejectedBatch)
            .where(col(RejectedBatch.gateway_id) == message.gateway_id, col(RejectedBatch.digest) == digest)
            .values(times=RejectedBatch.times + 1, last_received_at=now)
        )
        if session.connection().execute(again).rowcount:
            continue
        session.add(
            RejectedBatch(
                received_at=now,
                last_received_at=now,
                topic=message.topic[:512],
                gateway_id=message.gateway_id,
                epoch=message.epoch,
                seq=message.seq,
                reason=message.reason.replace("\0", "")[:2000],
                size_bytes=len(message.payload),
                digest=digest,
                payload=message.payload[:MAX_BATCH_BYTES],
            )
        )
        session.flush()
        added += 1
        touched.add(message.gateway_id)
    dropped = sum(_trim(session, KEEP_PER_GATEWAY, gateway_id) for gateway_id in sorted(touched))
    return Kept(added, dropped + (_trim(session, KEEP_IN_ALL, None) if added else 0))


def _trim(session: Session, keep: int, gateway_id: str | None) -> int:
    """Delete all but the newest `keep` (of one gateway, or of all). Returns how many went."""
    mine = [col(RejectedBatch.gateway_id) == gateway_id] if gateway_id is not None else []
    excess = session.exec(select(func.count()).select_from(RejectedBatch).where(*mine)).one() - keep
    if excess <= 0:
        return 0
    oldest = select(RejectedBatch.id).where(*mine).order_by(col(RejectedBatch.id)).limit(excess)
    session.connection().execute(delete(RejectedBatch).where(col(RejectedBatch.id).in_(oldest)))
    return excess
