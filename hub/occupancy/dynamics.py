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

from hub.occupancy.profile import Habits, Rates

Grid = NDArray[np.float64]

HYPOTHESES: Final = 21
"""At most so many numbers of residents are considered; a larger place is considered in steps."""

_SEEN_STEP_S: Final = 4 * 3600.0
_BLIND_STEP_S: Final = 1800.0
"""The longest step of time at which first-order moves are close enough, watched and unwatched."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How people come and go at one time of day, for each cell: per second, expected departures and arrivals, and how
    much their absence tells; and how much likelier one entry or exit is in this cell than in others."""

    out: Grid
    into: Grid
    telling: Grid
    enters: Grid
    leaves: Grid


@dataclass(frozen=True, slots=True)
class Space:
    """The cells of one size of place, and everything that depends on the size and the habits alone.

    `paces` by time of day: night, day, evening.
    """

    residents: NDArray[np.int64]
    people: NDArray[np.int64]
    start: Grid
    paces: tuple[Pace, ...]
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
    return Space(
        residents=residents,
        people=people,
        start=_start(residents, people, habits),
        paces=tuple(_pace(lives, inside, rates, habits) for rates in (habits.night, habits.day, habits.evening)),
        moves=_moves(_households(residents, habits), habits),
    )


def _pace(lives: Grid, inside: Grid, rates: Rates, habits: Habits) -> Pace:
    at_home, away = np.minimum(inside, lives), np.maximum(lives - inside, 0.0)
    room = (inside < inside.max()).astype(np.float64)
    out = (rates.leave * at_home + rates.visitor_leaves * np.maximum(inside - lives, 0.0)) / 3600
    into = room * (rates.come_home * away + rates.visits) / 3600
    return Pace(
        out=out,
        into=into,
        telling=habits.believe_out * out + habits.believe_in * into,
        # An event is worth as much as its absence: a rate to the power to which silence is believed.
        enters=np.where(away > 0, np.maximum(away, 1.0) ** habits.believe_in, habits.visitor_share) * room,
        leaves=(out * 3600 / rates.leave) ** habits.believe_out,
    )


def _start(residents: NDArray[np.int64], people: NDArray[np.int64], habits: Habits) -> Grid:
    """Nothing seen yet: smaller households are likelier, and each resident is in with even chances."""
    households = _households(residents, habits)
    grid = np.zeros((len(residents), len(people)))
    for row, lives in enumerate(residents):
        share = np.ones(1)
        for _ in range(int(lives)):
            share = np.convolve(share, (0.5, 0.5))
        grid[row, : len(share)] = share * households[row]
    grid += grid.sum() * 1e-6
    started: Grid = grid / grid.sum()
    return started


def _households(residents: NDArray[np.int64], habits: Habits) -> NDArray[np.float64]:
    shares = habits.household_ratio ** residents.astype(np.float64)
    if len(residents) > 1 and residents[1] == 1:
        shares[0] = habits.empty_share / (1 - habits.empty_share) * shares[1:].sum()
    else:
        shares = np.ones(len(residents))
    found: NDArray[np.float64] = shares / shares.sum()
    return found


def _moves(households: NDArray[np.float64], habits: Habits) -> Grid:
    """The chance, per day, that a household grows or shrinks by a step, or is another one altogether."""
    step = np.eye(len(households)) * (1 - habits.moves_per_day)
    for row in range(len(households)):
        step[row] += habits.moves_per_day * 0.2 * households
        neighbours = [n for n in (row - 1, row + 1) if 0 <= n < len(households)]
        for n in neighbours:
            step[row, n] += habits.moves_per_day * 0.8 * households[n] / households[neighbours].sum()
    return step


def pass_time(p: Grid, pace: Pace, span_s: float, miss: float) -> Grid:
    """`span_s` seconds of one pace in which nothing was reported; `miss` is 1 where nobody was watching."""
    steps = 1 + int(span_s / (_BLIND_STEP_S if miss > 0.5 else _SEEN_STEP_S))
    step_s = span_s / steps
    telling = np.exp(pace.telling * ((miss - 1) * step_s)) if miss < 1 else None
    leaving = np.minimum(pace.out * (miss * step_s), 0.45)
    coming = np.minimum(pace.into * (miss * step_s), 0.45)
    for _ in range(steps):
        if telling is not None:
            p = p * telling
        left, came = p * leaving, p * coming
        p = p - left
        p -= came
        p[..., :-1] += left[..., 1:]
        p[..., 1:] += came[..., :-1]
    return p


def enter(p: Grid, pace: Pace, is_none: float) -> Grid:
    """One reported entry, which with probability `is_none` repeats another or is none."""
    moved = p * (is_none * np.maximum(pace.enters, 1.0))
    moved[..., 1:] += (1 - is_none) * (p * pace.enters)[..., :-1]
    return moved


def leave(p: Grid, pace: Pace, is_none: float) -> Grid:
    """One reported exit, which with probability `is_none` repeats another or is none."""
    moved = p * (is_none * np.maximum(pace.leaves, 1.0))
    moved[..., :-1] += (1 - is_none) * (p * pace.leaves)[..., 1:]
    return moved


def follow_in(p: Grid, pace: Pace, is_none: float) -> Grid:
    """One more who came in with somebody: that a group comes says no more of how many come and go than one does."""
    moved = p * is_none
    moved[..., 1:] += (1 - is_none) * (p * np.minimum(pace.enters, 1.0))[..., :-1]
    return moved


def follow_out(p: Grid, is_none: float) -> Grid:
    """One more who left with somebody."""
    moved = p * is_none
    moved[..., :-1] += (1 - is_none) * p[..., 1:]
    return moved


def maybe_entered(p: Grid, pace: Pace, entered: float) -> Grid:
    """A door was opened from outside and no counter saw anybody pass: with `entered` somebody did."""
    moved = p * (1 - entered)
    moved[..., 1:] += entered * (p * np.minimum(pace.enters, 1.0))[..., :-1]
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
