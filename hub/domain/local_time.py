"""China's one time zone: days and nights of the registry are local, instants are UTC."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8), "Asia/Shanghai")


def local_day(at: datetime) -> date:
    """The day that a wall calendar shows at an instant."""
    return at.astimezone(CHINA).date()


def local_text(at: datetime) -> str:
    """`2026-11-23 14:12:44` as a wall clock shows it."""
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def start_of(day: date) -> datetime:
    """The first instant of a local day, in UTC."""
    return at_local(day, time(0))


def at_local(day: date, clock: time) -> datetime:
    """The instant at which a wall clock shows `clock` on `day`, in UTC."""
    return datetime.combine(day, clock, CHINA).astimezone(UTC)
