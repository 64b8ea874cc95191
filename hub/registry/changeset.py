"""Brings wanted records into the registry: compares them with what is held, and writes versions in one transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import inspect, update
from sqlmodel import Session, col, select

from hub.domain.stored_event import Change
from hub.store.tables.ingest import Gateway
from hub.store.tables.registry import (
    DevicePlacementRow,
    GatewayPlacementRow,
    PersonRow,
    RegistryRevision,
    UnitRow,
    Versioned,
)

_NOT_COMPARED: Final = frozenset({"code", "known_from", "known_to", "entered_by"})
_CHUNK: Final = 500
_TOGETHER: Final = (
    ("phone_index", "phone_sealed", "phone_mask"),
    ("document_index", "document_sealed", "document_mask", "document_type", "document_valid", "born_on"),
    ("identity_verified_on", "identity_verified_by"),
    ("hukou_region",),
)
"""What of a person is blank or known together."""
_MOST_UNITS_NAMED: Final = 2000


@dataclass(frozen=True, slots=True)
class Where:
    """Where in a file a record stands: `sheet` and `column` for tables, `key` for YAML."""

    file: str = ""
    line: int = 0
    key: str = ""
    sheet: str = ""

    def text(self) -> str:
        """`file:12: units[0].door` or `file, 表 Sheet1, 行 12, 列 房号`."""
        if self.sheet:
            column = f", 列/column {self.key}" if self.key else ""
            return f"{self.file}, 表/sheet {self.sheet}, 行/row {self.line}{column}"
        return f"{self.file}:{self.line}: {self.key}" if self.key else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record as it is to be, and where that was written."""

    row: Versioned
    where: Where = Where()


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one record. `fields` are those that differ."""

    kind: Literal["add", "change", "same"]
    wanted: Wanted
    before: Versioned | None
    fields: tuple[str, ...] = ()


def current(session: Session, table: type[Versioned], codes: Iterable[str]) -> dict[str, Versioned]:
    """The records that are held for true now, of those codes."""
    found: dict[str, Versioned] = {}
    wanted = sorted(set(codes))
    for start in range(0, len(wanted), _CHUNK):
        query = select(table).where(col(table.known_to).is_(None), col(table.code).in_(wanted[start : start + _CHUNK]))
        found.update({row.code: row for row in session.exec(query)})
    return found


def columns_of(table: type[Versioned]) -> tuple[str, ...]:
    """The columns in which two versions may differ."""
    return tuple(column.key for column in inspect(table).columns if column.key not in _NOT_COMPARED)


def keep_known(session: Session, wanted: Iterable[Wanted]) -> None:
    """What a form or a row leaves out of somebody, and the registry has, stays: blank is not "no longer"."""
    people = [item.row for item in wanted if isinstance(item.row, PersonRow)]
    held = current(session, PersonRow, [row.code for row in people])
    for row in people:
        before = held.get(row.code)
        if isinstance(before, PersonRow):
            fill(row, before)


def fill(row: PersonRow, before: PersonRow) -> None:
    """Take from `before` what `row` does not say."""
    for names in _TOGETHER:
        if not getattr(row, names[0]):
            for name in names:
                setattr(row, name, getattr(before, name))


Held = dict[tuple[type[Versioned], str], Versioned]


def plan(session: Session, wanted: Sequence[Wanted]) -> list[Step]:
    """What would have to be done. The same code twice in `wanted`: the later one counts."""
    last = list({(type(item.row), item.row.code): item for item in wanted}.values())
    return compare(last, held_of(session, last))


def held_of(session: Session, wanted: Sequence[Wanted]) -> Held:
    """The versions that are held now of what is wanted, each table read once."""
    codes: dict[type[Versioned], list[str]] = defaultdict(list)
    for item in wanted:
        codes[type(item.row)].append(item.row.code)
    return {
        (table, code): row for table, names in codes.items() for code, row in current(session, table, names).items()
    }


def compare(wanted: Sequence[Wanted], held: Held) -> list[Step]:
    """What has to be done about each."""
    names = {table: columns_of(table) for table in {type(item.row) for item in wanted}}
    return [_step(item, held.get((type(item.row), item.row.code)), names[type(item.row)]) for item in wanted]


def _step(item: Wanted, before: Versioned | None, names: Sequence[str]) -> Step:
    if before is None:
        return Step("add", item, None)
    if isinstance(item.row, PersonRow) and isinstance(before, PersonRow):
        _keep_seals(item.row, before)
    fields = tuple(name for name in names if getattr(item.row, name) != getattr(before, name))
    return Step("change" if fields else "same", item, before, fields)


def _keep_seals(row: PersonRow, before: PersonRow) -> None:
    """Sealing twice gives two texts; equal indexes say that the value is the same."""
    for name in ("name", "phone", "document"):
        if getattr(row, f"{name}_index") == getattr(before, f"{name}_index"):
            setattr(row, f"{name}_sealed", getattr(before, f"{name}_sealed"))


def apply(session: Session, steps: Sequence[Step], now: datetime, by: str) -> list[Change]:
    """Write the versions, in the caller's transaction. Returns what open pages must hear of."""
    done = [step for step in steps if step.kind != "same"]
    if not done:
        return []
    fresh: list[Versioned] = []
    for step in done:
        row = step.wanted.row
        row.known_from, row.known_to, row.entered_by = now, None, by
        if step.before is not None:
            if step.before.known_from >= now:
                # Entered in the same instant, or the clock went back: never two versions that claim one time.
                row.known_from = step.before.known_from + timedelta(milliseconds=1)
            step.before.known_to = row.known_from
            session.add(step.before)
        fresh.append(row)
    # Closed before opened: at most one version of a thing may be current.
    session.flush()
    session.add_all(fresh)
    session.flush()
    place_gateways(session, fresh, now)
    return revise(session, touched_units(done), now, by)


