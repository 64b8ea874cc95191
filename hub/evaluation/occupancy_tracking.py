"""Keeps the belief about the people inside each counted unit, and writes down each night that it completes.

A unit is counted by the counters placed at it; where a building has one unit alone, by those of its entrance too.
Households that opted out are not counted at all (P15).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final

import msgspec
from sqlalchemy import delete
from sqlmodel import Session, col, select

from hub.domain.device_location import Place
from hub.domain.entities import Device, Unit
from hub.domain.local_time import at_local, local_day
from hub.domain.observations import DeviceState
from hub.domain.stored_event import StoredEvent
from hub.occupancy import BeliefState, Counter, Night, PlaceProfile
from hub.registry.snapshot import RegistrySnapshot, held_at, read_rows
from hub.store.tables.alerts import DeviceWatch, NightRow, PlaceBelief
from hub.store.tables.registry import DevicePlacementRow, UnitRow
from hub.store.upsert import write_rows
from wire.events import CameraState, DeviceHealth, GatewayHealth, LockAccess, PeopleCrossing, PeoplePresent

_MOST_IN_MEMORY: Final = 20_000
MOST_RATE: Final = 0.9
"""What a counter may say of its own errors at most; see `Counter`."""
NIGHT_ENDS: Final = time(5, 0)
_ROUTINE: Final = (GatewayHealth, DeviceHealth, PeopleCrossing, PeoplePresent, CameraState)
_seen = msgspec.json.Decoder(DeviceState)
_encoder = msgspec.json.Encoder()
_COUNTS: Final = (PeopleCrossing, PeoplePresent)
_FOLDS: Final = (PeopleCrossing, PeoplePresent, CameraState, DeviceHealth, LockAccess)


class Beliefs:
    """The beliefs of all places, in memory between transactions. `begin`, then `take` events, then `finish`.

    What is in memory is what the last transaction wrote; when that one was rolled back, or another process has written
    since, `begin` is told so and everything is read again. `is_alone`: nobody else reads or writes the beliefs; they
    are written only where this object is about to forget them.
    """

    def __init__(self, registry: RegistrySnapshot, *, is_alone: bool = False) -> None:
        self._registry = registry
        self._is_alone = is_alone
        self._unwritten: set[str] = set()
        self._revision = -1
        self._states: dict[str, BeliefState] = {}
        self._profiles: dict[str, tuple[PlaceProfile | None, str]] = {}
        self._only: dict[str, str | None] = {}
        self._advanced: dict[str, datetime] = {}
        self._newest: dict[str, datetime] = {}
        self._changed: set[str] = set()
        self._recalibrated: set[str] = set()
        self._nights: dict[str, list[Night]] = defaultdict(list)

    def begin(self, session: Session, *, is_current: bool) -> None:
        """A transaction begins. `is_current`: nobody has written since this object's last `finish`."""
        is_stale = self._registry.revision != self._revision or len(self._states) > _MOST_IN_MEMORY
        if self._is_alone and is_stale:
            self.write(session)
        # Alone, what a failed transaction folded is folded twice, which is less than all that was never written.
        if is_stale or not (is_current or self._is_alone):
            for held in (self._states, self._profiles, self._only, self._advanced):
                held.clear()
            self._revision = self._registry.revision
        self._newest.clear()
        self._changed.clear()
        self._recalibrated.clear()
        self._nights.clear()

    def take(self, session: Session, stored: StoredEvent, place: Place) -> None:
        """One event, with its place."""
        event = stored.event
        if isinstance(event, _ROUTINE):
            newest = self._newest.get(stored.gateway_id)
            if newest is None or event.observed_at > newest:
                self._newest[stored.gateway_id] = event.observed_at
        if not isinstance(event, _FOLDS):
            return
        counts = isinstance(event, _COUNTS)
        unit = self._unit_of(session, place, counts=counts)
        if unit is None:
            return
        profile, _ = self._profile(session, unit)
        is_known = profile is not None and (place.key in profile.counters or place.key in profile.locks)
        if not is_known and counts:
            # A counter that nobody placed, heard for the first time.
            if self._is_alone:
                self._write(session, {unit})
            self._profiles.pop(unit, None)
            self._states.pop(unit, None)
        if isinstance(event, CameraState) and event.data.miss_rate is not None and is_known:
            self._recalibrated.add(unit)
        state = self._state(session, unit, event.observed_at)
        if state is None:
            return
        self._nights[unit] += state.fold(event, place.key)
        self._changed.add(unit)

    def finish(self, session: Session) -> set[str]:
        """Complete the nights that every counter has passed, write all. Returns the units that have a new night."""
        for gateway, newest in self._newest.items():
            self._advance(session, gateway, newest)
        if self._is_alone:
            self._unwritten |= self._changed
        # A camera that said its rates anew: its place is read again below.
        self._write(session, self._recalibrated & self._changed if self._is_alone else self._changed)
        for unit in self._recalibrated:
            # From the next transaction on with the rates that this one has written down.
            self._profiles.pop(unit, None)
            self._states.pop(unit, None)
        self._recalibrated.clear()
        found = {unit: nights for unit, nights in self._nights.items() if nights}
        write_rows(session, NightRow, [_row(unit, night) for unit, nights in found.items() for night in nights])
        return set(found)

    def write(self, session: Session) -> None:
        """Write what was kept from the database: before it is forgotten, or when this object is no longer alone."""
        self._write(session, self._unwritten)
        self._unwritten.clear()

    def _write(self, session: Session, units: set[str]) -> None:
        rows = [
            {
                "place": unit,
                "gateway_id": self._profiles[unit][1],
                "updated_at": self._states[unit].time,
                "state": self._states[unit].dump(),
            }
            for unit in sorted(units)
            if unit in self._states
        ]
        write_rows(session, PlaceBelief, rows)

    def _advance(self, session: Session, gateway: str, newest: datetime) -> None:
        mark = at_local(local_day(newest), NIGHT_ENDS)
        if mark > newest:
            mark -= timedelta(days=1)
        if self._advanced.get(gateway) == mark:
            return
        query = select(PlaceBelief.place).where(
            col(PlaceBelief.gateway_id) == gateway, col(PlaceBelief.updated_at) < mark
        )
        waiting = set(session.exec(query))
        held = self._states if self._is_alone else self._changed
        waiting |= {unit for unit in held if self._profiles[unit][1] == gateway}
        for unit in sorted(waiting):
            state = self._state(session, unit, newest)
            if state is not None and state.time < mark:
                self._nights[unit] += state.advance(mark)
                self._changed.add(unit)
        self._advanced[gateway] = mark

    def _unit_of(self, session: Session, place: Place, *, counts: bool) -> str | None:
        """The unit whose people this device tells of."""
        if place.unit is not None:
            return place.unit
        if place.building is None or place.placement not in {"building_entrance", None}:
            return None
        if place.placement is None and not counts:
            return None
        return self._only_unit(session, place.building.code)

    def _only_unit(self, session: Session, building: str) -> str | None:
        if building not in self._only:
            query = select(UnitRow.code).where(held_at(UnitRow, None), UnitRow.building_code == building).limit(2)
            codes = list(session.exec(query))
            self._only[building] = codes[0] if len(codes) == 1 else None
        return self._only[building]

    def _state(self, session: Session, unit: str, at: datetime) -> BeliefState | None:
        found = self._states.get(unit)
        if found is not None:
            return found
        profile, _ = self._profile(session, unit)
        if profile is None:
            return None
        text = session.exec(select(PlaceBelief.state).where(PlaceBelief.place == unit)).first()
        state = BeliefState.load(text, profile) if text else BeliefState.start(profile, at)
        self._states[unit] = state
        return state

    def _profile(self, session: Session, unit: str) -> tuple[PlaceProfile | None, str]:
        found = self._profiles.get(unit)
        if found is None:
            known = self._registry.unit(session, unit)
            if known is not None and known.counting_opt_out:
                # Not counted any more: what was believed of the household goes too (P15).
                session.connection().execute(delete(PlaceBelief).where(col(PlaceBelief.place) == unit))
                session.connection().execute(delete(NightRow).where(col(NightRow.place) == unit))
                known = None
            found = (None, "") if known is None else self._make_profile(session, known)
            self._profiles[unit] = found
        return found

    def _make_profile(self, session: Session, unit: Unit) -> tuple[PlaceProfile | None, str]:
        counters: dict[str, Counter] = {}
        locks: set[str] = set()
        placed = {device.key: device for device in unit.devices}
        said = self._said(session, [device.key for device in placed.values() if device.kind == "camera"])
        for device in placed.values():
            if device.kind == "camera":
                counters[device.key] = _counter(device, said.get(device.key))
            elif device.kind in {"lock", "reader"}:
                locks.add(device.key)
        here = col(DeviceWatch.unit_code) == unit.code
        if self._only_unit(session, unit.building.code) == unit.code:
            here |= col(DeviceWatch.unit_code).is_(None) & (col(DeviceWatch.building_code) == unit.building.code)
        heard = list(session.exec(select(DeviceWatch.key, DeviceWatch.kind, DeviceWatch.state).where(here)))
        # What was heard here last may have moved since: then the registry's word is the newer one.
        moved = {
            row.code
            for row in read_rows(session, DevicePlacementRow, None, DevicePlacementRow.code, {h[0] for h in heard})
        }
        for key, kind, state in heard:
            if key in placed or key in moved:
                continue
            if kind == "camera":
                counters[key] = _counter(None, _seen.decode(state))
            elif kind in {"lock", "reader"}:
                locks.add(key)
        if not counters:
            return None, ""
        gateway = min(counters).partition("/")[0]
        return PlaceProfile(counters=counters, locks=frozenset(locks)), gateway

    @staticmethod
    def _said(session: Session, cameras: list[str]) -> dict[str, DeviceState]:
        """What these cameras said of themselves last, by key."""
        query = select(DeviceWatch.key, DeviceWatch.state).where(col(DeviceWatch.key).in_(cameras))
        return {key: _seen.decode(state) for key, state in session.exec(query)} if cameras else {}


