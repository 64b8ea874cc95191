"""Rows of `gateway` and `stream` as ingest needs them: found or made, locked, brought up to date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, Table, bindparam, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.ingest.progress import Progress
from hub.store.tables.ingest import Gateway, Stream

StreamKey: TypeAlias = tuple[str, str]
"""(gateway, epoch)."""

_GATEWAY: Table = Gateway.__table__  # type: ignore[attr-defined]  # SQLModel does not declare what it makes
_STREAM: Table = Stream.__table__  # type: ignore[attr-defined]  # as above


@dataclass(slots=True)
class LockedStream:
    """A stream whose row this transaction holds."""

    id: int
    progress: Progress
    was_reached: int
    is_touched: bool = False


def known_gateways(connection: Connection, gateway_ids: Iterable[str]) -> set[str]:
    """Which of these gateways have a row."""
    wanted = sorted(set(gateway_ids))
    return set(connection.execute(select(_GATEWAY.c.id).where(_GATEWAY.c.id.in_(wanted))).scalars())


def add_gateways(connection: Connection, gateway_ids: Iterable[str], now: datetime) -> None:
    """Rows for gateways that nobody has adopted yet. Another worker may have added them meanwhile."""
    rows = [
        {"id": gateway_id, "state": "unadopted", "link": "unknown", "first_seen_at": now, "last_seen_at": now}
        for gateway_id in sorted(gateway_ids)
    ]
    if rows:
        connection.execute(_insert(connection, _GATEWAY), rows)


def touch_gateways(connection: Connection, gateway_ids: Iterable[str], now: datetime) -> None:
    """Note that these gateways were heard."""
    statement = update(_GATEWAY).where(_GATEWAY.c.id == bindparam("which")).values(last_seen_at=now)
    rows = [{"which": gateway_id} for gateway_id in sorted(gateway_ids)]
    if rows:
        connection.execute(statement, rows)


def lock_streams(connection: Connection, keys: Iterable[StreamKey], now: datetime) -> dict[StreamKey, LockedStream]:
    """Every stream of `keys`, made where there is none. On PostgreSQL the rows are locked, in one order for all."""
    wanted = sorted(set(keys))
    found = _select(connection, wanted)
    fresh = [key for key in wanted if key not in found]
    if fresh:
        rows = [
            {
                "gateway_id": gateway_id,
                "epoch": epoch,
                "accounted": [],
                "rejected": [],
                "stored_count": 0,
                "forgotten_count": 0,
                "floor_seq": 0,
                "has_floor": False,
                "ack_seq": 0,
                "first_batch_at": now,
                "last_batch_at": now,
                "progress_at": now,
            }
            for gateway_id, epoch in fresh
        ]
        connection.execute(_insert(connection, _STREAM), rows)
        found |= _select(connection, fresh)
    return found


def _select(connection: Connection, keys: Sequence[StreamKey]) -> dict[StreamKey, LockedStream]:
    table = _STREAM.c
    query = (
        select(_STREAM)
        .where(tuple_(table.gateway_id, table.epoch).in_(keys))
        .order_by(table.gateway_id, table.epoch)
        .with_for_update()
    )
    return {
        (row.gateway_id, row.epoch): LockedStream(
            row.id,
            Progress(
                first_batch_at=row.first_batch_at,
                accounted=[(first, last) for first, last in row.accounted],
                rejected=[(first, last) for first, last in row.rejected],
                stored_count=row.stored_count,
                forgotten_count=row.forgotten_count,
                floor_seq=row.floor_seq,
                has_floor=row.has_floor,
                ack_seq=row.ack_seq,
            ),
            was_reached=row.ack_seq,
        )
        for row in connection.execute(query)
    }


def save_streams(connection: Connection, streams: Iterable[LockedStream], now: datetime) -> None:
    """Write the progress of streams that were touched back."""
    rows = []
    moved = []
    for stream in streams:
        progress = stream.progress
        progress.ack_seq = progress.reached()
        rows.append(
            {
                "which": stream.id,
                "new_accounted": progress.accounted,
                "new_rejected": progress.rejected,
                "new_stored": progress.stored_count,
                "new_forgotten": progress.forgotten_count,
                "new_floor": progress.floor_seq,
                "new_has_floor": progress.has_floor,
                "new_ack": progress.ack_seq,
            }
        )
        if progress.ack_seq != stream.was_reached:
            moved.append({"which": stream.id})
    if rows:
        connection.execute(_SAVE, [row | {"now": now} for row in rows])
    if moved:
        connection.execute(_MOVED, [row | {"now": now} for row in moved])


_SAVE = (
    update(_STREAM)
    .where(_STREAM.c.id == bindparam("which"))
    .values(
        accounted=bindparam("new_accounted"),
        rejected=bindparam("new_rejected"),
        stored_count=bindparam("new_stored"),
        forgotten_count=bindparam("new_forgotten"),
        floor_seq=bindparam("new_floor"),
        has_floor=bindparam("new_has_floor"),
        ack_seq=bindparam("new_ack"),
        last_batch_at=bindparam("now"),
    )
)
_MOVED = update(_STREAM).where(_STREAM.c.id == bindparam("which")).values(progress_at=bindparam("now"))


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that leaves a row be that another worker has made."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
