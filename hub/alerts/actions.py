"""What people do with alerts: acknowledge, assign, confirm, shelve, comment, contest, review, resolve.

Every function works in the caller's write transaction and returns the changes to record there. `by` is an actor as in
the audit trail (`user:NAME`, `token:ID`, `tenant:UNIT`). `revision` is the one that the person looked at:
StaleAlertError says that the alert has moved on, or that its state does not allow the action. NotFoundError: there is
no such alert. Reading is in `hub.alerts.queries`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from hub.alerts import lifecycle
from hub.alerts.views import Outcome
from hub.domain.stored_event import Change
from hub.errors import NotFoundError, RegistryError
from hub.policies.overrides import lifecycle_policy
from hub.store.tables.alerts import AlertAction, AlertRow


def change_of(alert: AlertRow, what: str) -> Change:
    """What open pages are told of an alert."""
    return Change("alert", str(alert.id), what)


def record_action(
    session: Session, alert: AlertRow, by: str, action: str, now: datetime, *, reason: str = "", detail: str = ""
) -> Change:
    """One more line of the alert's history, and the next revision."""
    assert alert.id is not None
    alert.revision += 1
    session.add(alert)
    session.add(AlertAction(alert_id=alert.id, at=now, actor=by, action=action, reason=reason, detail=detail))
    return change_of(alert, action)


def _load(session: Session, alert_id: int, revision: int | None) -> AlertRow:
    alert = session.get(AlertRow, alert_id, with_for_update=True)
    if alert is None:
        raise NotFoundError(f"没有预警 {alert_id} / alert {alert_id}: there is none")
    lifecycle.check_fresh(alert, revision)
    return alert


def _act(
    session: Session,
    alert_id: int,
    by: str,
    now: datetime,
    *,
    action: str,
    do: Callable[[AlertRow], None],
    reason: str,
    revision: int | None,
    detail: str = "",
) -> list[Change]:
    alert = _load(session, alert_id, revision)
    do(alert)
    return [record_action(session, alert, by, action, now, reason=reason, detail=detail)]


def acknowledge(
    session: Session, alert_id: int, by: str, now: datetime, *, reason: str = "", revision: int | None = None
) -> list[Change]:
    """Somebody has seen it and takes care."""
    return _act(
        session, alert_id, by, now, action="acknowledge", do=lambda alert: lifecycle.acknowledge(alert, by, now),
        reason=reason, revision=revision,
    )  # fmt: skip


def assign(
    session: Session,
    alert_id: int,
    by: str,
    now: datetime,
    *,
    assignee: str | None,
    reason: str = "",
    revision: int | None = None,
) -> list[Change]:
    """Give it to somebody (a user's name), or to nobody."""
    return _act(
        session, alert_id, by, now, action="assign", do=lambda alert: lifecycle.assign(alert, by, assignee),
        reason=reason, revision=revision, detail=assignee or "",
    )  # fmt: skip


def confirm(
    session: Session, alert_id: int, by: str, now: datetime, *, reason: str, revision: int | None = None
) -> list[Change]:
    """A person has checked that it is so; only then may a compliance alert leave the house."""
    if not reason.strip():
        raise RegistryError("reason: 请写明如何核实 / confirm: say how it was checked")
    return _act(
        session, alert_id, by, now, action="confirm", do=lambda alert: lifecycle.confirm(alert, by),
        reason=reason, revision=revision,
    )  # fmt: skip


def comment(
    session: Session, alert_id: int, by: str, now: datetime, *, text: str, revision: int | None = None
) -> list[Change]:
    """A note; also on a resolved alert."""
    if not text.strip():
        raise RegistryError("reason: 请填写内容 / comment: the text is empty")
    return _act(session, alert_id, by, now, action="comment", do=lambda alert: None, reason=text, revision=revision)


def shelve(
    session: Session,
    alert_id: int,
    by: str,
    now: datetime,
    *,
    until: datetime,
    reason: str,
    revision: int | None = None,
) -> list[Change]:
    """Put it aside until then. Never life safety."""
    latest = now + timedelta(days=lifecycle_policy(session, now).shelve_most_days)
    return _act(
        session, alert_id, by, now, action="shelve", do=lambda alert: lifecycle.shelve(alert, until, now, latest),
        reason=reason, revision=revision, detail=until.isoformat(),
    )  # fmt: skip


def unshelve(
    session: Session, alert_id: int, by: str, now: datetime, *, reason: str = "", revision: int | None = None
) -> list[Change]:
    """Take it back before its time."""
    return _act(session, alert_id, by, now, action="unshelve", do=lifecycle.unshelve, reason=reason, revision=revision)


def contest(
    session: Session, alert_id: int, by: str, now: datetime, *, reason: str, revision: int | None = None
) -> list[Change]:
    """The household says it is not so: the clock stops until a second person has looked (P9)."""
    if not reason.strip():
        raise RegistryError("reason: 请说明哪里不符 / contest: say in a sentence what is not so")
    return _act(
        session, alert_id, by, now, action="contest", do=lambda alert: lifecycle.contest(alert, now),
        reason=reason, revision=revision,
    )  # fmt: skip


def review_contest(
    session: Session,
    alert_id: int,
    by: str,
    now: datetime,
    *,
    upheld: bool,
    reason: str,
    revision: int | None = None,
) -> list[Change]:
    """The second person's word on an objection. `upheld`: the household is right, the alert ends as false."""
    if not reason.strip():
        raise RegistryError("reason: 答复异议须写明理由 / review: an objection is answered with reasons")
    until = _cooldown_until(session, now)
    return _act(
        session, alert_id, by, now, action="review",
        do=lambda alert: lifecycle.review_contest(alert, by, now, upheld=upheld, cooldown_until=until),
        reason=reason, revision=revision, detail="upheld" if upheld else "stands",
    )  # fmt: skip


def resolve(
    session: Session,
    alert_id: int,
    by: str,
    now: datetime,
    *,
    outcome: Outcome,
    cause: str = "",
    reason: str = "",
    revision: int | None = None,
) -> list[Change]:
    """End it: `true`, `false` (with a cause), or `benign`."""
    if outcome == "cleared":
        raise RegistryError(
            "outcome: 结论只能是属实、误报或正常 / "
            "resolve: outcome is true, false or benign; 'cleared' is what the hub itself writes"
        )
    until = _cooldown_until(session, now)
    return _act(
        session, alert_id, by, now, action="resolve",
        do=lambda alert: lifecycle.resolve(alert, by, now, outcome=outcome, cause=cause, cooldown_until=until),
        reason=reason, revision=revision, detail=f"{outcome} {cause}".strip(),
    )  # fmt: skip


def _cooldown_until(session: Session, now: datetime) -> datetime:
    return now + timedelta(days=lifecycle_policy(session, now).false_cooldown_days)
