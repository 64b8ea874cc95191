"""What of a gateway's streams has arrived, counted strictly from 1: the figure that shows every loss."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlmodel import Session, col, select

from hub.store.tables.ingest import Stream


@dataclass(frozen=True, slots=True)
class EpochContinuity:
    """One epoch. Numbers run from 1; `holes` and `rejected` are ranges, both ends included.

    `contiguous_seq`: 1 up to it have all arrived. `holes`: what is missing between 1 and the highest number seen.
    `ack_seq`: what the gateway was told. `since`: when `ack_seq` last moved, so that a standstill shows its age.
    `forgotten`: missing numbers in old holes that are no longer listed. `stored`: events in the database or purged from
    it by age, rejected ones not among them.
    """

    epoch: str
    contiguous_seq: int
    highest_seq: int
    holes: list[tuple[int, int]]
    rejected: list[tuple[int, int]]
    stored: int
    forgotten: int
    ack_seq: int
    floor_seq: int
    first_batch_at: datetime
    last_batch_at: datetime
    since: datetime


def continuity(session: Session, gateway_id: str) -> list[EpochContinuity]:
    """Every epoch of a gateway, the newest first; empty for a gateway that never sent anything."""
    query = select(Stream).where(Stream.gateway_id == gateway_id).order_by(col(Stream.id).desc())
    return [_of(stream) for stream in session.exec(query)]


def _of(stream: Stream) -> EpochContinuity:
    accounted = [(int(first), int(last)) for first, last in stream.accounted]
    starts_at_one = bool(accounted) and accounted[0][0] == 1
    return EpochContinuity(
        epoch=stream.epoch,
        contiguous_seq=accounted[0][1] if starts_at_one else 0,
        highest_seq=accounted[-1][1] if accounted else 0,
        holes=[(end + 1, start - 1) for (_, end), (start, _) in pairwise([(0, 0), *accounted]) if end + 1 < start],
        rejected=[(int(first), int(last)) for first, last in stream.rejected],
        stored=stream.stored_count,
        forgotten=stream.forgotten_count,
        ack_seq=stream.ack_seq,
        floor_seq=stream.floor_seq,
        first_batch_at=stream.first_batch_at,
        last_batch_at=stream.last_batch_at,
        since=stream.progress_at,
    )
