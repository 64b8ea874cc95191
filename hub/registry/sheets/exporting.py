"""The registry as rows of the canonical template: people as masks, or opened for somebody who may, with a reason."""

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from hub.domain.entities import Lease, Occupant, Room, Unit
from hub.domain.local_time import local_day
from hub.domain.scopes import is_within_any
from hub.registry.personal_data.vault import Vault
from hub.registry.sheets.cells import AREA_BASES, DOCUMENT_TYPES, ROOM_TYPES
from hub.registry.sheets.columns import TEMPLATE
from hub.registry.snapshot import RegistrySnapshot, read_rows
from hub.store.tables.registry import PersonRow, UnitRow

_ROOMS = {kind: word for word, kind in reversed(ROOM_TYPES.items())}
_BASES = {kind: word for word, kind in reversed(AREA_BASES.items())} | {"unknown": ""}
_DOCUMENTS = {kind: word for word, kind in reversed(DOCUMENT_TYPES.items())}
_ROLES = {"tenant": "本人", "co_occupant": "同住人", "guest": "访客"}


def export_rows(
    session: Session, now: datetime, *, scopes: tuple[str, ...] = (), vault: Vault | None = None
) -> Iterator[list[str]]:
    """Rows under `TEMPLATE`, one for each person and each room without. `vault`: open names, phones and numbers."""
    registry = RegistrySnapshot()
    registry.refresh(session)
    rows = {row.code: row for row in read_rows(session, UnitRow, None)}
    codes = [code for code in rows if not scopes or is_within_any((code,), scopes)]
    for start in range(0, len(codes), 500):
        units = registry.units(session, codes[start : start + 500])
        people = {o.person.code for unit in units.values() for o in unit.occupants}
        people |= {rows[code].owner_code or "" for code in units}
        persons = {row.code: row for row in read_rows(session, PersonRow, None, PersonRow.code, people)}
        for code, unit in units.items():
            owner = persons.get(rows[code].owner_code or "")
            for cells in _unit_rows(unit, owner, persons, now, vault):
                yield [cells.get(header, "") for header in TEMPLATE]
        session.expunge_all()


def _unit_rows(
    unit: Unit, owner: PersonRow | None, persons: dict[str, PersonRow], now: datetime, vault: Vault | None
) -> Iterator[dict[str, str]]:
    building = unit.building.code.rpartition("-")[2]
    place = {
        "楼栋": f"{building}幢",
        "单元": unit.entrance,
        "房号": unit.door,
        "出租方式": "合租" if unit.let_as == "rooms" else "整租",
        "房东姓名": _words(owner, "name", vault),
        "房东电话": _words(owner, "phone", vault),
    }
    rooms = {room.code: room for room in unit.rooms}
    people = unit.people_on(local_day(now))
    lived_in = {occupant.room_code for occupant in people}
    for occupant in people:
        person = persons.get(occupant.person.code)
        yield place | _room(rooms.get(occupant.room_code or "")) | _tenancy(unit, occupant, person, vault)
    for room in unit.rooms:
        if room.code not in lived_in:
            yield place | _room(room)
    if not people and not unit.rooms:
        yield place


def _room(room: Room | None) -> dict[str, str]:
    if room is None:
        return {}
    area = "" if room.area_m2 is None else f"{room.area_m2:g}"
    return {
        "房间": room.name,
        "房型": _ROOMS.get(room.room_type, ""),
        "面积㎡": area,
        "面积口径": _BASES[room.area_basis],
    }


def _tenancy(unit: Unit, occupant: Occupant, person: PersonRow | None, vault: Vault | None) -> dict[str, str]:
    lease: Lease | None = next((found for found in unit.leases if found.code == occupant.lease_code), None)
    filed = next(
        (r for r in unit.registrations if r.kind == "residence" and r.person_code == occupant.person.code), None
    )
    registered = {None: "未登记", "exempt": "无需登记"}.get(filed.status if filed else None, "已登记")
    return {
        "租客姓名": _words(person, "name", vault),
        "证件类型": _DOCUMENTS.get(person.document_type, "") if person else "",
        "证件号码": _words(person, "document", vault),
        "手机号": _words(person, "phone", vault),
        "与承租人关系": _ROLES.get(occupant.role, ""),
        "户籍县区代码": person.hukou_region if person else "",
        "起租日": (lease.start_on if lease else occupant.from_on).isoformat(),
        "到租日": lease.end_on.isoformat() if lease and lease.end_on else "不定期",
        "居住登记状态": registered,
        "登记日期": filed.filed_on.isoformat() if filed else "",
        "备注": "",
    }


def _words(person: PersonRow | None, field: str, vault: Vault | None) -> str:
    if person is None:
        return ""
    sealed = getattr(person, f"{field}_sealed")
    if vault is not None and sealed is not None:
        return vault.open(field, sealed)
    return str(getattr(person, f"{field}_mask"))
