"""A calendar month as people in China mean it, and what of it has passed."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from hub.domain.local_time import local_day, start_of
from hub.errors import RegistryError

_MONTH: Final = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Month:
    """[start, end) in UTC; `until` is the end, or what has passed of a month that still runs."""

    name: str
    start: datetime
    end: datetime
    until: datetime

    @property
    def is_closed(self) -> bool:
        """Whether the whole month has passed: its report is the same whenever it is made."""
        return self.until >= self.end


def month_of(name: str | None, as_of: datetime) -> Month:
    """The month `YYYY-MM` (None: the one of `as_of`) as it stood at `as_of`. Raises RegistryError."""
    today = local_day(as_of)
    if name is None:
        name = f"{today:%Y-%m}"
    found = _MONTH.fullmatch(name)
    if found is None:
        raise RegistryError(f"month: 月份格式如 2026-11 / month {name}: write it like 2026-11")
    year, month = int(found[1]), int(found[2])
    start, end = start_of(date(year, month, 1)), start_of(date(year + month // 12, month % 12 + 1, 1))
    if start > as_of:
        raise RegistryError(f"month: 该月尚未开始 / month {name}: has not begun")
    return Month(name, start, end, min(end, as_of))


def before(month: Month) -> Month:
    """The month before it."""
    day = local_day(month.start)
    year, number = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    start = start_of(date(year, number, 1))
    return Month(f"{year}-{number:02d}", start, month.start, month.start)
