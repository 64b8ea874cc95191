"""When time must pass over the rules, where nobody waits for it: for a past that is played, and a recording.

Silence, open doors and midnight are looked at when they are due; compliance at a step that grows with the number of
events. Whoever plays the same events with the same schedule looks at the same instants.
"""

import heapq
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from hub.domain.local_time import local_day, start_of
from hub.rules.policy import PackSet
from hub.store.tables.alerts import DeviceWatch
from wire.events import AnyEvent, DeviceHealth, FireComponent, HelpCall, LockAlarm, SmokeState

FINE: Final = timedelta(seconds=5)
"""How often a hub lets time pass over its rules."""
STEPS: Final = ((5_000, FINE), (50_000, timedelta(minutes=5)), (200_000, timedelta(minutes=30)))
COARSE: Final = timedelta(hours=1)
"""Up to so many events, time passes so finely; with more, compliance looks at units every hour."""
IDLE: Final = timedelta(minutes=5)
"""Where nothing happens, nothing is looked at more often."""
MOST_HELD: Final = 2_000
"""So many events are folded at once, at most."""
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SILENCE: Final = ("T1", "silent_s")
_LEFT_OVER: Final = text(
    "SELECT EXISTS (SELECT 1 FROM unit_due) "
    "OR (SELECT coalesce(max(id), 0) FROM event) > coalesce((SELECT CAST(cursor AS INTEGER) FROM rule_progress "
    "WHERE name = 'events'), 0)"
)

Span = tuple[datetime, datetime]


ALARMS: Final = (SmokeState, FireComponent, LockAlarm, HelpCall)
"""What is folded by itself, at its instant; and so is a device that was tampered with."""


def is_urgent(event: AnyEvent) -> bool:
    """Whether an event is folded by itself, at its instant."""
    return isinstance(event, ALARMS) or (isinstance(event, DeviceHealth) and event.data.tamper is True)


def step_for(events: int) -> timedelta:
    """How long what compliance looks at may wait."""
    return next((step for most, step in STEPS if events <= most), COARSE)


def shortest_silence(packs: PackSet, overrides: Iterable[float] = ()) -> timedelta:
    """The least silence of a gateway that some pack calls an outage, or one of `overrides`, in seconds."""
    rule_id, name = _SILENCE
    found = [pack.parameters[rule_id][name].value for pack in packs.packs if name in pack.parameters.get(rule_id, {})]
    return timedelta(seconds=min([float(value) for value in found if isinstance(value, int | float)] + [*overrides]))


class Schedule:
    """Hears of events, and says when to look next. `deaf_span`: the span without a look that an instant lies inside."""

    def __init__(
        self, step: timedelta, silence: timedelta, deaf_span: Callable[[datetime], Span | None] = lambda at: None
    ) -> None:
        self.step = step
        self.last = BEGINNING
        self.pending: datetime | None = None
        self._silence = silence
        self._deaf_span = deaf_span
        self._silences: list[tuple[datetime, str]] = []
        self._heard: dict[str, datetime] = {}
        self._check_at: datetime | None = None

    def hear(self, gateways: Iterable[str], at: datetime) -> None:
        """Events of these gateways came. One that returns from silence is looked at at once."""
        for gateway in gateways:
            before = self._heard.get(gateway)
            self._heard[gateway] = at
            if before is None:
                heapq.heappush(self._silences, (at + self._silence, gateway))
            if before is None or at - before > self._silence:
                self.want(at + FINE)
        self.want(max(at + FINE, self.last + self.step))

    def want(self, at: datetime) -> None:
        """Look at `at`, or before."""
        self.pending = at if self.pending is None else min(at, self.pending)

    def next(self) -> datetime | None:
        """When the next look is due; None before anything happened."""
        if self.last == BEGINNING and self.pending is None:
            return None
        while self._silences:
            due, gateway = self._silences[0]
            actual = self._heard[gateway] + self._silence
            if actual == due:
                break
            heapq.heapreplace(self._silences, (actual, gateway))
        found = [at for at in (self.pending, self._check_at) if at is not None]
        if self._silences:
            found.append(self._silences[0][0] + FINE)
        if self.last != BEGINNING:
            found += [
                self.last + max(self.step, IDLE), start_of(local_day(self.last) + timedelta(days=1)) + FINE,
            ]  # fmt: skip
        at = max(min(found), self.last + timedelta(milliseconds=1))
        span = self._deaf_span(at)
        if span is None:
            return at
        # The hub's last look before it went down, then its first one after.
        return span[0] if self.last < span[0] else span[1]

    def look(self, at: datetime) -> None:
        """A look begins."""
        self.last = at
        self.pending = None
        while self._silences and self._silences[0][0] + FINE <= at:
            # Silent, and looked at: again when it has spoken.
            _, gateway = heapq.heappop(self._silences)
            if self._heard[gateway] + self._silence + FINE > at:
                heapq.heappush(self._silences, (self._heard[gateway] + self._silence, gateway))
            else:
                del self._heard[gateway]

    def looked(self, session: Session, at: datetime) -> None:
        """A look ends, and its transaction goes on: see what is due next, and whether something was left over."""
        session.flush()
        check_at = session.exec(select(func.min(DeviceWatch.check_at)).where(col(DeviceWatch.check_at) > at)).one()
        self._check_at = None if check_at is None else check_at + FINE
        if session.connection().execute(_LEFT_OVER).scalar():
            self.want(at + FINE)
