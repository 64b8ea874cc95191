"""Keeps the belief about the people inside each counted unit, and writes down each night that it completes.

A unit is counted by the counters placed at it; where a building has one unit alone, by those of its entrance too.
Households that opted out are not counted at all (P15).
"""

from collections import defaultdict
from datetime import datetime, time, timedelta
from typing import Final

from sqlmodel import Session, col, select

from hub.facts import StoredEvent
from hub.occupancy import BeliefState, Counter, Night, PlaceProfile
from hub.registry.ledger import Ledger, held_at
from hub.rules.known import DeviceKnown, UnitKnown
from hub.rules.local_time import at_local, local_day
from hub.rules.place import Place
from hub.store.tables.alerts import DeviceWatch, NightRow, PlaceBelief
from hub.store.tables.registry import Unit
from wire.events import CameraState, DeviceHealth, GatewayHealth, LockAccess, PeopleCrossing, PeoplePresent

NIGHT_ENDS: Final = time(5, 0)
_ROUTINE: Final = (GatewayHealth, DeviceHealth, PeopleCrossing, PeoplePresent, CameraState)
_COUNTS: Final = (PeopleCrossing, PeoplePresent)
_FOLDS: Final = (PeopleCrossing, PeoplePresent, CameraState, DeviceHealth, LockAccess)


class Beliefs:
    """The beliefs that one stretch of events touches. Call `finish` at its end."""

    def __init__(self, session: Session, ledger: Ledger) -> None:
        self._session = session
        self._ledger = ledger
        self._states: dict[str, BeliefState] = {}
        self._rows: dict[str, PlaceBelief] = {}
        self._no_place: set[str] = set()
        self._only: dict[str, str | None] = {}
        self._newest: dict[str, datetime] = {}
        self._changed: set[str] = set()
        self._nights: dict[str, list[Night]] = defaultdict(list)

    def take(self, stored: StoredEvent, place: Place) -> None:
        """One event, with its place."""
        event = stored.event
        if isinstance(event, _ROUTINE):
            newest = self._newest.get(stored.gateway_id)
            if newest is None or event.observed_at > newest:
                self._newest[stored.gateway_id] = event.observed_at
        if not isinstance(event, _FOLDS):
            return
        unit = self._unit_of(place, counts=isinstance(event, _COUNTS))
        if unit is None:
            return
        state = self._state(unit, event.observed_at)
        if state is None:
            return
        self._nights[unit] += state.fold(event, place.key)
        self._changed.add(unit)

    def finish(self, now: datetime) -> set[str]:
        """Complete the nights that every counter has passed, write all. Returns the units that have a new night."""
        for gateway, newest in self._newest.items():
            self._advance(gateway, newest)
        for unit in self._changed:
            state, row = self._states[unit], self._rows[unit]
            row.updated_at, row.state = state.time, state.dump()
            self._session.add(row)
        told = {unit for unit, nights in self._nights.items() if nights}
        for unit in told:
            for night in self._nights[unit]:
                self._session.merge(_row(unit, night))
        self._session.flush()
        return told

    def _advance(self, gateway: str, newest: datetime) -> None:
        mark = at_local(local_day(newest), NIGHT_ENDS)
        if mark > newest:
            mark -= timedelta(days=1)
        query = select(PlaceBelief).where(col(PlaceBelief.gateway_id) == gateway, col(PlaceBelief.updated_at) < mark)
        waiting = {row.place: row for row in self._session.exec(query)}
        waiting |= {unit: row for unit, row in self._rows.items() if row.gateway_id == gateway}
        for unit in waiting:
            state = self._state(unit, newest)
            if state is not None and state.time < mark:
                self._nights[unit] += state.advance(mark)
                self._changed.add(unit)

    def _unit_of(self, place: Place, *, counts: bool) -> str | None:
        """The unit whose people this device tells of."""
        if place.unit is not None:
            return place.unit
        if place.building is None or place.placement not in {"building_entrance", None}:
            return None
        if place.placement is None and not counts:
            return None
        return self._only_unit(place.building.code)

    def _only_unit(self, building: str) -> str | None:
        if building not in self._only:
            query = select(Unit.code).where(held_at(Unit, None), Unit.building_code == building).limit(2)
            codes = list(self._session.exec(query))
            self._only[building] = codes[0] if len(codes) == 1 else None
        return self._only[building]

    def _state(self, unit: str, at: datetime) -> BeliefState | None:
        found = self._states.get(unit)
        if found is not None or unit in self._no_place:
            return found
        known = self._ledger.unit(self._session, unit)
        profile, gateway = (None, "") if known is None or known.counting_opt_out else self._profile(known)
        if profile is None:
            self._no_place.add(unit)
            return None
        row = self._session.get(PlaceBelief, unit)
        if row is None:
            row = PlaceBelief(place=unit, gateway_id=gateway, updated_at=at, state="")
        self._rows[unit] = row
        self._states[unit] = BeliefState.load(row.state, profile) if row.state else BeliefState.start(profile, at)
        return self._states[unit]

    def _profile(self, unit: UnitKnown) -> tuple[PlaceProfile | None, str]:
        counters: dict[str, Counter] = {}
        locks: set[str] = set()
        placed = {device.key: device for device in unit.devices}
        for device in placed.values():
            if device.kind == "camera":
                counters[device.key] = _counter(device)
            elif device.kind in {"lock", "reader"}:
                locks.add(device.key)
        here = col(DeviceWatch.unit_code) == unit.code
        if self._only_unit(unit.building.code) == unit.code:
            here |= col(DeviceWatch.unit_code).is_(None) & (col(DeviceWatch.building_code) == unit.building.code)
        query = select(DeviceWatch.key, DeviceWatch.kind).where(here)
        for key, kind in self._session.exec(query):
            if key in placed:
                continue
            if kind == "camera":
                counters[key] = Counter()
            elif kind in {"lock", "reader"}:
                locks.add(key)
        if not counters:
            return None, ""
        gateway = min(counters).partition("/")[0]
        return PlaceProfile(counters=counters, locks=frozenset(locks)), gateway


def _counter(device: DeviceKnown) -> Counter:
    plain = Counter()
    return Counter(
        miss_rate=plain.miss_rate if device.miss_rate is None else device.miss_rate,
        double_rate=plain.double_rate if device.double_rate is None else device.double_rate,
        sees_inside=device.placement == "room",
    )


def _row(unit: str, night: Night) -> NightRow:
    return NightRow(
        place=unit,
        night=night.date,
        at=night.at,
        mean=night.mean,
        lower=night.lower,
        upper=night.upper,
        sigma=night.sigma,
        coverage=night.coverage,
        abstained=night.abstains or "",
        crossings=night.crossings,
    )
