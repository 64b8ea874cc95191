"""What was seen of units, read in bulk for the rules that look at a unit as a whole."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.observations import Night, UnitObservations, UseDay, active_at
from hub.registry.snapshot import RegistrySnapshot, read_rows
from hub.store.tables.alerts import AlertRow, CredentialDay, DeviceWatch, NightRow
from hub.store.tables.registry import CredentialRow, OccupantRow, PersonRow
from hub.store.upsert import table_of

USES_DAYS: Final = 62
NIGHTS_DAYS: Final = 31
_CHUNK: Final = 400
_AT_DOOR: Final = frozenset({"lock", "reader", "camera"})

_USES: Final = table_of(CredentialDay)
_NIGHTS: Final = table_of(NightRow)
_DEVICES: Final = table_of(DeviceWatch)
_USE: Final = tuple(_USES.c[name] for name in ("unit_code", *UseDay.__slots__))
_NIGHT: Final = tuple(_NIGHTS.c[name] for name in ("place", *Night.__slots__))
_chances: Final = msgspec.json.Decoder(tuple[float, ...])
_before: Final = msgspec.json.Decoder(tuple[tuple[int, tuple[float, ...]], ...])


class _Device(NamedTuple):
    """What a look at a unit needs of a device's state."""

    unit_code: str
    gateway_id: str
    kind: str
    first_seen_at: datetime
    last_seen_at: datetime
    state: str


_DEVICE: Final = tuple(_DEVICES.c[name] for name in _Device._fields)


def dark_gateways(session: Session) -> set[str]:
    """Gateways that are silent now."""
    query = select(AlertRow.gateway_id).where(
        AlertRow.rule_id == "T1", col(AlertRow.resolved_at).is_(None), col(AlertRow.is_active)
    )
    return {gateway for gateway in session.exec(query) if gateway is not None}


class ObservationReader:
    """Reads what was seen. What the registry alone says of a unit is kept until the registry, or the day, is another.

    `is_alone`: nobody else writes uses and nights; they are kept until `forget` is told of a unit, or the day is over.
    """

    def __init__(self, registry: RegistrySnapshot, *, is_alone: bool) -> None:
        self._registry = registry
        self._is_alone = is_alone
        self._read: dict[str, tuple[list[UseDay], list[Night]]] = {}
        self._kept_of: tuple[int, date] | None = None
        self._named: dict[str, bool] = {}
        self._elsewhere: dict[str, dict[str, str]] = {}

    def seen_of(self, session: Session, units: Mapping[str, Unit], now: datetime) -> dict[str, UnitObservations]:
        """What was seen of these units."""
        day = local_day(now)
        if self._kept_of != (self._registry.revision, day):
            self._kept_of = self._registry.revision, day
            self._named.clear()
            self._elsewhere.clear()
            self._read.clear()
        read = self._uses_and_nights(session, sorted(units), day)
        devices = _read_devices(session, sorted(units))
        strange = {use.ref for of_unit, _ in read.values() for use in of_unit}
        strange -= {held.ref for unit in units.values() for held in unit.credentials}
        unread = {ref for ref in strange if ref not in self._named}
        named = _named(session, unread)
        self._named.update({ref: ref in named for ref in unread})
        new = {code: unit for code, unit in units.items() if code not in self._elsewhere}
        if new:
            double = _double(session, new, day)
            self._elsewhere.update({code: double.get(code, {}) for code in new})
        dark = dark_gateways(session)
        return {
            code: replace(
                _seen(unit, *read[code], devices[code], dark),
                named_elsewhere=frozenset(use.ref for use in read[code][0] if self._named.get(use.ref, False)),
                elsewhere=self._elsewhere[code],
            )
            for code, unit in units.items()
        }

    def forget(self, units: Collection[str]) -> None:
        """Something new is stored of these units."""
        for code in units:
            self._read.pop(code, None)

    def _uses_and_nights(
        self, session: Session, codes: list[str], day: date
    ) -> dict[str, tuple[list[UseDay], list[Night]]]:
        if not self._is_alone:
            return _read_seen(session, codes, day)
        unread = [code for code in codes if code not in self._read]
        if unread:
            self._read.update(_read_seen(session, unread, day))
        return {code: self._read[code] for code in codes}


