"""Folds again what a rule failed on: a fault of ours keeps an event from being judged until it is mended, no longer."""

from datetime import datetime
from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import col, select

from hub.domain.stored_event import Change, StoredEvent
from hub.runtime.ports import EventFolder
from hub.store.audit import Audited, append_audit
from hub.store.changes import record_changes
from hub.store.database import Database
from hub.store.tables.ingest import EventRow, Stream, UnfoldedEvent
from hub.store.turns import acquire_write_lock
from wire.messages import decode_event

_CHUNK: Final = 500


def fold_what_failed(database: Database, folder: EventFolder, now: datetime, *, actor: str) -> tuple[int, int]:
    """Fold the stored events on which a rule failed, with the rules of this release; (folded, failed again).

    They come late: what their devices have said since stays their last word.
    """
    folded = failed = 0
    with database.read() as session:
        ids = list(session.exec(select(UnfoldedEvent.event_id).order_by(col(UnfoldedEvent.event_id))))
    for start in range(0, len(ids), _CHUNK):
        done = 0
        with database.write() as session:
            acquire_write_lock(session)
            changes: list[Change] = []
            query = (
                select(EventRow, Stream, UnfoldedEvent)
                .join(Stream, col(Stream.id) == EventRow.stream_id)
                .join(UnfoldedEvent, col(UnfoldedEvent.event_id) == EventRow.id)
                .where(col(EventRow.id).in_(ids[start : start + _CHUNK]))
                .order_by(col(EventRow.id))
            )
            for row, stream, kept in session.exec(query).all():
                event = decode_event(row.body.encode())
                stored = StoredEvent(
                    row.id or 0, stream.gateway_id, stream.epoch, row.seq, row.received_at, event, is_late=True
                )
                try:
                    with session.begin_nested():
                        changes += folder.fold(session, [stored], now)
                        session.delete(kept)
                    done += 1
                except (OperationalError, InterfaceError):
                    raise
                except Exception as error:  # noqa: BLE001 - the top of what rules do: the others are still folded
                    kept.error = repr(error)[:2000]
                    session.add(kept)
                    failed += 1
            record_changes(session, changes, now)
            if done:
                append_audit(session, Audited(actor, "admin", "replay.apply", detail=f"{done} folded"), now)
        folded += done
    return folded, failed
