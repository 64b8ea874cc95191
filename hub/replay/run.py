"""One replay from a hub's database to its outcome."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlmodel import col, select

from hub.alerts.evaluate import Evaluator
from hub.facts import Change, StoredEvent
from hub.replay.compare import RuleOutcome, compare, read_raised
from hub.replay.history import read_history
from hub.replay.play import Played, Player
from hub.rules.policy import PackSet, Scalar
from hub.store.audit import Audited, append_audit
from hub.store.changes import record_changes
from hub.store.database import Database, database_url
from hub.store.tables.ingest import EventRow, Stream, UnfoldedEvent
from hub.store.turns import take_turn
from wire.messages import decode_event

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SLACK: Final = timedelta(seconds=10)
_APPLY_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome. Times are those of the stretch that was compared."""

    since: datetime
    until: datetime
    outcomes: list[RuleOutcome]
    played: Played


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number to try out for a scope ("" is the organisation), in place of what was set there."""

    rule: str
    parameter: str
    value: bool | int | float | str | list[int | float | str] | None
    scope: str = ""

    @property
    def held(self) -> Scalar:
        """The value as policies hold it."""
        return tuple(self.value) if isinstance(self.value, list) else self.value


def replay(
    database: Database,
    packs: PackSet,
    *,
    since: datetime | None,
    until: datetime | None,
    on_progress: Callable[[int, int], None],
    drafts: Sequence[Draft] = (),
) -> Replayed:
    """Play everything up to `until` again and compare the alerts opened from `since` on. `database` is only read.

    It begins with the first event whatever `since` says: what a rule knows may be older. `on_progress` hears how many
    events are done, and of how many. `drafts` hold from the beginning on. Raises ConfigError for one that cannot be.
    """
    for draft in drafts:
        packs.check_override(draft.rule, draft.parameter, draft.held)
    history = read_history(database, until)
    history.overrides = _with_drafts(history.overrides, drafts)
    begin = since or _EARLIEST
    with database.read() as session:
        stored = read_raised(session, begin, history.until)
    with tempfile.TemporaryDirectory(prefix="anfang-replay-") as folder:
        scratch = Database(database_url(Path(folder), None))
        try:
            player = Player(scratch, history, packs)
            played = player.play(lambda done: on_progress(done, history.events))
            with scratch.read() as session:
                replayed = read_raised(session, begin, history.until)
        finally:
            scratch.close()
    tolerance = _SLACK + player.step
    return Replayed(begin, history.until, compare(stored, replayed, tolerance), played)


def _with_drafts(overrides: list[dict[str, Any]], drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    tried = {(draft.scope, draft.rule, draft.parameter): draft for draft in drafts}
    kept = [row for row in overrides if (row["scope_code"], row["rule_id"], row["parameter"]) not in tried]
    number = max((row["id"] for row in overrides), default=0)
    for draft in tried.values():
        number += 1
        kept.append(
            {
                "id": number,
                "scope_code": draft.scope,
                "rule_id": draft.rule,
                "parameter": draft.parameter,
                "value": msgspec.json.encode(draft.value).decode(),
                "reason": "draft",
                "set_by": "draft",
                "set_at": _EARLIEST,
                "ended_at": None,
                "ended_by": None,
            }
        )
    return kept


def fold_what_failed(database: Database, now: datetime) -> tuple[int, int]:
    """Fold the stored events on which a rule failed, with the rules of this release; (folded, failed again)."""
    brain = Evaluator()
    folded = failed = 0
    with database.read() as session:
        ids = list(session.exec(select(UnfoldedEvent.event_id).order_by(col(UnfoldedEvent.event_id))))
    for start in range(0, len(ids), _APPLY_CHUNK):
        with database.write() as session:
            take_turn(session)
            changes: list[Change] = []
            query = (
                select(EventRow, Stream)
                .join(Stream, col(Stream.id) == EventRow.stream_id)
                .where(col(EventRow.id).in_(ids[start : start + _APPLY_CHUNK]))
                .order_by(col(EventRow.id))
            )
            for row, stream in session.exec(query).all():
                assert row.id is not None
                event = decode_event(row.body.encode())
                stored = StoredEvent(row.id, stream.gateway_id, stream.epoch, row.seq, row.received_at, event)
                kept = session.get_one(UnfoldedEvent, row.id)
                try:
                    with session.begin_nested():
                        changes += brain.fold(session, [stored], now)
                        session.delete(kept)
                    folded += 1
                except Exception as error:  # noqa: BLE001 - the top of what rules do: the others are still folded
                    kept.error = repr(error)[:2000]
                    session.add(kept)
                    failed += 1
            record_changes(session, changes, now)
            append_audit(session, Audited("cli", "admin", "replay.apply", detail=f"{folded} folded"), now)
    return folded, failed
