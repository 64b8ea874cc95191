"""What the devices of one unit report of what really happens there, as wire events; errors as `noise` has them."""

import math
from collections.abc import Iterable
from datetime import datetime
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from simulators.residents.household import Passage
from simulators.residents.noise import Noise
from simulators.residents.people import DAY_S
from simulators.residents.plan import Calendar, Incident
from wire.events import Lane
from wire.ids import canonical_card, credential_ref
from wire.messages import format_instant

_encoder = msgspec.json.Encoder()
_BUCKET_S: Final = 60.0
BATTERY_WARNS_S: Final = 11 * DAY_S
"""So long before its end a detector's battery is low."""


class Report(NamedTuple):
    """One event as a gateway took it down: when, in which lane, and its body."""

    at_s: float
    lane: int
    body: bytes


class CardRefs:
    """Card number -> the reference under which gateways send it."""

    def __init__(self, organisation_key: bytes) -> None:
        self._key = organisation_key
        self._known: dict[str, str] = {}

    def of(self, number: str) -> str:
        """`hmac:…`."""
        if number not in self._known:
            self._known[number] = credential_ref(self._key, "card", canonical_card(number))
        return self._known[number]


def event_body(at: datetime, device: str, unit: str | None, kind: str, data: dict[str, Any]) -> bytes:
    """One wire event as JSON."""
    event = {"observed_at": format_instant(at), "device": device, "unit": unit, "kind": kind, "data": data}
    if unit is None:
        del event["unit"]
    return _encoder.encode(event)


