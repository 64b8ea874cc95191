"""What the organisation set: periods, legal holds, and the record of sweeps. Every change is audited by the caller."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, func, select

from hub.errors import ConfigError, NotFoundError
from hub.retention.schedule import RULES, Period, Schedule, fault_in
from hub.store.tables.retention import LegalHold, PurgeRun, RetentionSetting


def schedule_of(session: Session) -> Schedule:
    """The days that hold now."""
    days = {rule.period: rule.days for rule in RULES}
    days |= {period: row.days for period, row in settings_of(session).items()}
    return Schedule(days)


def settings_of(session: Session) -> dict[Period, RetentionSetting]:
    """The newest row of each period that was ever set."""
    newest = select(func.max(RetentionSetting.id)).group_by(RetentionSetting.period)
    rows = session.exec(select(RetentionSetting).where(col(RetentionSetting.id).in_(newest))).all()
    known = {rule.period.value for rule in RULES}
    return {Period(row.period): row for row in rows if row.period in known}


def set_period(session: Session, period: Period, days: int, *, reason: str, by: str, now: datetime) -> RetentionSetting:
    """Keep a kind of data for so many days from now on. Raises ConfigError outside its bounds."""
    fault = fault_in(period, days)
    if fault is not None:
        raise ConfigError(f"{period.value}: {fault.zh} / {fault.en}")
    row = RetentionSetting(period=period.value, days=days, reason=reason, set_by=by, set_at=now)
    session.add(row)
    session.flush()
    return row


def hold(session: Session, unit: str, *, reason: str, until: datetime, by: str, now: datetime) -> LegalHold:
    """Keep everything of a unit until then. Raises ConfigError when that is not in the future."""
    if until <= now:
        raise ConfigError("expires_at: a hold ends in the future / 到期时间应晚于现在")
    row = LegalHold(unit_code=unit, reason=reason, set_by=by, set_at=now, expires_at=until)
    session.add(row)
    session.flush()
    return row


def end_hold(session: Session, hold_id: int, *, by: str, now: datetime) -> LegalHold:
    """End a hold before its time. Raises NotFoundError when there is none, or it is over."""
    row = session.get(LegalHold, hold_id)
    if row is None or row.ended_at is not None or row.expires_at <= now:
        raise NotFoundError(f"没有此保全或已结束 / hold {hold_id}: there is none, or it is over")
    row.ended_at, row.ended_by = now, by
    session.add(row)
    session.flush()
    return row


def holds(session: Session, now: datetime) -> Sequence[LegalHold]:
    """The holds in force."""
    query = select(LegalHold).where(col(LegalHold.ended_at).is_(None), col(LegalHold.expires_at) > now)
    return session.exec(query.order_by(col(LegalHold.id))).all()


def runs(session: Session, limit: int = 30) -> Sequence[PurgeRun]:
    """The latest sweeps, newest first."""
    return session.exec(select(PurgeRun).order_by(col(PurgeRun.id).desc()).limit(limit)).all()
