"""What may happen to an alert, and in which order: pure functions on its row.

```
                 join, clear, comment, assign, escalate (any open state)
   new ──verify──> verifying ──confirm──> confirmed
    └──────────────────┴─────────────────────┤
          contest │ ^ review: stands          ├──resolve──> resolved (end)
                  v │                         │
              contested ──review: upheld──────┘
```
`is_active` and `acknowledged_at` are independent of this and of each other (ISA-18.2).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from hub.alerts.views import Outcome
from hub.domain.subject import AlertClass
from hub.errors import NotAllowedError, RegistryError, StaleAlertError
from hub.store.tables.alerts import AlertRow

MOST_SOURCES: Final = 64
_URGENT: Final = frozenset({AlertClass.LIFE, AlertClass.SECURITY})


def is_open(alert: AlertRow) -> bool:
    """Whether it waits for anything."""
    return alert.resolved_at is None


def check_fresh(alert: AlertRow, revision: int | None) -> None:
    """Raises StaleAlertError when the alert has moved on since `revision` was read; None asks nothing."""
    if revision is not None and revision != alert.revision:
        raise StaleAlertError(
            "预警已有变动，请重新查看 / "
            f"alert {alert.id}: changed since you looked (revision {alert.revision}); read it again"
        )


def _must_be_open(alert: AlertRow) -> None:
    if alert.resolved_at is not None:
        raise StaleAlertError(f"预警已办结 / alert {alert.id}: already resolved by {alert.resolved_by or 'itself'}")


def _must_not_be_contested(alert: AlertRow) -> None:
    if alert.review == "contested":
        raise StaleAlertError(
            "住户有异议，须先由另一人复核 / "
            f"alert {alert.id}: contested; a second person has to review the objection first"
        )


def _took_part(alert: AlertRow, by: str) -> None:
    if by not in alert.reviewers:
        # A new list, because the JSON column notices assignment only.
        alert.reviewers = [*alert.reviewers, by]


def join(alert: AlertRow, source: str, at: datetime) -> bool:
    """The condition holds (again) because of `source`. True when a cleared alert became active again.

    An urgent alert that comes back asks for a new acknowledgement: somebody may have thought it was over.
    """
    returned = not alert.is_active
    if source not in alert.sources and len(alert.sources) < MOST_SOURCES:
        alert.sources = [*alert.sources, source]
    alert.is_active = True
    alert.cleared_at = None
    alert.last_evidence_at = max(alert.last_evidence_at, at)
    if returned and alert.alert_class in _URGENT:
        alert.acknowledged_at = None
        alert.acknowledged_by = None
    return returned


def ask_again(alert: AlertRow) -> bool:
    """It was raised once more though it never ended. True when somebody had answered, and now has to again."""
    was_answered = alert.acknowledged_at is not None
    alert.acknowledged_at = None
    alert.acknowledged_by = None
    return was_answered


def clear(alert: AlertRow, source: str | None, at: datetime) -> bool:
    """The condition no longer holds for `source` (None: for any). True when that clears the whole alert."""
    if not alert.is_active:
        return False
    alert.sources = [] if source is None else [held for held in alert.sources if held != source]
    if alert.sources:
        return False
    alert.is_active = False
    alert.cleared_at = at
    return True


def acknowledge(alert: AlertRow, by: str, at: datetime) -> None:
    """Somebody has seen it and takes care."""
    _must_be_open(alert)
    if alert.acknowledged_at is not None:
        raise StaleAlertError(f"预警已由他人确认 / alert {alert.id}: already acknowledged by {alert.acknowledged_by}")
    alert.acknowledged_at = at
    alert.acknowledged_by = by
    _took_part(alert, by)
    if alert.review == "new":
        alert.review = "verifying"


def assign(alert: AlertRow, by: str, assignee: str | None) -> None:
    """Give it to somebody (a user's name), or to nobody."""
    _must_be_open(alert)
    alert.assignee = assignee
    _took_part(alert, by)


def confirm(alert: AlertRow, by: str) -> None:
    """A person has checked that it is so. Nothing of a compliance alert leaves the house before."""
    _must_be_open(alert)
    _must_not_be_contested(alert)
    if alert.review == "confirmed":
        raise StaleAlertError(f"预警已核实属实 / alert {alert.id}: already confirmed by {alert.confirmed_by}")
    alert.review = "confirmed"
    alert.confirmed_by = by
    _took_part(alert, by)


def shelve(alert: AlertRow, until: datetime, at: datetime, latest: datetime) -> None:
    """Put it aside until then; it stays open and comes back by itself. Life safety cannot be shelved."""
    _must_be_open(alert)
    if alert.alert_class == AlertClass.LIFE:
        raise NotAllowedError(
            "生命安全预警不能搁置，请写明原因后办结 / "
            f"alert {alert.id}: life-safety alerts cannot be shelved; resolve it with its cause"
        )
    if not at < until <= latest:
        raise RegistryError(
            f"until: 搁置时间须在现在与 {latest.date()} 之间 / "
            f"shelve until {until.isoformat()}: must lie between now and {latest.isoformat()}"
        )
    alert.shelved_until = until


def unshelve(alert: AlertRow) -> None:
    """Take it back before its time."""
    _must_be_open(alert)
    if alert.shelved_until is None:
        raise StaleAlertError(f"预警未被搁置 / alert {alert.id}: is not shelved")
    alert.shelved_until = None


def contest(alert: AlertRow, at: datetime) -> None:
    """The household says it is not so: the clock stops, and somebody who has not dealt with it must look.

    Not for life safety: there, the answer to "it is not so" is resolving it with its cause.
    """
    _must_be_open(alert)
    _must_not_be_contested(alert)
    if alert.alert_class == AlertClass.LIFE:
        raise NotAllowedError(
            "生命安全预警须到场处置，不适用异议 / "
            f"alert {alert.id}: a life-safety alert is answered on the spot, not contested"
        )
    alert.contest_from = alert.review
    alert.review = "contested"
    alert.contested_at = at


def review_contest(alert: AlertRow, by: str, at: datetime, *, upheld: bool, cooldown_until: datetime | None) -> None:
    """The second person's word: `upheld` ends the alert as false; otherwise it goes on, its clock moved on."""
    _must_be_open(alert)
    if alert.review != "contested" or alert.contested_at is None:
        raise StaleAlertError(f"预警没有待复核的异议 / alert {alert.id}: is not contested")
    if by in alert.reviewers:
        raise NotAllowedError(
            f"须由未经手的另一人复核 / alert {alert.id}: {by} has dealt with it before; a second person must review it"
        )
    pause = at - alert.contested_at
    if alert.due_ack_at is not None:
        alert.due_ack_at += pause
    if alert.due_act_at is not None:
        alert.due_act_at += pause
    alert.review = alert.contest_from or "new"
    alert.contest_from = None
    alert.contested_at = None
    _took_part(alert, by)
    if upheld:
        resolve(alert, by, at, outcome="false", cause="contest_upheld", cooldown_until=cooldown_until)


def resolve(
    alert: AlertRow, by: str, at: datetime, *, outcome: Outcome, cause: str, cooldown_until: datetime | None
) -> None:
    """End it. `false` needs a cause, and keeps the rule quiet for this subject until `cooldown_until`, if given."""
    _must_be_open(alert)
    _must_not_be_contested(alert)
    if outcome == "false" and not cause:
        raise RegistryError(
            "cause: 误报须写明原因 / "
            "resolve as false: name the cause (cooking, steam, insects, guest, counter_error, …)"
        )
    if alert.acknowledged_at is None:
        alert.acknowledged_at = at
        alert.acknowledged_by = by
    alert.review = "resolved"
    alert.resolved_at = at
    alert.resolved_by = by
    alert.outcome = outcome
    alert.cause = cause
    alert.shelved_until = None
    if outcome == "false" and alert.alert_class in {AlertClass.COMPLIANCE, AlertClass.WELFARE}:
        alert.no_raise_before = cooldown_until
    _took_part(alert, by)


def settles_itself(alert: AlertRow, *, latched: bool) -> bool:
    """Whether a cleared alert may end without anybody's word."""
    if latched or alert.is_active or not is_open(alert) or alert.review in {"contested", "confirmed"}:
        return False
    return alert.acknowledged_at is not None or alert.severity in {"P2", "P3", "P4"}


def settle(alert: AlertRow, at: datetime) -> None:
    """End a cleared alert by itself."""
    alert.review = "resolved"
    alert.resolved_at = at
    alert.outcome = "cleared"


def is_late(alert: AlertRow, at: datetime) -> bool:
    """Whether it should go one level up: not answered in time, not put aside, not under objection."""
    if not is_open(alert) or alert.review == "contested" or (alert.shelved_until and alert.shelved_until > at):
        return False
    if alert.acknowledged_at is None:
        return alert.due_ack_at is not None and alert.due_ack_at <= at
    return alert.due_act_at is not None and alert.due_act_at <= at


def may_leave_house(alert: AlertRow) -> bool:
    """Whether its content may be given to anybody outside (P12): compliance only after a person's confirmation."""
    if alert.alert_class in {AlertClass.COMPLIANCE, AlertClass.WELFARE}:
        return alert.confirmed_by is not None and alert.review != "contested"
    return alert.alert_class in _URGENT


def took_part(alert: AlertRow) -> Iterable[str]:
    """Who has dealt with it."""
    return tuple(str(who) for who in alert.reviewers)
