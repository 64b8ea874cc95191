"""Raised alerts against those that were right: what counts as found, right, late and false."""

from hypothesis import given
from hypothesis import strategies as st

from hub.quality.scoring import NightBound, Raised, calibration, false_per_unit_year, quantile, score
from hub.quality.truth_file import ExpectedAlert, InsideOverTime, Truth, UnitTruth

DAY = 86400.0
FIRE = ExpectedAlert("L1", "B1-101", from_s=DAY, by_s=DAY + 60, until_s=DAY + 900)


def raised(rule: str, at_s: float, unit: str = "B1-101", **over: tuple[float, ...]) -> Raised:
    return Raised(rule, frozenset({unit, "gw-1"}), at_s, **over)


def test_an_alert_in_time_is_right_and_found() -> None:
    found = score([raised("L1", DAY + 1)], [FIRE])["L1"]
    assert (found.precision, found.recall, found.late, found.delays_s) == (1.0, 1.0, 0, [1.0])


def test_nothing_raised_is_a_miss_and_the_wrong_unit_both_wrong_and_a_miss() -> None:
    assert score([], [FIRE])["L1"].recall == 0.0
    other = score([raised("L1", DAY + 1, unit="B1-102")], [FIRE])["L1"]
    assert (other.precision, other.recall) == (0.0, 0.0)
    assert len(other.wrong) == len(other.missed) == 1


def test_an_alert_after_its_time_is_late_but_life_safety_alone_has_no_slack() -> None:
    assert score([raised("L1", DAY + 61)], [FIRE], step_s=3600.0)["L1"].late == 1
    tries = ExpectedAlert("S2", "B1-101", from_s=DAY, by_s=DAY + 60, until_s=DAY + 9000)
    assert score([raised("S2", DAY + 61)], [tries], step_s=3600.0)["S2"].late == 0
    assert score([raised("S2", DAY + 3700)], [tries], step_s=3600.0)["S2"].late == 1


def test_what_comes_back_while_nobody_has_closed_the_alert_is_found_too() -> None:
    again = ExpectedAlert("L1", "B1-101", from_s=9 * DAY, by_s=9 * DAY + 60, until_s=9 * DAY + 900)
    both = score([raised("L1", DAY + 1, again_s=(9 * DAY + 2,))], [FIRE, again])["L1"]
    assert (both.raised, both.found, both.recall) == (1, 2, 1.0)
    assert score([raised("L1", DAY + 1, joined_s=(9 * DAY + 2,))], [FIRE, again])["L1"].recall == 1.0
    assert score([raised("L1", DAY + 1)], [FIRE, again])["L1"].recall == 0.5


def test_an_alert_that_may_come_is_right_and_its_absence_no_miss() -> None:
    maybe = ExpectedAlert("C3", "B1-101", from_s=DAY)
    assert score([raised("C3", 2 * DAY)], [maybe])["C3"].precision == 1.0
    assert score([], [maybe]) == {}


def test_false_alarms_are_counted_by_unit_and_year() -> None:
    scores = score([raised("C3", DAY), raised("C9", DAY), raised("T1", DAY)], [])
    assert false_per_unit_year(scores, ["C3", "C9"], 4.0) == 0.5


def test_only_nights_that_can_be_used_are_held_against_the_truth() -> None:
    truth = Truth(
        start=None, days=9, expected=[],  # type: ignore[arg-type]  # not looked at
        units={"B1-101": UnitTruth("plain", counted=True, inside=InsideOverTime([0, 100], [2, 3]))},
    )  # fmt: skip
    nights = [
        NightBound("B1-101", 50, 2, 2, is_usable=True),
        NightBound("B1-101", 150, 4, 5, is_usable=True),
        NightBound("B1-101", 150, 0, 2, is_usable=True),
        NightBound("B1-101", 150, 0, 9, is_usable=False),
        NightBound("gone", 150, 0, 9, is_usable=True),
    ]
    found = calibration(nights, truth)
    assert (found.nights, found.abstained) == (3, 1)
    assert [round(share, 3) for share in (found.inside, found.below, found.above)] == [0.333, 0.333, 0.333]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_value_that_so_many_do_not_exceed(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= int(share * 1000) / 1000 * len(values) - 1e-9