class UnitSensors:
    """The lock, the smoke detector and perhaps the counter of one unit. Keeps what the devices themselves remember."""

    def __init__(
        self, unit: str, door: str, *, has_counter: bool, calendar: Calendar, noise: Noise, refs: CardRefs, rng: Random
    ) -> None:
        self.unit = unit
        self.lock, self.smoke, self.counter = f"lock-{door}", f"smoke-{door}", f"count-{door}"
        self.has_counter = has_counter
        self.has_lock = True
        self.lock_battery = rng.uniform(26, 100) if rng.random() < 0.97 else rng.uniform(14, 26)
        self.smoke_dead_s = math.inf
        self._calendar = calendar
        self._noise = noise
        self._errors = noise.counter.of_device(rng)
        self._refs = refs
        self._rng = rng
        self._heartbeat_s = rng.uniform(0, noise.smoke.heartbeat_h * 3600)
        self.blind: list[tuple[float, float]] = []

    def _report(self, at_s: float, lane: int, device: str, kind: str, data: dict[str, Any]) -> Report:
        return Report(at_s, lane, event_body(self._calendar.at(at_s), device, self.unit, kind, data))

    def first(self) -> list[Report]:
        """What the devices say of themselves when they are switched on."""
        return (
            [self._report(5.0, Lane.ROUTINE, self.counter, "camera.state", {"state": "ok"})] if self.has_counter else []
        )

    def day(self, from_s: float, to_s: float) -> list[Report]:
        """Heartbeats from `from_s` to `to_s`: a day, begun anywhere."""
        reports: list[Report] = []
        period = self._noise.smoke.heartbeat_h * 3600
        beat = from_s + (self._heartbeat_s - from_s) % period
        while beat < min(to_s, self.smoke_dead_s):
            data = {"battery_pct": 90.0, "battery_low": self.smoke_dead_s - beat < BATTERY_WARNS_S}
            reports.append(self._report(beat, Lane.ROUTINE, self.smoke, "device.health", data))
            beat += period
        self.lock_battery = max(3.0, self.lock_battery - self._noise.lock.battery_per_day)
        at = from_s + 3600 * 3 + self._heartbeat_s / 4
        if at < to_s:
            data = {"battery_pct": float(round(self.lock_battery))}
            reports.append(self._report(at, Lane.ROUTINE, self.lock, "device.health", data))
            if self.has_counter:
                reports.append(self._report(at, Lane.ROUTINE, self.counter, "device.health", {"online": True}))
        return reports

    def passages(self, passages: Iterable[Passage], from_s: float, to_s: float) -> list[Report]:
        """What lock and counter report of a day's passages (in order of time)."""
        buckets: dict[tuple[float, bool], int] = {}
        reports: list[Report] = []
        for passage in passages:
            if passage.card:
                reports += self._opening(passage)
            if not self.has_counter:
                continue
            seen = self._seen(passage)
            if seen:
                end = math.ceil((passage.at_s + 8) / _BUCKET_S) * _BUCKET_S
                buckets[end, passage.is_in] = buckets.get((end, passage.is_in), 0) + seen
        if self.has_counter:
            left = self._rng.expovariate(1.0)
            while left < self._errors.false_per_day:
                at = math.ceil(self._rng.uniform(from_s, to_s) / _BUCKET_S) * _BUCKET_S
                key = (at, self._rng.random() < 0.5)
                if not self.is_blind(at):
                    buckets[key] = buckets.get(key, 0) + 1
                left += self._rng.expovariate(1.0)
        for (at, is_in), count in buckets.items():
            data = {
                "direction": "in" if is_in else "out", "count": count, "line": "door",
                "confidence": round(self._rng.uniform(0.62, 0.97), 2), "window_s": _BUCKET_S,
            }  # fmt: skip
            reports.append(self._report(at, Lane.ROUTINE, self.counter, "people.crossing", data))
        return reports

    def is_blind(self, at_s: float) -> bool:
        """Whether the counter is covered."""
        return any(since <= at_s < to for since, to in self.blind)

    def _seen(self, passage: Passage) -> int:
        if self.is_blind(passage.at_s):
            return 0
        errors, rng, seen = self._errors, self._rng, 0
        for index in range(passage.people):
            is_infant = index >= passage.people - passage.infants
            miss = 1 - errors.infant_seen if is_infant else min(0.9, errors.miss * (errors.crowd if index else 1.0))
            if rng.random() >= miss:
                seen += 2 if rng.random() < errors.double else 1
        return seen

    def _opening(self, passage: Passage) -> list[Report]:
        if self._rng.random() < self._noise.lock.unlogged:
            return []
        credential = {"type": "card", "ref": self._refs.of(passage.card)}
        at = passage.at_s - self._rng.uniform(2, 6)
        reports = []
        if self._rng.random() < self._noise.lock.wrong_try:
            data = {
                "result": "denied",
                "reason": "unknown_credential",
                "credential": {"type": "pin"},
                "direction": "in",
            }
            reports.append(self._report(at - 9, Lane.URGENT, self.lock, "lock.access", data))
        data = {"result": "granted", "reason": "ok", "credential": credential, "direction": "in"}
        return [*reports, self._report(at, Lane.URGENT, self.lock, "lock.access", data)]

    def befall(self, incident: Incident, card: str) -> list[Report]:  # noqa: PLR0911  # one answer for each kind
        """What the devices report of an incident. `card`: one that is no longer valid, where the incident needs it."""
        at, until = incident.at_s, incident.at_s + incident.lasts_s
        match incident.kind:
            case "fire" | "cooking":
                smoke = {"alarm": True, "obscuration_pct_per_m": 8.0 if incident.kind == "fire" else 3.5}
                repeats = [
                    self._report(t, Lane.URGENT, self.smoke, "smoke.state", smoke) for t in _every(at, until, 60.0)
                ]
                return [*repeats, self._report(until, Lane.URGENT, self.smoke, "smoke.state", {"alarm": False})]
            case "smoke_battery":
                self.smoke_dead_s = until
                low = {"battery_low": True, "battery_pct": 9.0}
                return [self._report(at, Lane.ROUTINE, self.smoke, "device.health", low)]
            case "smoke_tamper":
                return [
                    self._report(at, Lane.URGENT, self.smoke, "device.health", {"tamper": True}),
                    self._report(until, Lane.URGENT, self.smoke, "device.health", {"tamper": False}),
                ]
            case "forced" | "duress":
                return [self._report(at, Lane.URGENT, self.lock, "lock.alarm", {"alarm": incident.kind})]
            case "wrong_tries":
                data = {
                    "result": "denied",
                    "reason": "unknown_credential",
                    "credential": {"type": "pin"},
                    "direction": "in",
                }
                return [self._report(at + 22 * n, Lane.URGENT, self.lock, "lock.access", data) for n in range(7)]
            case "expired_tries":
                data = {
                    "result": "denied", "reason": "expired", "direction": "in",
                    "credential": {"type": "card", "ref": self._refs.of(card)},
                }  # fmt: skip
                return [self._report(at + 2400 * n, Lane.URGENT, self.lock, "lock.access", data) for n in range(4)]
            case "master":
                data = {
                    "result": "granted", "reason": "ok", "direction": "in",
                    "credential": {"type": "card", "ref": self._refs.of(card)},
                }  # fmt: skip
                return [self._report(at, Lane.URGENT, self.lock, "lock.access", data)]
            case "counter_covered":
                self.blind.append((at, until))
                return [
                    self._report(at, Lane.ROUTINE, self.counter, "camera.state", {"state": "covered"}),
                    self._report(until, Lane.ROUTINE, self.counter, "camera.state", {"state": "ok"}),
                ]


def _every(from_s: float, to_s: float, step_s: float) -> list[float]:
    return [from_s + n * step_s for n in range(int((to_s - from_s) / step_s) + 1)]
