"""The belief about one place: folds its events in, keeps its own time, and gives estimates and nights."""

import base64
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec
import numpy as np

from hub.occupancy import dynamics
from hub.occupancy.dynamics import Grid, Pace
from hub.occupancy.estimate import Abstention, Estimate, Night, summary_of
from hub.occupancy.evidence import Crossing, Entry, Evidence, Present, Sight, evidence_of
from hub.occupancy.profile import PlaceProfile
from wire.events import AnyEvent

NIGHT_S: Final = 3.5 * 3600.0
NIGHT_OVER_S: Final = 5 * 3600.0
NIGHT_REVISED_S: Final = 24 * 3600.0
"""Local times of day: the middle of the night that is judged (domain 3.3: 02:00 to 05:00), its end, and when the
comings and goings of the day after have said what they can about it."""

_MOST_ANSWERS: Final = 8
_LEAST_SHARE: Final = 0.002
"""A night's number is followed through the next day only if it is at least so likely, and so many of them at most."""

ENTRY_WAIT_S: Final = 180.0
"""How long after a door was opened a counter may still report who passed; crossings come once a minute (P3)."""

_DAY_S: Final = 86400.0
_OPENED_AND_ENTERED: Final = 0.93
_GHOST: Final = 0.03
_PRESENT_EVERY_S: Final = 1200.0
_SAME_BUCKET_S: Final = 1.0
_WHOLE_PLACE: Final = "*"
_NOT_YET: Final = 1e12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Bucket(msgspec.Struct):
    """Crossings of one instant. Who came first inside it is unknown, so they wait until it is complete."""

    at: float
    into: int = 0
    out: int = 0
    none_in: float = 0.0
    none_out: float = 0.0


class _Saved(msgspec.Struct, omit_defaults=True):
    v: int
    time: float
    started: float
    grid: str
    blind: dict[str, float] = {}
    gaps: list[tuple[float, float]] = []
    bucket: _Bucket | None = None
    entries: list[tuple[float, bool]] = []
    answers: list[int] = []
    before: list[tuple[int, tuple[float, ...]]] = []
    night_crossings: int = 0
    crossings: int = 0
    present_at: float = 0.0


_decoder = msgspec.json.Decoder(_Saved)
_encoder = msgspec.json.Encoder()


