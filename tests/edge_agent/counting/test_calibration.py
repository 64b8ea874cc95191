"""What an installer's walks say of a camera."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.counting.calibration import PRIOR_DOUBLE, PRIOR_MISS, Calibration, compare, load, store
from edge_agent.errors import ConfigError

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
directions = st.lists(st.sampled_from(["in", "out"]), max_size=30)


@pytest.mark.parametrize(
    ("counted", "missed", "doubled"),
    [
        ("in out in out in out", 0, 0),
        ("in out out in out", 1, 0),
        ("in out in in out in out", 0, 1),
        ("", 6, 0),
        ("out out out", 3, 0),
        ("in in in in", 3, 1),
        ("out in out in out in out", 0, 1),
    ],
)
def test_missed_and_doubled_are_told_apart_by_the_order(counted, missed, doubled):
    found = compare(counted.split(), walks=3)

    assert (found.missed, found.doubled) == (missed, doubled)


@given(directions, st.integers(1, 12))
def test_misses_and_doubles_account_for_every_crossing(counted, walks):
    found = compare(counted, walks)

    right = 2 * walks - found.missed
    assert right + found.doubled == len(counted)
    assert 0 <= right <= min(2 * walks, len(counted))


@given(st.integers(1, 40), st.data())
def test_dropping_one_crossing_is_one_miss(walks, data):
    counted = ["in", "out"] * walks
    counted.pop(data.draw(st.integers(0, len(counted) - 1)))

    found = compare(counted, walks)

    assert (found.missed, found.doubled) == (1, 0)


def test_few_walks_without_a_fault_prove_little_and_many_prove_more():
    few, many = Calibration(NOON, 10, 0, 0), Calibration(NOON, 200, 0, 0)

    assert 0 < many.miss_rate < few.miss_rate < PRIOR_MISS
    assert 0 < many.double_rate < few.double_rate < PRIOR_DOUBLE


@given(st.integers(1, 400), st.data())
def test_rates_are_shares_that_the_hub_takes(crossings, data):
    found = Calibration(NOON, crossings, data.draw(st.integers(0, crossings)), data.draw(st.integers(0, 1000)))

    assert 0 <= found.miss_rate <= 0.9
    assert 0 <= found.double_rate <= 0.9


def test_it_is_kept_and_read_again(tmp_path):
    found = Calibration(NOON, 20, 1, 2)

    assert load(tmp_path, "cam-1") is None
    path = store(tmp_path, "cam-1", found)
    assert load(tmp_path, "cam-1") == found

    path.write_text("{}")
    with pytest.raises(ConfigError, match="calibrate the camera again"):
        load(tmp_path, "cam-1")
