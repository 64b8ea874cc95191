"""When a battery will be low, and when nobody can say."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.house import event
from support.units import NOW

from hub.domain.observations import MOST_CHARGES, Charge, DeviceState, apply_event
from hub.rules.battery import low_at


def line(*pcts: float, every: float = 2) -> list[Charge]:
    return [Charge(NOW + timedelta(days=n * every), pct) for n, pct in enumerate(pcts)]


def test_a_steady_fall_is_drawn_on() -> None:
    found = low_at(line(80, 79, 78, 77, 76), 20)
    assert found is not None
    assert abs(found - (NOW + timedelta(days=120))) < timedelta(hours=1)


def test_one_odd_reading_does_not_tell() -> None:
    assert low_at(line(80, 79, 35, 77, 76, 75, 74), 20) == pytest.approx(
        NOW + timedelta(days=120), abs=timedelta(days=1)
    )


@pytest.mark.parametrize(
    "charges", [[], line(80, 70, 60), line(80, 80, 80, 80, 80), line(50, 51, 52, 53, 54), line(9, 8, 7, 6, every=1)]
)
def test_too_little_or_no_fall_says_nothing(charges: list[Charge]) -> None:
    assert low_at(charges, 20) is None


def test_a_changed_battery_begins_anew() -> None:
    assert low_at(line(30, 28, 26, 24, 100, 99.5, 99, 98.5, 98), 20) == pytest.approx(
        NOW + timedelta(days=8 + 320), abs=timedelta(days=1)
    )
    assert low_at(line(30, 28, 26, 24, 100), 20) is None


def test_a_charge_that_hardly_falls_and_was_low_from_the_start_is_low_since_then() -> None:
    charges = [Charge(NOW + timedelta(days=day), 5 - day * 1e-13) for day in range(0, 12, 2)]
    assert low_at(charges, 50) == NOW


@given(st.lists(st.tuples(st.integers(0, 4000), st.floats(0, 100)), max_size=40), st.floats(1, 99))
def test_any_readings_give_an_instant_or_nothing(readings: list[tuple[int, float]], low: float) -> None:
    found = low_at([Charge(NOW + timedelta(hours=hours), pct) for hours, pct in readings], low)
    assert found is None or found - NOW < timedelta(days=3650 + 200)


def test_a_device_keeps_one_charge_a_day_and_not_without_end() -> None:
    seen = DeviceState()
    for hour in range(24 * 120):
        at = NOW + timedelta(hours=hour)
        apply_event(seen, event("device.health", at, "lock-1", battery_pct=100 - hour / 100), hour)
    assert len(seen.charges) == MOST_CHARGES
    assert {b.at - a.at for a, b in zip(seen.charges, seen.charges[1:], strict=False)} == {timedelta(days=1)}
    changed = apply_event(
        seen, event("device.health", seen.charges[-1].at + timedelta(hours=1), "lock-1", battery_pct=100), 9
    )
    assert changed
    assert seen.charges[-1].pct == 100
