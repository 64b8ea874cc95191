"""Several nights judged together: against every possible week, one by one; and what ties between nights do."""

from datetime import timedelta
from itertools import product
from math import isclose, prod

from hypothesis import given
from hypothesis import strategies as st
from support.units import NOW, TODAY

from hub.domain.observations import Night
from hub.rules.many_nights import Judged, chance_above, chance_of_at_least, in_percent

Joint = tuple[tuple[int, tuple[float, ...]], ...]
shares = st.lists(st.floats(0.02, 1), min_size=1, max_size=4).map(lambda found: tuple(s / sum(found) for s in found))


def night(day: int, chances: tuple[float, ...], before: Joint = ()) -> Night:
    at = NOW + timedelta(days=day)
    return Night(TODAY + timedelta(days=day), at, 1.0, 0, 2, 0.5, 1.0, "", 4, chances, before)


def judged(nights: list[Night], limit: int) -> list[Judged]:
    return [Judged(found, limit, chance_above(found, limit)) for found in nights]


def tied(later: tuple[float, ...], told: dict[int, tuple[float, ...]]) -> Joint:
    """A joint of (night before, later) with these chances of the later one; `told[n]`: of the one before, given n."""
    size = max(len(found) for found in told.values())
    return tuple(
        (a, tuple(later[n] * (told[n][a] if a < len(told[n]) else 0.0) for n in range(len(later)))) for a in range(size)
    )


def agrees(found: float, expected: float, nights: int) -> bool:
    """Weeks that need a night of less than one in a hundred are not worked out: they count as none."""
    return isclose(found, expected, abs_tol=1e-9) or (found == 0.0 and expected < 0.01 * nights)


@given(st.lists(shares, min_size=1, max_size=5), st.integers(0, 3), st.integers(1, 5))
def test_nights_without_ties_are_as_if_each_week_were_counted(
    found: list[tuple[float, ...]], limit: int, needed: int
) -> None:
    nights = [night(n - len(found), chances) for n, chances in enumerate(found)]
    weeks = product(*(range(len(chances)) for chances in found))
    expected = sum(
        prod(chances[n] for chances, n in zip(found, week, strict=True))
        for week in weeks
        if sum(n > limit for n in week) >= needed
    )
    assert agrees(chance_of_at_least(needed, judged(nights, limit)), expected, len(nights))


@given(shares, st.data(), st.integers(0, 3), st.integers(1, 2))
def test_two_tied_nights_are_as_if_each_pair_were_counted(
    later: tuple[float, ...], data: st.DataObject, limit: int, needed: int
) -> None:
    told = {n: data.draw(shares) for n in range(len(later))}
    before = tied(later, told)
    first = night(-1, tuple(sum(joint) for _, joint in before))
    expected = sum(
        share * given
        for n, share in enumerate(later)
        for a, given in enumerate(told[n])
        if (n > limit) + (a > limit) >= needed
    )
    found = chance_of_at_least(needed, judged([first, night(0, later, before)], limit))
    assert agrees(found, expected, 2)


def test_one_error_that_lasts_a_week_counts_once() -> None:
    chances = (0.0, 0.2, 0.8)
    same: Joint = ((1, (0.0, 0.2)), (2, (0.0, 0.0, 0.8)))
    free = [night(n - 6, chances) for n in range(7)]
    bound = [night(n - 6, chances, same if n else ()) for n in range(7)]
    assert chance_of_at_least(5, judged(free, 1)) > 0.85
    assert isclose(chance_of_at_least(5, judged(bound, 1)), 0.8, abs_tol=1e-9)
    assert isclose(chance_of_at_least(1, judged(bound, 1)), 0.8, abs_tol=1e-9)


def test_a_tie_to_a_night_that_is_missing_is_not_used() -> None:
    wrong: Joint = ((9, (0.5, 0.5)),)
    nights = [night(-2, (0.1, 0.9)), night(0, (0.1, 0.9), wrong)]
    assert isclose(chance_of_at_least(2, judged(nights, 0)), 0.81, abs_tol=1e-9)


def test_nights_that_cannot_be_over_are_not_worked_out() -> None:
    assert chance_of_at_least(1, judged([night(0, (1.0,))], 0)) == 0.0
    assert chance_of_at_least(1, []) == 0.0


@given(st.floats(0, 1))
def test_nobody_reads_that_an_estimate_is_certain(chance: float) -> None:
    assert 0 <= in_percent(chance) <= 99
