"""From rows of text to the records of units: every fault is collected with its column."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from hub.registry.personal_data.identity import clean_document, clean_name, clean_phone, half_width
from hub.registry.sheets import cells
from hub.registry.sheets.columns import header_of, is_of_the_house
from hub.registry.sheets.reading import Table

T = TypeVar("T")


@dataclass(slots=True)
class Fault:
    """What is wrong in one cell (or, with `key` empty, in a row). `is_warning`: said, but the row is taken."""

    sheet: str
    row: int
    key: str
    what: str
    is_warning: bool = False


@dataclass(slots=True)
class Line:
    """One row, its cells as values. `start` is None where the table has no column for it.

    `tells_tenants`: the table has a column for them, so that an empty one means nobody. `is_owners`: its owner's home.
    """

    sheet: str
    row: int
    unit: str
    estate: str
    building: str
    entrance: str
    door: str
    room: str = ""
    room_type: str = "bedroom"
    area_m2: float | None = None
    area_basis: str = "unknown"
    let_as: str = "whole"
    landlord: str = ""
    landlord_phone: str = ""
    name: str = ""
    document_type: str = "id_card"
    document: str = ""
    born_on: date | None = None
    document_valid: bool | None = None
    phone: str = ""
    role: str = "tenant"
    is_family: bool = False
    hukou: str = ""
    start: date | None = None
    end: date | None = None
    registered: str | None = None
    registered_on: date | None = None
    contract_no: str = ""
    cards: tuple[str, ...] = ()
    tells_tenants: bool = True
    is_owners: bool = False


@dataclass(slots=True)
class Parsed:
    """A file's rows by unit, and what is wrong with them."""

    units: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    faults: list[Fault] = field(default_factory=list)
    rows: int = 0


class _Cells:
    """One row: gives values, and notes what is wrong."""

    def __init__(self, table: Table, number: int, row: dict[str, str], faults: list[Fault]) -> None:
        self._table = table
        self._number = number
        self._row = row
        self._faults = faults
        self.is_bad = False

    def text(self, key: str) -> str:
        return self._row.get(key, "")

    def value(self, key: str, parse: Callable[[str], T], default: T) -> T:
        try:
            return parse(self.text(key))
        except ValueError as error:
            self.fault(key, str(error))
            return default

    def fault(self, key: str, what: str, *, is_warning: bool = False) -> None:
        header = self._table.headers.get(key) or header_of(key)
        self._faults.append(Fault(self._table.sheet, self._number, header, what, is_warning))
        self.is_bad = self.is_bad or not is_warning


_OWNERS = frozenset({"业主", "房东", "产权人", "户主本人(业主)"})
_LET_AS = {
    "整租": "whole",
    "合租": "rooms",
    "分租": "rooms",
    "单间": "rooms",
    "床位": "rooms",
    "空置": "whole",
    "自住": "whole",
}


def parse_tables(tables: Iterable[Table], estate: str, today: date) -> Parsed:
    """Every row of every table. `estate` is the code in front of buildings."""
    parsed = Parsed()
    for table in tables:
        for number, row in table.rows:
            parsed.rows += 1
            found = _Cells(table, number, row, parsed.faults)
            line = _line(found, table, number, estate, today=today)
            if line is not None and line.name:
                _begin(found, line, parsed.units.get(line.unit, ()), table)
            if line is not None and not found.is_bad:
                parsed.units[line.unit].append(line)
    return parsed


def _begin(found: _Cells, line: Line, before: Sequence[Line], table: Table) -> None:
    """When the stay begins. A merged cell says it for the rows below: who shares the room came with the one above."""
    if line.start is None and not found.text("start"):
        above = next((other for other in reversed(before) if other.name and other.room == line.room), None)
        if above is not None and above.start is not None:
            line.start, line.end = above.start, line.end or above.end
        elif "start" not in table.headers:
            found.fault(
                "start", "表中无起租日，按导入日计 / the table has no start of leases: today is taken", is_warning=True
            )
    if line.start is None and "start" in table.headers and not found.is_bad:
        found.fault("start", "有租客但缺少起租日 / a tenant without the day on which the lease began")
    if line.start and line.end and line.end < line.start:
        found.fault("end", f"到租日早于起租日 / the lease ends before it begins ({line.start} → {line.end})")


