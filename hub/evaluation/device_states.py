"""The state of devices between events, as one transaction sees it: read where touched, written where changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Select, bindparam, insert, select, update
from sqlmodel import Session

from hub.domain.device_location import Place
from hub.domain.observations import DeviceState
from hub.store.tables.alerts import DeviceWatch

_decoder = msgspec.json.Decoder(DeviceState)
_encoder = msgspec.json.Encoder()
_CHUNK: Final = 400
_WRITE_AFTER: Final = timedelta(seconds=60)
"""A device that only says that it is there is written this often."""
_TABLE = DeviceWatch.__table__  # type: ignore[attr-defined]  # SQLModel adds it

_COLUMNS = (
    _TABLE.c.key, _TABLE.c.gateway_id, _TABLE.c.device, _TABLE.c.unit_code, _TABLE.c.building_code, _TABLE.c.kind,
    _TABLE.c.in_alarm, _TABLE.c.first_seen_at, _TABLE.c.last_seen_at, _TABLE.c.last_event_id, _TABLE.c.check_at,
    _TABLE.c.state,
)  # fmt: skip
"""In the order of `Watched`: by place and not by name, for there are many rows."""


@dataclass(slots=True)
class Watched:
    """One device: its state, and what must be written of it."""

    key: str
    gateway: str
    device: str
    unit: str | None
    building: str | None
    kind: str
    in_alarm: bool
    first_seen_at: datetime
    last_seen_at: datetime
    last_event_id: int
    check_at: datetime | None
    seen: DeviceState
    is_new: bool = False
    is_changed: bool = False
    written_at: datetime | None = None


class WatchTable:
    """Rows of `device_watch` for one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[str, Watched] = {}

    def load(self, keys: Iterable[str]) -> None:
        """Read these devices, as far as they are known."""
        missing = sorted(key for key in keys if key not in self._rows)
        for start in range(0, len(missing), _CHUNK):
            self._read(select(*_COLUMNS).where(_TABLE.c.key.in_(missing[start : start + _CHUNK])))

    def load_due(self, now: datetime, limit: int) -> list[Watched]:
        """Devices at which time alone may have made a rule true."""
        return self._read(select(*_COLUMNS).where(_TABLE.c.check_at <= now).order_by(_TABLE.c.check_at).limit(limit))

    def load_gateways(self, gateways: Iterable[str]) -> list[Watched]:
        """Every device of these gateways."""
        return self._read(select(*_COLUMNS).where(_TABLE.c.gateway_id.in_(sorted(gateways))))

    def _read(self, query: Select[Any]) -> list[Watched]:
        found: list[Watched] = []
        for (
            key,
            gateway,
            device,
            unit,
            building,
            kind,
            in_alarm,
            first_at,
            last_at,
            last_id,
            check_at,
            state,
        ) in self._session.connection().execute(query):
            held = self._rows.get(key)
            if held is None:
                held = self._rows[key] = Watched(
                    key, gateway, device, unit, building, kind, in_alarm, first_at, last_at, last_id, check_at,
                    _decoder.decode(state), written_at=last_at,
                )  # fmt: skip
            found.append(held)
        return found

    def get(self, place: Place, at: datetime, event_id: int) -> Watched:
        """The device's row, made if this is the first that is heard of it. `load` must have been called for it."""
        held = self._rows.get(place.key)
        if held is None:
            held = self._rows[place.key] = Watched(
                place.key,
                place.gateway,
                place.device,
                place.unit,
                place.building_code,
                place.kind or "other",
                in_alarm=False,
                first_seen_at=at,
                last_seen_at=at,
                last_event_id=event_id,
                check_at=None,
                seen=DeviceState(),
                is_new=True,
            )
        kind = place.kind or held.kind
        if (held.unit, held.building, held.kind) != (place.unit, place.building_code, kind):
            held.unit, held.building, held.kind, held.is_changed = place.unit, place.building_code, kind, True
        return held

    def others_in_alarm(self, place: Place) -> int:
        """How many other smoke detectors of the building alarm now."""
        if place.building_code is None:
            return 0
        query = select(_TABLE.c.key).where(
            _TABLE.c.building_code == place.building_code, _TABLE.c.kind == "smoke", _TABLE.c.in_alarm.is_(True)
        )
        stored = {row.key for row in self._session.connection().execute(query)}
        here = {
            held.key: held.in_alarm
            for held in self._rows.values()
            if held.building == place.building_code and held.kind == "smoke"
        }
        alarmed = {key for key in stored if here.get(key, True)} | {key for key, alarm in here.items() if alarm}
        return len(alarmed - {place.key})

    def flush(self) -> None:
        """Write what changed."""
        fresh = [held for held in self._rows.values() if held.is_new]
        changed = [held for held in self._rows.values() if not held.is_new and _is_due(held)]
        connection = self._session.connection()
        if fresh:
            connection.execute(
                insert(_TABLE),
                [
                    {"key": held.key, "gateway_id": held.gateway, "device": held.device}
                    | {"first_seen_at": held.first_seen_at}
                    | _values(held)
                    for held in fresh
                ],
            )
        if changed:
            statement = update(_TABLE).where(_TABLE.c.key == bindparam("the_key"))
            connection.execute(statement, [{"the_key": held.key} | _values(held) for held in changed])
        for held in (*fresh, *changed):
            held.is_new = held.is_changed = False
            held.written_at = held.last_seen_at


def _is_due(held: Watched) -> bool:
    return held.is_changed or held.written_at is None or held.last_seen_at - held.written_at >= _WRITE_AFTER


def _values(held: Watched) -> dict[str, object]:
    return {
        "unit_code": held.unit,
        "building_code": held.building,
        "kind": held.kind,
        "in_alarm": held.in_alarm,
        "last_seen_at": held.last_seen_at,
        "last_event_id": held.last_event_id,
        "check_at": held.check_at,
        "state": _encoder.encode(held.seen).decode(),
    }


def forget_checks(session: Session, now: datetime) -> None:
    """Have every device looked at again: the registry or a policy has changed."""
    session.connection().execute(update(_TABLE).values(check_at=now))