def revise(session: Session, units: Collection[str] | None, now: datetime, by: str) -> list[Change]:
    """Note that records of these units (None: of any) have changed; what open pages must hear of."""
    named = ",".join(sorted(units)) if units is not None and len(units) <= _MOST_UNITS_NAMED else "*"
    session.add(RegistryRevision(at=now, entered_by=by, units=named))
    session.flush()
    changes = [Change("unit", code, "registry") for code in sorted(units or ()) if len(units or ()) <= 200]
    return changes or [Change("unit", "*", "registry")]


def touched_units(steps: Iterable[Step]) -> list[str] | None:
    """Codes of the units whose records these steps change; None when that cannot be narrowed down."""
    codes: set[str] = set()
    for step in steps:
        for row in (step.wanted.row, step.before):
            if row is None:
                continue
            if isinstance(row, UnitRow):
                codes.add(row.code)
            elif getattr(row, "unit_code", None):
                codes.add(row.unit_code)  # type: ignore[attr-defined]  # getattr above found it
            else:
                return None
    return sorted(codes)


def place_gateways(session: Session, rows: Iterable[Versioned], now: datetime) -> None:
    """A gateway that the registry places belongs to us: adopt it, and have it known before it first speaks."""
    for row in rows:
        if isinstance(row, GatewayPlacementRow):
            session.exec(update(Gateway).where(col(Gateway.id) == row.code).values(building_code=row.building_code))
            session.exec(
                update(Gateway)
                .where(col(Gateway.id) == row.code, col(Gateway.state) == "unadopted")
                .values(state="active")
            )
            if session.get(Gateway, row.code) is None:
                session.add(
                    Gateway(
                        id=row.code,
                        state="active",
                        building_code=row.building_code,
                        first_seen_at=now,
                        last_seen_at=now,
                    )
                )
        elif isinstance(row, DevicePlacementRow) and row.building_code is None and row.unit_code is not None:
            unit = current(session, UnitRow, [row.unit_code]).get(row.unit_code)
            row.building_code = unit.building_code if isinstance(unit, UnitRow) else None
