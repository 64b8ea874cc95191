"""One replay from a hub's database to its outcome."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.replay.compare import RuleOutcome, compare, read_raised
from hub.replay.history import read_history
from hub.replay.play import Played, Player
from hub.rules.policy import PackSet, Scalar
from hub.store.database import Database, database_url

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