def _read_seen(session: Session, codes: list[str], day: date) -> dict[str, tuple[list[UseDay], list[Night]]]:
    uses: dict[str, list[UseDay]] = defaultdict(list)
    nights: dict[str, list[Night]] = defaultdict(list)
    connection = session.connection()
    uses_since, nights_since = day - timedelta(days=USES_DAYS), day - timedelta(days=NIGHTS_DAYS)
    # Columns and not entities: this is most of what a look at many units reads.
    for start in range(0, len(codes), _CHUNK):
        chunk = codes[start : start + _CHUNK]
        query = select_columns(*_USE).where(_USES.c.unit_code.in_(chunk), _USES.c.day >= uses_since)
        for code, *values in connection.execute(query.order_by(_USES.c.day, _USES.c.ref)):
            uses[code].append(UseDay(*values))
        query = select_columns(*_NIGHT).where(_NIGHTS.c.place.in_(chunk), _NIGHTS.c.night >= nights_since)
        for code, *plain, chances, before in connection.execute(query.order_by(_NIGHTS.c.night)):
            nights[code].append(_night(plain, chances, before))
    return {code: (uses[code], nights[code]) for code in codes}


def _read_devices(session: Session, codes: list[str]) -> dict[str, list["_Device"]]:
    devices: dict[str, list[_Device]] = defaultdict(list)
    connection = session.connection()
    for start in range(0, len(codes), _CHUNK):
        query = select_columns(*_DEVICE).where(_DEVICES.c.unit_code.in_(codes[start : start + _CHUNK]))
        for row in connection.execute(query):
            device = _Device(*row)
            devices[device.unit_code].append(device)
    return devices


def _night(plain: list[Any], chances: str, before: str) -> Night:
    night, at, mean, lower, upper, sigma, coverage, abstained, crossings = plain
    told = _chances.decode(chances), _before.decode(before)
    return Night(night, at, mean, lower, upper, sigma, coverage, abstained, crossings, *told)


def _named(session: Session, refs: Collection[str]) -> set[str]:
    """Those of these credentials that the registry has bound to somebody, or to the staff."""
    rows = read_rows(session, CredentialRow, None, CredentialRow.code, refs)
    return {row.code for row in rows if row.person_code is not None or row.purpose in {"staff", "master"}}


def _double(session: Session, units: Mapping[str, Unit], day: date) -> dict[str, dict[str, str]]:
    """Unit -> person -> another unit in which the same person, or the same document, lives on that day."""
    people = {o.person.code for unit in units.values() for o in unit.people_on(day)}
    documents = {
        row.code: row.document_index
        for row in read_rows(session, PersonRow, None, PersonRow.code, people)
        if row.document_index is not None
    }
    same: dict[str, set[str]] = defaultdict(set)
    for row in read_rows(session, PersonRow, None, PersonRow.document_index, set(documents.values())):
        same[row.document_index or ""].add(row.code)
    alike = {code: same[documents[code]] | {code} if code in documents else {code} for code in people}
    homes: dict[str, set[str]] = defaultdict(set)
    everybody = {code for codes in alike.values() for code in codes}
    for home in read_rows(session, OccupantRow, None, OccupantRow.person_code, everybody):
        if home.role != "guest" and home.from_on <= day and (home.to_on is None or day <= home.to_on):
            homes[home.person_code].add(home.unit_code)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for code, unit in units.items():
        for occupant in unit.people_on(day):
            person = occupant.person.code
            others = {unit_code for other in alike[person] for unit_code in homes[other]} - {code}
            if others and occupant.role != "guest":
                found[code][person] = min(others)
            elif len(alike[person] & {o.person.code for o in unit.people_on(day)}) > 1:
                found[code][person] = code
    return found


def _seen(
    unit: Unit, uses: list[UseDay], nights: list[Night], devices: list[_Device], dark: set[str]
) -> UnitObservations:
    locks = [device for device in devices if device.kind in {"lock", "reader"}]
    placed = [device for device in unit.devices if device.kind in {"lock", "reader"}]
    gateways = {device.gateway_id for device in devices} | {device.gateway for device in unit.devices}
    last_use: dict[str, datetime] = {}
    for use in uses:
        if use.opens:
            last_use[use.ref] = max(use.last_at, last_use.get(use.ref, use.last_at))
    activity = [use.last_at for use in uses if use.opens]
    activity += [at for device in devices if (at := active_at(device.state)) is not None]
    return UnitObservations(
        uses=tuple(uses),
        last_use=last_use,
        nights=tuple(nights),
        last_activity_at=max(activity, default=None),
        has_lock=bool(locks or placed),
        lock_since=min((device.first_seen_at for device in locks), default=None),
        lock_seen_at=max((device.last_seen_at for device in locks), default=None),
        is_dark=bool(gateways & dark),
        watched_since=min((device.first_seen_at for device in devices if device.kind in _AT_DOOR), default=None),
    )