class BeliefState:
    """What is believed of one place up to a time. See the package for how it is used."""

    def __init__(self, profile: PlaceProfile, time: float) -> None:
        self.profile = profile
        self._space = dynamics.space_of(profile.max_people, profile.habits)
        # One layer per answer to "how many were inside last night?"; a single one while that is not asked.
        self._p: Grid = self._space.start[None]
        self._answers: list[int] = []
        self._before: list[tuple[int, tuple[float, ...]]] = []
        self._time = time
        self._started = time
        self._blind: dict[str, float] = {}
        self._gaps: list[tuple[float, float]] = []
        self._bucket: _Bucket | None = None
        self._entries: list[tuple[float, bool]] = []
        self._crossings = 0
        self._night_crossings = 0
        self._present_at = 0.0
        habits = profile.habits
        self._turns = [habits.day_from_h * 3600.0, habits.evening_from_h * 3600.0, habits.night_from_h * 3600.0]
        self._marks = sorted({0.0, NIGHT_S, NIGHT_OVER_S, *self._turns})
        self._miss = self._miss_now()

    @classmethod
    def start(cls, profile: PlaceProfile, at: datetime) -> "BeliefState":
        """Nothing is known before `at` (aware)."""
        return cls(profile, _seconds(at))

    @classmethod
    def load(cls, text: str | bytes, profile: PlaceProfile) -> "BeliefState":
        """The inverse of `dump`; a place whose size changed starts afresh. Raises ValueError for anything else."""
        try:
            saved = _decoder.decode(text)
            grid = np.frombuffer(base64.b64decode(saved.grid), dtype=np.float32).astype(np.float64)
        except (msgspec.MsgspecError, ValueError) as error:
            raise ValueError(f"this is not a saved belief: {error}") from error
        state = cls(profile, saved.time)
        layers = max(1, len(saved.answers))
        if grid.size != layers * state._p.size:
            return state
        state._p, state._answers = grid.reshape(layers, *state._space.shape), saved.answers
        state._before = saved.before
        state._started, state._blind, state._gaps = saved.started, saved.blind, saved.gaps
        state._bucket, state._entries, state._present_at = saved.bucket, saved.entries, saved.present_at
        state._crossings, state._night_crossings = saved.crossings, saved.night_crossings
        state._miss = state._miss_now()
        return state

    def dump(self) -> str:
        """As text, a few kilobytes; a distribution and the last minutes, never a history."""
        grid = base64.b64encode(self._p.astype(np.float32).tobytes()).decode()
        saved = _Saved(
            1, self._time, self._started, grid, self._blind, self._gaps, self._bucket, self._entries, self._answers,
            self._before, self._night_crossings, self._crossings, self._present_at,
        )  # fmt: skip
        return _encoder.encode(saved).decode()

    @property
    def time(self) -> datetime:
        """Up to when this place is known to have been watched, or known not to have been."""
        return _EPOCH + timedelta(seconds=self._time)

    def fold(self, event: AnyEvent, source: str) -> list[Night]:
        """Take one wire event of the device placed as `source`; what says nothing about people is passed over."""
        if source not in self.profile.counters and source not in self.profile.locks:
            return []
        evidence = evidence_of(event)
        return [] if evidence is None else self.take(evidence, source)

    def take(self, evidence: Evidence, source: str) -> list[Night]:
        """Take one piece of evidence from `source`, a counter or a lock of this place."""
        at = _seconds(evidence.at)
        if isinstance(evidence, Entry):
            self._entries.append((at, evidence.is_exit))
            self._entries.sort()
            return [] if self.profile.counters else self._go_to(at)
        if source not in self.profile.counters:
            return []
        nights = self._go_to(at)
        if isinstance(evidence, Crossing):
            self._hold(evidence, source)
        elif isinstance(evidence, Present):
            self._see(evidence, source)
        elif isinstance(evidence, Sight):
            self._look(source, is_blind=evidence.is_blind)
        return nights

    def advance(self, at: datetime) -> list[Night]:
        """Nothing more was reported up to `at`."""
        return self._go_to(_seconds(at))

    def lose_sight(self, at: datetime) -> list[Night]:
        """From `at` on nothing of this place is counted, or what is counted is lost."""
        nights = self._go_to(_seconds(at))
        self._look(_WHOLE_PLACE, is_blind=True)
        return nights

    def regain_sight(self, at: datetime) -> list[Night]:
        """The end of `lose_sight`."""
        nights = self._go_to(_seconds(at))
        self._look(_WHOLE_PLACE, is_blind=False)
        return nights

    def anchor(self, at: datetime, people: int) -> list[Night]:
        """Somebody looked: exactly `people` are inside. Raises ValueError when the belief does not reach so far."""
        if not 0 <= people <= self.profile.max_people:
            raise ValueError(f"{people} people: this belief goes from 0 to {self.profile.max_people}")
        nights = self._go_to(_seconds(at))
        self._pour()
        lives = self._p.sum(axis=2)
        exact = np.zeros_like(self._p)
        exact[..., people] = np.maximum(self._p[..., people], 1e-9 * lives)
        self._p = exact / exact.sum()
        return nights

    def estimate(self, at: datetime | None = None) -> Estimate:
        """People inside at `time`; or at a later `at`, if nothing more had been reported by then. Changes nothing."""
        state = self
        if self._bucket is not None or (at is not None and _seconds(at) > self._time):
            state = BeliefState.load(self.dump(), self.profile)
            if at is not None:
                state._go_to(_seconds(at))
            state._pour()
        distribution = state._p.sum(axis=(0, 1))
        coverage = state._coverage(state._time)
        numbers = summary_of(distribution)
        return Estimate(
            at=state.time,
            distribution=tuple(distribution.tolist()),
            mean=numbers.mean,
            sigma=numbers.sigma,
            lower_90=numbers.lower,
            upper_90=numbers.upper,
            coverage=coverage,
            abstains=state._abstains(state._time, numbers.sigma, coverage),
        )

    def residents(self) -> tuple[tuple[int, float], ...]:
        """How many probably live here: (number, probability). Follows the nights slowly; guests pass it by."""
        shares = self._p.sum(axis=(0, 2)).tolist()
        return tuple(zip(self._space.residents.tolist(), shares, strict=True))

    def _go_to(self, to: float) -> list[Night]:
        nights: list[Night] = []
        if self._bucket is not None and to - self._bucket.at > _SAME_BUCKET_S:
            self._pour()
        while self._entries and self._entries[0][0] + ENTRY_WAIT_S < to:
            at, is_exit = self._entries.pop(0)
            nights += self._pass(at + ENTRY_WAIT_S)
            self._unseen(is_exit=is_exit)
        return nights + self._pass(to)

    def _pass(self, to: float) -> list[Night]:
        nights: list[Night] = []
        offset = self.profile.utc_offset_s
        while self._time < to:
            midnight = (self._time + offset) // _DAY_S * _DAY_S - offset
            of_day = self._time - midnight
            index = bisect_right(self._marks, of_day)
            mark = self._marks[index] if index < len(self._marks) else _DAY_S
            until = min(to, midnight + mark)
            self._p = dynamics.pass_time(self._p, self._pace(self._time), until - self._time, self._miss)
            self._p /= self._p.sum()
            self._time = until
            if until == midnight + mark:
                nights += self._on_mark(until, mark)
        return nights

    def _pace(self, at: float) -> Pace:
        """How people come and go at that time of day."""
        return self._space.paces[bisect_right(self._turns, (at + self.profile.utc_offset_s) % _DAY_S) % 3]

    def _on_mark(self, at: float, of_day: float) -> list[Night]:
        if of_day == NIGHT_S:
            self._ask()
        elif of_day == NIGHT_OVER_S:
            self._night_crossings, self._crossings = self._crossings, 0
            self._gaps = [gap for gap in self._gaps if gap[1] > at - 2 * _DAY_S]
            return self._night(at - NIGHT_OVER_S, is_revised=False)
        elif of_day == NIGHT_REVISED_S:
            nights = self._night(at - NIGHT_REVISED_S, is_revised=True)
            self._p = self._space.moves.T @ self._p
            return nights
        return []

    def _ask(self) -> None:
        """Split the belief by the number inside now, so that the day after can still speak for one or the other."""
        # What was followed since last night's question says how the two nights hang together.
        joint = self._p.sum(axis=1)
        self._before = [(n, tuple(row.tolist())) for n, row in zip(self._answers, joint, strict=False)]
        whole = self._p.sum(axis=0)
        shares = whole.sum(axis=0)
        likely = np.argsort(shares)[::-1][:_MOST_ANSWERS]
        self._answers = sorted(int(n) for n in likely if shares[n] >= _LEAST_SHARE)
        self._p = np.zeros((len(self._answers), *whole.shape))
        for n in range(len(shares)):
            nearest = min(range(len(self._answers)), key=lambda index: abs(self._answers[index] - n))
            self._p[nearest, :, n] = whole[:, n]

    def _night(self, midnight: float, *, is_revised: bool) -> list[Night]:
        if not self._answers:
            return []
        distribution = np.zeros(self.profile.max_people + 1)
        distribution[self._answers] = self._p.sum(axis=(1, 2))
        numbers = summary_of(distribution)
        over = midnight + NIGHT_OVER_S
        coverage = self._coverage(over)
        night = Night(
            date=_local_date(midnight, self.profile.utc_offset_s),
            at=_EPOCH + timedelta(seconds=midnight + NIGHT_S),
            distribution=tuple(distribution.tolist()),
            mean=numbers.mean,
            sigma=numbers.sigma,
            lower=numbers.lower,
            upper=numbers.upper,
            coverage=coverage,
            crossings=self._night_crossings,
            is_revised=is_revised,
            abstains=self._abstains(over, numbers.sigma, coverage),
            before=tuple(self._before),
        )
        return [night]

    def _hold(self, crossing: Crossing, source: str) -> None:
        at = max(self._time, _seconds(crossing.at))
        if self._bucket is None:
            self._bucket = _Bucket(at)
        counter = self.profile.counters[source]
        none = max(counter.double_rate, 0.005, 1 - 2 * crossing.confidence if crossing.confidence < 0.5 else 0.0)
        self._crossings += crossing.count
        if crossing.is_in:
            self._bucket.into += crossing.count
            self._bucket.none_in = max(self._bucket.none_in, none)
        else:
            self._bucket.out += crossing.count
            self._bucket.none_out = max(self._bucket.none_out, none)

    def _pour(self) -> None:
        bucket, self._bucket = self._bucket, None
        if bucket is None:
            return
        agreed_in = self._agreed(bucket.at, bucket.into, is_exit=False)
        agreed_out = self._agreed(bucket.at, bucket.out, is_exit=True)
        first = self._left(self._entered(self._p, bucket, agreed_in), bucket, agreed_out)
        if bucket.into and bucket.out:
            first = first + self._entered(self._left(self._p, bucket, agreed_out), bucket, agreed_in)
        self._p = first / first.sum()

    def _agreed(self, at: float, count: int, *, is_exit: bool) -> int:
        """How many of `count` crossings the lock confirms; takes those openings off the list."""
        agreed = 0
        for entry in list(self._entries):
            near = at - ENTRY_WAIT_S <= entry[0] <= at + 30
            if agreed < count and near and entry[1] == is_exit:
                self._entries.remove(entry)
                agreed += 1
        return agreed

    def _entered(self, p: Grid, bucket: _Bucket, agreed: int) -> Grid:
        pace = self._pace(bucket.at)
        for index in range(min(bucket.into, 2 * self.profile.max_people)):
            none = bucket.none_in * (0.1 if index < agreed else 1.0)
            p = dynamics.follow_in(p, pace, none) if index else dynamics.enter(p, pace, none)
        return p

    def _left(self, p: Grid, bucket: _Bucket, agreed: int) -> Grid:
        pace = self._pace(bucket.at)
        for index in range(min(bucket.out, 2 * self.profile.max_people)):
            none = bucket.none_out * (0.1 if index < agreed else 1.0)
            p = dynamics.follow_out(p, none) if index else dynamics.leave(p, pace, none)
        return p

    def _unseen(self, *, is_exit: bool) -> None:
        """A lock was opened and no counter saw anybody: they did not pass, or they were missed."""
        missed = _OPENED_AND_ENTERED * self._miss
        passed = missed / (missed + 1 - _OPENED_AND_ENTERED)
        if is_exit:
            self._p = dynamics.follow_out(self._p, 1 - passed)
        else:
            self._p = dynamics.maybe_entered(self._p, self._pace(self._time), passed)
        self._p /= self._p.sum()

    def _see(self, present: Present, source: str) -> None:
        counter = self.profile.counters[source]
        if not counter.sees_inside or self._time - self._present_at < _PRESENT_EVERY_S:
            return
        self._pour()
        self._present_at = self._time
        count = min(present.count, self.profile.max_people)
        self._p = dynamics.see_inside(self._p, self._space, count, counter.see_rate, _GHOST)
        self._p /= self._p.sum()

    def _look(self, source: str, *, is_blind: bool) -> None:
        was_blind = bool(self._blind)
        if is_blind:
            self._blind.setdefault(source, self._time)
        else:
            self._blind.pop(source, None)
        if is_blind and not was_blind:
            self._gaps.append((self._time, _NOT_YET))
        elif was_blind and not self._blind:
            self._gaps[-1] = (self._gaps[-1][0], self._time)
        self._miss = self._miss_now()

    def _miss_now(self) -> float:
        counters = self.profile.counters
        if not counters or _WHOLE_PLACE in self._blind:
            return 1.0
        return sum(1.0 if name in self._blind else c.miss_rate for name, c in counters.items()) / len(counters)

    def _coverage(self, at: float) -> float:
        lost = sum(max(0.0, min(at, to) - max(at - _DAY_S, since)) for since, to in self._gaps)
        return max(0.0, 1 - lost / _DAY_S) if self.profile.counters else 0.0

    def _abstains(self, at: float, sigma: float, coverage: float) -> Abstention | None:
        if not self.profile.counters:
            return "no_counter"
        if at - self._started < _DAY_S:
            return "warming_up"
        if coverage < self.profile.min_coverage:
            return "coverage"
        return "uncertain" if sigma > self.profile.max_sigma else None


def _seconds(at: datetime) -> float:
    return (at - _EPOCH).total_seconds()


def _local_date(at: float, utc_offset_s: int) -> date:
    return (_EPOCH + timedelta(seconds=at + utc_offset_s)).date()
