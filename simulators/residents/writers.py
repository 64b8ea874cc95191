"""Writes the registry of a run: the spreadsheet that a manager would have, and the seed with all it has no room for."""

import json
from datetime import date
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook

from simulators.residents.registry import OccupantEntry, UnitEntry
from simulators.residents.site import ESTATE, Building, building_code

HEADERS: Final = (
    "楼栋",
    "单元",
    "房号",
    "房间",
    "房型",
    "面积㎡",
    "面积口径",
    "出租方式",
    "房东姓名",
    "房东电话",
    "租客姓名",
    "证件类型",
    "证件号码",
    "手机号",
    "与承租人关系",
    "户籍县区代码",
    "起租日",
    "到租日",
    "居住登记状态",
    "登记日期",
    "租赁备案号",
    "门禁凭证号",
    "备注",
)
"""The canonical template (domain, section 5)."""

_ROOM_TYPES: Final = {"bedroom": "居室", "kitchen": "厨房", "balcony": "阳台"}


def write_spreadsheet(path: Path, units: list[UnitEntry]) -> None:
    """`registry.xlsx`: one row per occupant; a room in which nobody lives has a row of its own."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("房屋租赁台账")
    sheet.append(HEADERS)
    for unit in units:
        for row in _rows(unit):
            sheet.append([row.get(header) for header in HEADERS])
    book.save(path)


def _rows(unit: UnitEntry) -> list[dict[str, str | float | None]]:
    rows: list[dict[str, str | float | None]] = []
    for room in unit.rooms:
        place: dict[str, str | float | None] = {
            "楼栋": f"{unit.building}幢",
            "单元": unit.entrance,
            "房号": unit.door,
            "房间": room.name,
            "房型": _ROOM_TYPES[room.kind],
            "面积㎡": room.area_m2,
            "面积口径": "使用面积",
            "出租方式": "整租" if unit.let_as == "whole" else "合租",
            "房东姓名": unit.landlord.name,
            "房东电话": unit.landlord.phone,
        }
        people = [o for o in unit.lease.occupants if o.room == room.name] if unit.lease else []
        rows += [place | _tenancy(unit, occupant) for occupant in people]
        if not people:
            rows.append(place | {"备注": "空置" if unit.is_vacant else None})
    return rows


def _tenancy(unit: UnitEntry, occupant: OccupantEntry) -> dict[str, str | float | None]:
    lease = unit.lease
    if lease is None:
        return {}
    return {
        "租客姓名": occupant.person.name,
        "证件类型": "身份证",
        "证件号码": occupant.person.document,
        "手机号": occupant.person.phone,
        "与承租人关系": occupant.relation,
        "户籍县区代码": occupant.person.hukou,
        "起租日": _text(lease.start),
        "到租日": _text(lease.end) if lease.end else "不定期",
        "居住登记状态": "已登记" if occupant.registered_on else "未登记",
        "登记日期": _text(occupant.registered_on),
        "租赁备案号": lease.contract_no or None,
        "门禁凭证号": occupant.card or None,
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def write_seed(
    path: Path, buildings: list[Building], units: list[UnitEntry], devices: dict[str, list[dict[str, Any]]]
) -> None:
    """`site.yaml`, in the hub's seed format, as JSON (which is YAML): the whole registry and where every device is."""
    people: dict[str, Any] = {}
    for unit in units:
        named = [unit.landlord, *(guest.person for guest in unit.guests)]
        named += [card.person for card in unit.cards if card.person]
        named += [occupant.person for occupant in unit.lease.occupants] if unit.lease else []
        people |= {person.code: person for person in named}
    seed = {
        "registry": 1,
        "scopes": [{"code": ESTATE, "kind": "estate", "name": "模拟小区"}],
        "buildings": [
            {
                "code": building.code,
                "scope": ESTATE,
                "name": f"{building.number}幢",
                "jurisdiction": building.jurisdiction,
                "land_type": building.land_type,
                "has_manager": building.has_manager,
                "keeps_register": building.has_manager,
                "gateways": [building.gateway],
            }
            for building in buildings
        ],
        "people": [
            {
                "code": person.code,
                "name": person.name,
                "phone": person.phone,
                "document": {"number": person.document},
                "hukou": person.hukou,
                "born": person.born.isoformat(),
            }
            for person in people.values()
        ],
        "units": [_unit_seed(unit, devices.get(unit.code, [])) for unit in units],
    }
    path.write_text(json.dumps(seed, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _unit_seed(unit: UnitEntry, devices: list[dict[str, Any]]) -> dict[str, Any]:
    seed: dict[str, Any] = {
        "code": unit.code,
        "building": building_code(unit.building),
        "entrance": unit.entrance,
        "floor": unit.floor,
        "door": unit.door,
        "let_as": unit.let_as,
        "vacant": unit.is_vacant,
        "owner": unit.landlord.code,
        "house_registered_on": "2024-01-08",
        "rooms": [
            {
                "code": f"{unit.code}:{room.name}",
                "name": room.name,
                "type": room.kind,
                "area_m2": room.area_m2,
                "basis": "usable",
            }
            for room in unit.rooms
        ],
        "devices": devices,
        "bookings": [
            {"purpose": b.purpose, "from": b.from_at.isoformat(), "to": b.to_at.isoformat()} for b in unit.bookings
        ],
        "guests": [
            {
                "person": g.person.code,
                "role": "guest",
                "from": g.from_on.isoformat(),
                "guest_until": g.guest_until.isoformat(),
            }
            for g in unit.guests
        ],
        "credentials": [
            _plain(
                {
                    "card": card.number,
                    "purpose": card.purpose,
                    "person": card.person.code if card.person else None,
                    "valid_from": card.valid_from.isoformat() if card.valid_from else None,
                    "valid_to": card.valid_to.isoformat() if card.valid_to else None,
                }
            )
            for card in unit.cards
        ],
    }
    if unit.watches_elder:
        seed["welfare"] = {"consent": f"consent-{unit.code}"}
    if unit.lease is not None:
        lease = unit.lease
        seed["leases"] = [
            _plain(
                {
                    "code": lease.code,
                    "start": lease.start.isoformat(),
                    "end": _text(lease.end),
                    "ended_on": _text(lease.ended_on),
                    "tenant": lease.occupants[0].person.code,
                    "lessor": unit.landlord.code,
                    "contract_no": lease.contract_no or None,
                    "contract_filed_on": _text(lease.filed_on),
                    "termination_reported_on": _text(lease.termination_reported_on),
                    "occupants": [
                        _plain(
                            {
                                "person": o.person.code,
                                "role": o.role,
                                "room": f"{unit.code}:{o.room}",
                                "from": lease.start.isoformat(),
                                "family": o.family or None,
                                "registered_on": _text(o.registered_on),
                            }
                        )
                        for o in lease.occupants
                    ],
                }
            )
        ]
        seed["credentials"] += [
            {"card": o.card, "person": o.person.code, "lease": lease.code} for o in lease.occupants if o.card
        ]
    return seed


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
