"""Decides who is told of an alert and when, and writes that down in the transaction that raised it.

A message names the unit, the class and the rule: never a person (P4). Life safety and security go out at any hour;
compliance, welfare and technical messages wait for the end of the night.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Final

from sqlmodel import Session, col, select

from hub.access.roles import RIGHTS, Right, Role, sees_everything
from hub.domain.local_time import CHINA, at_local, local_day, local_text
from hub.domain.scopes import is_within_any
from hub.domain.subject import AlertClass
from hub.rules.catalogue import rule
from hub.store.tables.access import User
from hub.store.tables.alerts import AlertRow, DutyShift, Notification, Recipient

AT_ANY_HOUR: Final = frozenset({AlertClass.LIFE, AlertClass.SECURITY})
_MOST_TITLE: Final = 200
_CLASS_WORDS: Final = {
    "zh": {"L": "生命安全", "S": "安防", "C": "台账核对", "W": "关怀", "T": "设备"},
    "en": {"L": "life safety", "S": "security", "C": "registry check", "W": "welfare", "T": "technical"},
}


def queue_alerts(session: Session, alerts: Iterable[AlertRow], now: datetime, *, night: tuple[time, time]) -> int:
    """Queue a message to everybody who is to hear of these alerts now; returns how many were queued."""
    told = list(alerts)
    if not told:
        return 0
    recipients = list(session.exec(select(Recipient).where(col(Recipient.is_enabled)).order_by(Recipient.name)))
    if not recipients:
        return 0
    names = [recipient.name for recipient in recipients]
    users = {user.name: user for user in session.exec(select(User).where(col(User.name).in_(names)))}
    queued = 0
    for alert in told:
        on_duty = names_on_duty(session, alert, now)
        for recipient in recipients:
            if may_hear(users.get(recipient.name), alert) and wants(recipient, alert, on_duty):
                queued += _queue(session, alert, recipient, now, night)
    session.flush()
    return queued


def names_on_duty(session: Session, alert: AlertRow, now: datetime) -> set[str] | None:
    """Who is on duty for the alert's place, up to its level of escalation; None when nobody is: then all are told."""
    query = select(DutyShift).where(col(DutyShift.from_at) <= now, col(DutyShift.to_at) > now)
    codes = [code for code in (alert.unit_code, alert.building_code) if code]
    shifts = [
        shift for shift in session.exec(query) if not shift.scope_code or is_within_any(codes, (shift.scope_code,))
    ]
    return {shift.recipient for shift in shifts if shift.level <= alert.escalation} or None


def may_hear(user: User | None, alert: AlertRow) -> bool:
    """Whether somebody may see this alert on its page. A name that is no user's (a duty desk, a webhook) may."""
    if user is None:
        return True
    role = Role(user.role)
    if user.disabled_at is not None or Right.SEE_ALERTS not in RIGHTS[role]:
        return False
    return sees_everything(role, user.scopes) or is_within_any((alert.unit_code, alert.building_code), user.scopes)


def wants(recipient: Recipient, alert: AlertRow, on_duty: set[str] | None) -> bool:
    """Whether somebody hears of an alert: by class, by severity, and by the duty roster where there is one."""
    if alert.alert_class not in recipient.classes or alert.severity > recipient.least_severity:
        return False
    return on_duty is None or recipient.name in on_duty or recipient.name == alert.assignee


def _queue(session: Session, alert: AlertRow, recipient: Recipient, now: datetime, night: tuple[time, time]) -> bool:
    dedupe = f"{alert.id}:{alert.escalation}:{alert.severity}:{alert.revision}:{recipient.name}"
    if session.exec(select(Notification.id).where(Notification.dedupe == dedupe)).first() is not None:
        return False
    title, body = message(alert, recipient.language)
    # Whatever its length: this runs in the transaction that raised the alert, and must not fail it.
    title = title[:_MOST_TITLE]
    session.add(
        Notification(
            dedupe=dedupe,
            alert_id=alert.id,
            recipient=recipient.name,
            alert_class=alert.alert_class,
            title=title,
            body=body,
            created_at=now,
            next_try_at=now if alert.alert_class in AT_ANY_HOUR else after_night(now, recipient, night),
        )
    )
    return True


def message(alert: AlertRow, language: str) -> tuple[str, str]:
    """Title and body: class, rule, place, time. No names, no explanation."""
    about = rule(alert.rule_id)
    words = _CLASS_WORDS["en" if language == "en" else "zh"][alert.alert_class]
    place = alert.unit_code or alert.building_code or alert.device or alert.gateway_id or alert.subject
    again = f" ↑{alert.escalation}" if alert.escalation else ""
    if language == "en":
        title = f"[{alert.severity} {words}]{again} {about.title.en}: {place}"
        return title, f"{title}\n{local_text(alert.observed_at)} (China time)\nAlert no. {alert.id}. Please look at it."
    title = f"【{alert.severity} {words}】{again}{about.title.zh}：{place}"
    return title, f"{title}\n{local_text(alert.observed_at)}\n预警编号 {alert.id}，请查看处理。"


def after_night(now: datetime, recipient: Recipient, night: tuple[time, time]) -> datetime:
    """`now`, or the end of the night (the recipient's own, if given) in which it lies. Local; may pass midnight."""
    begins = time.fromisoformat(recipient.quiet_from) if recipient.quiet_from else night[0]
    ends = time.fromisoformat(recipient.quiet_to) if recipient.quiet_to else night[1]
    here = now.astimezone(CHINA).time()
    is_night = begins <= here < ends if begins <= ends else here >= begins or here < ends
    if not is_night or begins == ends:
        return now
    day = local_day(now)
    end = at_local(day, ends)
    return end if end > now else at_local(day + timedelta(days=1), ends)