def _counter(device: Device | None, said: DeviceState | None) -> Counter:
    """The registry's word on a counter's errors goes before the camera's own, and that before what is usual."""
    plain = Counter()

    def rate(name: str, usual: float) -> float:
        known = getattr(device, name, None)
        own = getattr(said, name, None)
        return float(known if known is not None else min(own, MOST_RATE) if own is not None else usual)

    return Counter(
        miss_rate=rate("miss_rate", plain.miss_rate),
        double_rate=rate("double_rate", plain.double_rate),
        sees_inside=device is not None and device.placement == "room",
    )


def _row(unit: str, night: Night) -> dict[str, object]:
    return {
        "place": unit,
        "night": night.date,
        "at": night.at,
        "mean": night.mean,
        "lower": night.lower,
        "upper": night.upper,
        "sigma": night.sigma,
        "coverage": night.coverage,
        "abstained": night.abstains or "",
        "crossings": night.crossings,
        "chances": _encoder.encode(_trimmed(night.distribution, 3)).decode(),
        "before": _encoder.encode([(n, _trimmed(joint, 5)) for n, joint in night.before]).decode(),
    }


def _trimmed(shares: Sequence[float], digits: int) -> list[float]:
    """Rounded, up to the last one that is not nothing."""
    rounded = [round(share, digits) for share in shares]
    while rounded and rounded[-1] == 0:
        rounded.pop()
    return rounded
