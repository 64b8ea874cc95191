"""The invented town of the pictures: buildings around the one that the pictures look at. Nobody in it exists."""

from datetime import date, timedelta
from typing import Any

_LET = {
    "990000-0003-2": (5, 17),
    "990000-0003-3": (6, 22),
    "990000-0003-5": (5, 9),
    "990000-0003-6": (6, 24),
    "990000-0004-11": (4, 12),
    "990000-0004-12": (4, 16),
    "990000-0004-15": (7, 20),
}
"""Floors of four flats, and how many of these are let."""
_ESTATES = {"990000-0003": "示范小区", "990000-0004": "示范花园"}
GATEWAYS = {code: f"gw-town-{n:02d}" for n, code in enumerate(_LET, 1)}


def neighbours(today: date, surnames: str) -> dict[str, list[dict[str, Any]]]:
    """Parts of a registry: the second estate, the buildings, their people and units."""
    people, units = [], []
    for building, (floors, let) in _LET.items():
        for n in range(floors * 4):
            door = f"{n // 4 + 1}0{n % 4 + 1}"
            unit: dict[str, Any] = {
                "code": f"{building}-{door}",
                "building": building,
                "floor": n // 4 + 1,
                "door": door,
            }
            unit["rooms"] = [{"name": "主卧", "type": "bedroom", "area_m2": 15, "basis": "usable"}]
            unit["devices"] = [
                {"gateway": GATEWAYS[building], "device": f"smoke-{door}", "kind": "smoke", "placement": "room"}
            ]
            if n < let:
                person = f"p-{building}-{door}"
                people.append({"code": person, "name": f"{surnames[n % len(surnames)]}某"})
                start, ends = today - timedelta(days=99), today + timedelta(days=9 if n % 7 == 3 else 300)
                stay = {"person": person, "role": "tenant", "registered_on": start + timedelta(days=1)}
                lease = {"code": f"lease-{building}-{door}", "start": start, "end": ends, "tenant": person}
                unit["leases"] = [{**lease, "occupants": [stay]}]
            else:
                unit["vacant"] = True
            units.append(unit)
    buildings = [
        {
            "code": code,
            "name": f"{_ESTATES[code[:11]]}{code[12:]}幢",
            "scope": code[:11],
            "gateways": [GATEWAYS[code]],
        }
        for code in _LET
    ]
    scopes = [{"code": "990000-0004", "kind": "estate", "name": "示范花园", "parent": "picture"}]
    return {"scopes": scopes, "buildings": buildings, "people": people, "units": units}
