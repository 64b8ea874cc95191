"""The instant that a device writes in one of the usual forms, as one form of ours: RFC 3339 in UTC."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from firmware_profiles.base import Scalar
from firmware_profiles.fields import TimeForm

_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_MS: Final = 1000.0


def instant_of(value: Scalar, form: TimeForm, utc_offset_h: float) -> str:
    """`value` as `2026-11-26T04:30:00.000Z`. `utc_offset_h`: of clocks that name no zone. Raises ValueError."""
    zone = timezone(timedelta(hours=utc_offset_h))
    match form:
        case "unix_s" | "unix_ms":
            found = _of_epoch(value, 1.0 if form == "unix_s" else _MS)
        case "iso8601":
            found = datetime.fromisoformat(str(value).strip())
        case "ymdhms":
            found = _of_digits(value)
        case "ymdhms_bytes":
            found = _of_bytes(str(value))
    aware = found if found.tzinfo is not None else found.replace(tzinfo=zone)
    if not _FIRST <= aware.astimezone(UTC) < _LAST:
        raise ValueError(f"{value!r} is {aware.isoformat()}, which no clock says; is the form right?")
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of_epoch(value: Scalar, per_second: float) -> datetime:
    if isinstance(value, bool) or not math.isfinite(float(value)):
        raise ValueError(f"{value!r} is no number of seconds")
    try:
        return datetime.fromtimestamp(float(value) / per_second, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{value!r} lies beyond the calendar; is the form right?") from error


def _of_digits(value: Scalar) -> datetime:
    """`20261126043000` or `261126043000`, whatever stands between the digits."""
    digits = "".join(letter for letter in str(value) if letter.isdecimal() and letter.isascii())
    if isinstance(value, int):
        digits = digits.zfill(12)  # BCD loses the nought of 2009
    if len(digits) == 12:
        digits = "20" + digits
    if len(digits) != 14:
        raise ValueError(f"{value!r}: 12 or 14 digits are expected, year to second")
    return datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007  # the caller knows the zone


def _of_bytes(text: str) -> datetime:
    """Six bytes, or seven with the year in two (high byte first), as hex: `1a0b1a041e00`."""
    data = bytes.fromhex(text)
    if len(data) not in (6, 7):
        raise ValueError(f"{text}: six bytes are expected, year to second, or seven with the year in two")
    year = 2000 + data[0] if len(data) == 6 else int.from_bytes(data[:2], "big")
    return datetime(year, *data[-5:])  # noqa: DTZ001  # the caller knows the zone
