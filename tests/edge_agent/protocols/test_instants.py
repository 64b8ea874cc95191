"""Instants as devices write them: each form, its zone, and what no clock says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.protocols.instants import instant_of

WANTED = "2026-11-26T04:30:00.000Z"


@pytest.mark.parametrize(
    ("value", "form", "offset_h"),
    [
        (1795667400, "unix_s", 8.0),
        ("1795667400", "unix_s", 8.0),
        (1795667400000, "unix_ms", 8.0),
        ("2026-11-26T04:30:00Z", "iso8601", 8.0),
        ("2026-11-26 12:30:00", "iso8601", 8.0),
        ("2026-11-26T05:30:00+01:00", "iso8601", 8.0),
        ("20261126123000", "ymdhms", 8.0),
        (261126123000, "ymdhms", 8.0),
        ("2026/11/26 04:30:00", "ymdhms", 0.0),
        ("1a0b1a0c1e00", "ymdhms_bytes", 8.0),
        ("07ea0b1a041e00", "ymdhms_bytes", 0.0),
    ],
)
def test_each_form_is_the_same_instant(value, form, offset_h):
    assert instant_of(value, form, offset_h) == WANTED


def test_bcd_of_an_early_year_has_lost_its_nought():
    assert instant_of(90102030405, "ymdhms", 0.0) == "2009-01-02T03:04:05.000Z"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (0, "unix_s"),
        (True, "unix_s"),
        ("soon", "unix_s"),
        (10**30, "unix_ms"),
        (1795667400000, "unix_s"),
        ("26.11.2026", "iso8601"),
        ("20261340000000", "ymdhms"),
        ("2026", "ymdhms"),
        ("000000000000", "ymdhms_bytes"),
        ("1a0b1a", "ymdhms_bytes"),
        ("zz", "ymdhms_bytes"),
    ],
)
def test_what_no_clock_says_is_refused(value, form):
    with pytest.raises(ValueError, match=r"."):
        instant_of(value, form, 8.0)


@given(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    st.sampled_from(["unix_s", "unix_ms", "iso8601", "ymdhms", "ymdhms_bytes"]),
    st.floats(-14, 14),
)
def test_nothing_but_a_value_error_is_ever_raised_and_what_comes_is_an_instant(value, form, offset_h):
    try:
        found = instant_of(value, form, offset_h)
    except ValueError:
        return
    assert datetime.fromisoformat(found).tzinfo is not None


@given(st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)), st.integers(-12, 14))
def test_digits_come_back(local, offset_h):
    digits = local.strftime("%Y%m%d%H%M%S")
    wanted = (local.replace(microsecond=0) - timedelta(hours=offset_h)).replace(tzinfo=UTC)
    assert datetime.fromisoformat(instant_of(digits, "ymdhms", offset_h)) == wanted
