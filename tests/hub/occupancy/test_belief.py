"""The belief about people inside: a distribution whatever comes, monotone in what it sees, and the same after a restart."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.occupancy import BeliefState, Counter, Night, PlaceProfile, interval_90
from wire.events import PeopleCrossing, PeopleCrossingData

START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
PROFILE = PlaceProfile(counters={"gw-1/cam": Counter(miss_rate=0.06, double_rate=0.02)})

steps = st.lists(
    st.tuples(st.integers(1, 600), st.sampled_from(["in", "out"]), st.integers(1, 3)), min_size=1, max_size=25
)


def crossing(at: datetime, direction: str, count: int) -> PeopleCrossing:
    data = PeopleCrossingData(direction=direction, count=count, line="door", confidence=0.9, window_s=60)
    return PeopleCrossing(observed_at=at, device="cam", data=data)


def played(walk: list[tuple[int, str, int]]) -> tuple[BeliefState, datetime]:
    state, at = BeliefState.start(PROFILE, START), START
    for minutes, direction, count in walk:
        at += timedelta(minutes=minutes)
        state.fold(crossing(at, direction, count), "gw-1/cam")
    at += timedelta(minutes=5)
    state.advance(at)
    return state, at


@settings(max_examples=40)
@given(steps)
def test_it_is_a_distribution_whatever_is_counted(walk: list[tuple[int, str, int]]) -> None:
    estimate = played(walk)[0].estimate()
    assert abs(sum(estimate.distribution) - 1) < 1e-6
    assert min(estimate.distribution) >= 0
    assert 0 <= estimate.coverage <= 1
    shares = [estimate.at_least(people) for people in range(len(estimate.distribution))]
    assert shares == sorted(shares, reverse=True)


@settings(max_examples=40)
@given(steps)
def test_somebody_seen_coming_in_never_makes_it_believe_in_fewer(walk: list[tuple[int, str, int]]) -> None:
    state, at = played(walk)
    with_one_more = BeliefState.load(state.dump(), PROFILE)
    later = at + timedelta(minutes=1)
    with_one_more.fold(crossing(later, "in", 1), "gw-1/cam")
    for each in (state, with_one_more):
        each.advance(later + timedelta(minutes=5))
    assert with_one_more.estimate().mean >= state.estimate().mean - 1e-6


@settings(max_examples=40)
@given(steps)
def test_it_goes_on_after_a_restart_as_if_there_had_been_none(walk: list[tuple[int, str, int]]) -> None:
    state, at = played(walk)
    other = BeliefState.load(state.dump(), PROFILE)
    for each in (state, other):
        each.fold(crossing(at + timedelta(minutes=3), "out", 1), "gw-1/cam")
        each.advance(at + timedelta(hours=30))
    assert abs(other.estimate().mean - state.estimate().mean) < 1e-6


def test_a_person_who_looked_is_believed() -> None:
    state, at = played([(10, "in", 2)])
    state.anchor(at + timedelta(minutes=1), 0)
    assert state.estimate().at_least(1) < 0.05


def test_lost_sight_widens_the_interval() -> None:
    seeing, at = played([(10, "in", 2), (30, "out", 1)])
    blind = BeliefState.load(seeing.dump(), PROFILE)
    blind.lose_sight(at)
    for each in (seeing, blind):
        each.advance(at + timedelta(hours=10))
    assert blind.estimate().coverage < seeing.estimate().coverage


def nightly(people: int, days: int) -> list[Night]:
    """So many come home one after another each evening, and leave each morning; the counter sees everybody."""
    state, nights = BeliefState.start(PROFILE, START), {}
    midnight = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    for day in range(days):
        morning = midnight + timedelta(days=day)
        moves = [(morning + timedelta(hours=-5 + n / 2), "in") for n in range(people)]
        moves += [(morning + timedelta(hours=7 + n / 4), "out") for n in range(people)]
        for at, direction in moves:
            for night in state.fold(crossing(at, direction, 1), "gw-1/cam"):
                nights[night.date] = night
    for night in state.advance(midnight + timedelta(days=days, hours=5)):
        nights[night.date] = night
    return [night for _, night in sorted(nights.items())]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 8))
def test_a_household_that_comes_home_each_evening_is_believed_in_its_number(people: int) -> None:
    seen = [night for night in nightly(people, 12)[4:-1] if night.abstains is None]
    assert len(seen) >= 7
    assert all(night.lower <= people <= night.upper for night in seen)
    assert all(night.lower > people - 2 for night in seen)


def test_five_who_sleep_where_one_is_registered_are_above_any_cap_of_two_within_a_week() -> None:
    assert sum(night.lower > 2 for night in nightly(5, 8)[1:]) >= 5


@settings(max_examples=40)
@given(steps, st.integers(1, 12))
def test_somebody_seen_leaving_a_known_number_makes_it_believe_in_fewer(
    walk: list[tuple[int, str, int]], people: int
) -> None:
    state, at = played(walk)
    state.anchor(at, people)
    with_one_less = BeliefState.load(state.dump(), PROFILE)
    later = at + timedelta(minutes=1)
    with_one_less.fold(crossing(later, "out", 1), "gw-1/cam")
    for each in (state, with_one_less):
        each.advance(later + timedelta(minutes=5))
    assert with_one_less.estimate().mean < state.estimate().mean - 0.5


def test_a_night_that_was_not_seen_abstains_and_is_wider() -> None:
    seeing, at = played([(10, "in", 2)])
    blind = BeliefState.load(seeing.dump(), PROFILE)
    for each in (seeing, blind):
        each.advance(at + timedelta(hours=30))
    blind.lose_sight(at + timedelta(hours=30))
    nights = [each.advance(at + timedelta(hours=54)) for each in (seeing, blind)]
    kept, lost = (found[-1] for found in nights)
    assert kept.abstains is None
    assert lost.abstains == "coverage"
    assert lost.sigma > kept.sigma


@given(st.floats(0, 20), st.floats(0, 3))
def test_the_interval_holds_the_nearest_whole_number_wherever_a_distribution_can_have_its_mean(
    mean: float, sigma: float
) -> None:
    share = mean % 1
    sigma = max(sigma, (share * (1 - share)) ** 0.5)
    low, high = interval_90(mean, sigma)
    assert low <= high
    assert low - 1 <= mean <= high + 1
