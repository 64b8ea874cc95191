"""China's working days with 调休, as published each November for the next year; beyond the data there is no answer."""

from datetime import date, timedelta

import chinese_calendar


def is_workday(day: date) -> bool | None:
    """Whether people work that day; None where the calendar's data end (holidays are published year by year)."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


def add_workdays(day: date, count: int) -> date | None:
    """The `count`-th working day after `day`; None when that lies beyond the data.

    The day of the event itself does not count (民法典 201).
    """
    here = day
    left = count
    while left > 0:
        here += timedelta(days=1)
        works = is_workday(here)
        if works is None:
            return None
        left -= works
    return here
