"""How a belief moves: probabilities over (people who live there, people inside), as time passes and people cross.

    p[…, h, n]   h: hypothesis of how many live there, residents[h];   n: people inside, 0 … max_people

    time      a resident inside leaves, one outside returns, a visitor comes or goes, at the rates of Habits.
              A counter that sees reports a crossing with probability 1 - miss: its silence speaks against cells in
              which much should have happened, and what it misses moves people unseen.
    crossing  in: n -> n + 1, likely while a resident is out, less so when all are in (a visitor).
              out: n -> n - 1; nobody can leave an empty place, so there it must have been a double count.

All functions take and give arrays of shape (…, hypotheses, max_people + 1); none of them normalises.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub.occupancy.profile import Habits

Grid = NDArray[np.float64]

HYPOTHESES: Final = 21
"""At most so many numbers of residents are considered; a larger place is considered in steps."""

_SEEN_STEP_S: Final = 4 * 3600.0
_BLIND_STEP_S: Final = 1800.0
"""The longest step of time at which first-order moves are close enough, watched and unwatched."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Per second and cell, by day and by night: expected departures and arrivals, and how much their absence tells."""

    out: tuple[Grid, Grid]
    into: tuple[Grid, Grid]
    telling: tuple[Grid, Grid]


@dataclass(frozen=True, slots=True)
class Space:
    """The cells of one size of place, and everything that depends on the size and the habits alone."""

    residents: NDArray[np.int64]
    people: NDArray[np.int64]
    start: Grid
    rates: Rates
    enters: Grid
    moves: Grid

    @property
    def shape(self) -> tuple[int, int]:
        """(hypotheses, max_people + 1)."""
        return len(self.residents), len(self.people)


@lru_cache(maxsize=64)
def space_of(max_people: int, habits: Habits) -> Space:
    """The space for 0 … `max_people`; cached, because every place of a site shares it."""
    residents = np.unique(np.linspace(0, max_people, min(HYPOTHESES, max_people + 1)).round().astype(np.int64))
    people = np.arange(max_people + 1, dtype=np.int64)
    lives = residents[:, None].astype(np.float64)
    inside = people[None, :].astype(np.float64)
    at_home = np.minimum(inside, lives)
    visitors = np.maximum(inside - lives, 0.0)
    away = np.maximum(lives - inside, 0.0)
    room = (people[None, :] < max_people).astype(np.float64)
    out = (
        (habits.leave_day * at_home + habits.visitor_leaves_day * visitors) / 3600,
        (habits.leave_night * at_home + habits.visitor_leaves_night * visitors) / 3600,
    )
    into = (
        room * (habits.return_day * away + habits.visits_day) / 3600,
        room * (habits.return_night * away + habits.visits_night) / 3600,
    )
    telling = (
        habits.silence_out * out[0] + habits.silence_in * into[0],
        habits.silence_out * out[1] + habits.silence_in * into[1],
    )
    enters = np.where(away > 0, 1.0, habits.visitor_share) * room
    return Space(
        residents=residents,
        people=people,
        start=_start(residents, people, habits),
        rates=Rates(out, into, telling),
        enters=enters,
        moves=_moves(len(residents), habits),
    )


def _start(residents: NDArray[np.int64], people: NDArray[np.int64], habits: Habits) -> Grid:
    """Nothing seen yet: smaller households are likelier, and each resident is in with even chances."""
    households = habits.household_ratio ** residents.astype(np.float64)
    if len(residents) > 1 and residents[1] == 1:
        households[0] = habits.empty_share / (1 - habits.empty_share) * households[1:].sum()
    else:
        households = np.ones(len(residents))
    grid = np.zeros((len(residents), len(people)))
    for row, lives in enumerate(residents):
        share = np.ones(1)
        for _ in range(int(lives)):
            share = np.convolve(share, (0.5, 0.5))
        grid[row, : len(share)] = share * households[row]
    grid += grid.sum() * 1e-6
    started: Grid = grid / grid.sum()
    return started


def _moves(hypotheses: int, habits: Habits) -> Grid:
    """The chance, per day, that a household grows or shrinks by a step, or is another one altogether."""
    step = np.eye(hypotheses) * (1 - habits.moves_per_day)
    for row in range(hypotheses):
        step[row] += habits.moves_per_day * 0.2 / hypotheses
        neighbours = [n for n in (row - 1, row + 1) if 0 <= n < hypotheses]
        for n in neighbours:
            step[row, n] += habits.moves_per_day * 0.8 / len(neighbours)
    return step


def pass_time(p: Grid, space: Space, day_s: float, night_s: float, miss: float) -> Grid:
    """Time in which nothing was reported, `day_s` of it by day; `miss` is 1 where nobody was watching."""
    total = day_s + night_s
    steps = 1 + int(total / (_BLIND_STEP_S if miss > 0.5 else _SEEN_STEP_S))
    day, night = day_s / steps, night_s / steps
    rates = space.rates
    out, into, telling = _mixed(rates.out, day, night), _mixed(rates.into, day, night), None
    if miss < 1:
        telling = np.exp(_mixed(rates.telling, (miss - 1) * day, (miss - 1) * night))
    leaving = np.minimum(out * miss, 0.45)
    coming = np.minimum(into * miss, 0.45)
    for _ in range(steps):
        if telling is not None:
            p = p * telling
        left, came = p * leaving, p * coming
        p = p - left
        p -= came
        p[..., :-1] += left[..., 1:]
        p[..., 1:] += came[..., :-1]
    return p


def _mixed(rate: tuple[Grid, Grid], day: float, night: float) -> Grid:
    if night == 0:
        return rate[0] * day
    if day == 0:
        return rate[1] * night
    mixed: Grid = rate[0] * day + rate[1] * night
    return mixed


def enter(p: Grid, space: Space, is_none: float) -> Grid:
    """One reported entry, which with probability `is_none` repeats another or is none."""
    moved = p * is_none
    moved[..., 1:] += (1 - is_none) * (p * space.enters)[..., :-1]
    return moved


def leave(p: Grid, is_none: float) -> Grid:
    """One reported exit, which with probability `is_none` repeats another or is none."""
    moved = p * is_none
    moved[..., :-1] += (1 - is_none) * p[..., 1:]
    return moved


def maybe_entered(p: Grid, space: Space, entered: float) -> Grid:
    """A door was opened from outside and no counter saw anybody pass: with `entered` somebody did."""
    moved = p * (1 - entered)
    moved[..., 1:] += entered * (p * space.enters)[..., :-1]
    return moved


def see_inside(p: Grid, space: Space, count: int, see_rate: float, ghost: float) -> Grid:
    """`count` people were seen inside, each of those present with `see_rate`; `ghost`: chance of one too many.

    Square root of the likelihood, because what such a sensor overlooks it overlooks for a while.
    """
    n = space.people
    fits = np.zeros(len(n))
    log_choose = np.zeros(len(n))
    for seen in range(count + 1):
        # chance of `seen` true sightings among n, and count - seen ghosts
        log_choose = np.array([_log_binomial(int(k), seen) for k in n])
        with np.errstate(under="ignore"):
            fits += np.where(
                n >= seen,
                np.exp(log_choose) * see_rate**seen * (1 - see_rate) ** np.maximum(n - seen, 0),
                0.0,
            ) * ghost ** (count - seen)
    return p * np.sqrt(fits)[None, :]


def _log_binomial(n: int, k: int) -> float:
    if k > n:
        return -np.inf
    return float(np.sum(np.log(np.arange(n - k + 1, n + 1))) - np.sum(np.log(np.arange(1, k + 1))))