def _line(found: _Cells, table: Table, number: int, estate: str, *, today: date) -> Line | None:
    place = _place(found)
    if place is None:
        return None
    code = found.text("code") or "-".join(part for part in (estate, place.building, place.entrance, place.door) if part)
    line = Line(table.sheet, number, code, found.text("estate"), place.building, place.entrance, place.door)
    line.room = half_width(found.text("room"))[:32]
    line.room_type = found.value("room_type", cells.to_room_type, "bedroom")
    line.area_m2 = found.value("area", cells.to_area, None)
    line.area_basis = found.value(
        "area_basis",
        lambda text: cells.to_choice(text, cells.AREA_BASES, "面积口径", table.basis or "unknown"),
        "unknown",
    )
    line.let_as = found.value("let_as", lambda text: cells.to_choice(text, _LET_AS, "出租方式", "whole"), "whole")
    if found.text("landlord"):
        line.landlord = found.value("landlord", clean_name, "")
        line.landlord_phone = found.value("landlord_phone", lambda t: clean_phone(t) if t else "", "")
    line.tells_tenants = "name" in table.headers
    if line.area_m2 is not None and line.room and is_of_the_house(table.headers.get("area", "")):
        line.area_m2 = None
    if half_width(found.text("kind")) in _OWNERS and found.text("name"):
        _owner(found, line)
    elif found.text("name"):
        _person(found, line, today)
    return line


def _owner(found: _Cells, line: Line) -> None:
    """The row is about the owner, who lets nothing by it."""
    line.is_owners = True
    line.landlord = found.value("name", clean_name, "")
    line.landlord_phone = found.value("phone", lambda text: clean_phone(text) if text else "", "")


def _place(found: _Cells) -> cells.Address | None:
    try:
        if found.text("door"):
            door = cells.to_place_number(found.text("door"), "室|号|房")
            if found.text("building") or not set(door) - set("0123456789"):
                building = cells.to_place_number(found.text("building"), "号楼|幢|栋|座|楼|#")
                return cells.Address(building, cells.to_place_number(found.text("entrance"), "单元|梯"), door)
            return cells.to_address(found.text("door"))
        if found.text("address"):
            return _address(found)
    except ValueError as error:
        found.fault("door" if found.text("door") else "address", str(error))
        return None
    if found.text("code"):
        return cells.Address()
    found.fault("door", "缺少房号 / the unit's number is missing")
    return None


def _address(found: _Cells) -> cells.Address:
    """`3幢2单元501室`; or the two halves of it in the columns of estate and door."""
    try:
        return cells.to_address(found.text("address"))
    except ValueError:
        whole = found.text("estate") + found.text("address")
        if whole == found.text("address"):
            raise
        return cells.to_address(whole)


def _person(found: _Cells, line: Line, today: date) -> None:
    line.name = found.value("name", clean_name, "")
    _document(found, line, today)
    if found.text("phone"):
        line.phone = found.value("phone", clean_phone, "")
    line.role, line.is_family = cells.to_relation(found.text("relation") or cells.to_kind(found.text("kind")))
    line.hukou = found.value("hukou", cells.to_region, "")
    line.start = found.value("start", cells.to_date, None)
    line.end = found.value("end", cells.to_date, None)
    line.registered = found.value("registered", cells.to_registered, None)
    line.registered_on = found.value("registered_on", cells.to_date, None)
    if line.registered == "filed" and line.registered_on is None:
        found.fault(
            "registered_on", "已登记但无日期，按起租日计 / no date of registration: taken as the start", is_warning=True
        )
    line.contract_no = half_width(found.text("contract_no"))[:64]
    line.cards = tuple(
        part.strip() for part in found.text("card").replace("；", ";").replace("、", ";").split(";") if part.strip()
    )


def _document(found: _Cells, line: Line, today: date) -> None:
    """The identity card, or where there is none the other document of tables that have a column for each."""
    is_other = not found.text("document") and bool(found.text("other_document"))
    key, type_key, usual = (
        ("other_document", "other_document_type", "other") if is_other else ("document", "document_type", "id_card")
    )
    line.document_type = found.value(
        type_key, lambda text: cells.to_choice(text, cells.DOCUMENT_TYPES, "证件类型", usual), usual
    )
    if found.text(key):
        document = found.value(key, lambda text: clean_document(line.document_type, text, today), None)
        if document is not None:
            line.document, line.born_on, line.document_valid = document.number, document.born_on, document.is_valid
    if line.born_on is None and found.text("born"):
        line.born_on = found.value("born", lambda text: cells.to_birth(text, today), None)
