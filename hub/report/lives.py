"""What an alert's rows say of its life up to an instant: when somebody answered, and when it became late.

Pure. Rows that change (acknowledgement, deadline) are not read: actions are append-only, and the limits are those that
the alert itself carries. So the life up to a closed month's end stays the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_ANSWERS: Final = frozenset({"acknowledge", "resolve"})


@dataclass(frozen=True, slots=True)
class Act:
    """One row of an alert's history. `detail` of a shelving is until when."""

    at: datetime
    action: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """An alert; `acts` in their order. `ack_within`, `act_within`: its limits, None where there is none."""

    rule_id: str
    alert_class: str
    building: str | None
    opened_at: datetime
    resolved_at: datetime | None
    outcome: str | None
    ack_within: timedelta | None
    act_within: timedelta | None
    acts: Sequence[Act] = ()

    def is_open_at(self, at: datetime) -> bool:
        """Whether it had been opened and not yet resolved."""
        return self.opened_at < at and (self.resolved_at is None or self.resolved_at >= at)

    def answered_at(self, until: datetime) -> datetime | None:
        """When a person first acknowledged or resolved it, if before `until`."""
        return next((act.at for act in self.acts if act.action in _ANSWERS and act.at < until), None)

    def unanswered_late_at(self, until: datetime) -> datetime | None:
        """When its limit for an answer passed without one, if before `until`."""
        return self._late(self.ack_within, self.answered_at(until), until)

    def unsettled_late_at(self, until: datetime) -> datetime | None:
        """When its limit for acting passed without its end, if before `until`."""
        return self._late(self.act_within, None, until)

    def _late(self, within: timedelta | None, done: datetime | None, until: datetime) -> datetime | None:
        if within is None:
            return None
        end = min(at for at in (until, self.resolved_at, done) if at is not None)
        due = self.opened_at + within
        for begin, over in self._spans("contest", ("review",), end):
            # An objection stops the clock.
            due += over - begin if begin < due else timedelta(0)
        for begin, over in self._spans("shelve", ("unshelve", "shelve"), end):
            # What is put aside is not late before it comes back.
            due = over if begin <= due < over else due
        return due if due < end else None

    def _spans(self, begins: str, ends: tuple[str, ...], end: datetime) -> list[tuple[datetime, datetime]]:
        """Stretches from an action to the one that ends it, to the instant in its detail, or to `end`."""
        found: list[tuple[datetime, datetime]] = []
        since: Act | None = None
        for act in (*(act for act in self.acts if act.at < end), Act(end, ends[0])):
            if since is not None and act.action in ends:
                over = min(act.at, datetime.fromisoformat(since.detail)) if since.detail else act.at
                found.append((since.at, over))
                since = None
            if act.action == begins:
                since = act
        return found
