"""Whether records fit each other: what they name exists, terms begin before they end, leases do not overlap."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from sqlmodel import Session, col, select

from hub.registry.changeset import Wanted, Where, current
from hub.store.tables.registry import (
    BookingRow,
    BuildingRow,
    CredentialRow,
    DevicePlacementRow,
    GatewayPlacementRow,
    HelpServiceRow,
    LeaseRow,
    OccupantRow,
    PersonRow,
    RegistrationRow,
    RoomRow,
    ScopeRow,
    UnitRow,
    Versioned,
    WelfareRow,
)

Fault = tuple[Where, str]
_NAMES: dict[type[Versioned], tuple[tuple[str, type[Versioned]], ...]] = {
    ScopeRow: (("parent_code", ScopeRow),),
    BuildingRow: (("scope_code", ScopeRow),),
    UnitRow: (("building_code", BuildingRow), ("owner_code", PersonRow)),
    RoomRow: (("unit_code", UnitRow),),
    LeaseRow: (
        ("unit_code", UnitRow),
        ("room_code", RoomRow),
        ("lessor_code", PersonRow),
        ("tenant_code", PersonRow),
        ("parent_lease_code", LeaseRow),
    ),
    OccupantRow: (("unit_code", UnitRow), ("room_code", RoomRow), ("lease_code", LeaseRow), ("person_code", PersonRow)),
    RegistrationRow: (("unit_code", UnitRow), ("person_code", PersonRow), ("lease_code", LeaseRow)),
    CredentialRow: (("unit_code", UnitRow), ("person_code", PersonRow), ("lease_code", LeaseRow)),
    BookingRow: (("unit_code", UnitRow),),
    WelfareRow: (("code", UnitRow),),
    HelpServiceRow: (("code", UnitRow),),
    DevicePlacementRow: (("building_code", BuildingRow), ("unit_code", UnitRow), ("room_code", RoomRow)),
    GatewayPlacementRow: (("building_code", BuildingRow),),
}
_WORDS: dict[type[Versioned], str] = {
    ScopeRow: "范围/scope",
    BuildingRow: "楼栋/building",
    UnitRow: "房屋/unit",
    RoomRow: "房间/room",
    LeaseRow: "租约/lease",
    PersonRow: "人员/person",
}


Coming = Mapping[type[Versioned], Collection[str]]


def faults_of(session: Session, wanted: Sequence[Wanted], coming: Coming | None = None) -> list[Fault]:
    """Everything that does not fit, in the order of the file. `coming`: codes that will be there by then as well."""
    return [*_missing(session, wanted, coming or {}), *_terms(wanted), *_overlaps(session, wanted)]


def _missing(session: Session, wanted: Sequence[Wanted], coming: Coming) -> Iterable[Fault]:
    have: dict[type[Versioned], set[str]] = defaultdict(set)
    for table, codes in coming.items():
        have[table] |= set(codes)
    needed: dict[type[Versioned], set[str]] = defaultdict(set)
    for item in wanted:
        have[type(item.row)].add(item.row.code)
    for item in wanted:
        for name, table in _NAMES.get(type(item.row), ()):
            code = getattr(item.row, name)
            if code is not None and code not in have[table]:
                needed[table].add(code)
    for table, absent in needed.items():
        have[table] |= current(session, table, absent).keys()
    for item in wanted:
        for name, table in _NAMES.get(type(item.row), ()):
            code = getattr(item.row, name)
            if code is not None and code not in have[table]:
                what = _WORDS[table]
                yield item.where, f"{what} {code!r} 不存在 / does not exist; 先登记或改正编码 add it or mend the code"


def _terms(wanted: Sequence[Wanted]) -> Iterable[Fault]:
    for item in wanted:
        row = item.row
        pairs: tuple[tuple[object, object, str], ...] = ()
        if isinstance(row, LeaseRow):
            pairs = ((row.start_on, row.end_on, "租约 lease"), (row.start_on, row.ended_on, "租约 lease"))
        elif isinstance(row, OccupantRow):
            pairs = ((row.from_on, row.to_on, "居住 stay"), (row.from_on, row.guest_until, "访客 guest"))
        elif isinstance(row, CredentialRow):
            pairs = ((row.valid_from, row.valid_to, "凭证 credential"),)
        elif isinstance(row, BookingRow):
            pairs = ((row.from_at, row.to_at, "预约 booking"),)
        for begins, ends, what in pairs:
            if begins is not None and ends is not None and ends < begins:  # type: ignore[operator]  # both of one kind
                yield (
                    item.where,
                    f"{what}: 结束早于开始 / ends before it begins ({begins} → {ends}); 改正日期 mend the dates",
                )


def _overlaps(session: Session, wanted: Sequence[Wanted]) -> Iterable[Fault]:
    leases = {item.row.code: item for item in wanted if isinstance(item.row, LeaseRow)}
    units = sorted({item.row.unit_code for item in leases.values() if isinstance(item.row, LeaseRow)})
    by_unit: dict[str, list[LeaseRow]] = defaultdict(list)
    for start in range(0, len(units), 500):
        query = select(LeaseRow).where(
            col(LeaseRow.known_to).is_(None), col(LeaseRow.unit_code).in_(units[start : start + 500])
        )
        for held in session.exec(query):
            if held.code not in leases:
                by_unit[held.unit_code].append(held)
    for item in leases.values():
        row = item.row
        assert isinstance(row, LeaseRow)
        for other in by_unit[row.unit_code]:
            if _conflict(row, other):
                term = f"{other.start_on} → {other.end_on or '不定期'}"
                yield (
                    item.where,
                    (
                        f"与租约 {other.code}（{term}）重叠 / overlaps with lease {other.code}; "
                        "先录入其终止日期 enter when that one ended, or give the room"
                    ),
                )
        by_unit[row.unit_code].append(row)


def _conflict(a: LeaseRow, b: LeaseRow) -> bool:
    if a.parent_lease_code is not None or b.parent_lease_code is not None:
        return False
    if a.room_code is not None and b.room_code is not None and a.room_code != b.room_code:
        return False
    return a.start_on <= _last(b) and b.start_on <= _last(a)


def _last(lease: LeaseRow) -> date:
    ends = [end for end in (lease.end_on, lease.ended_on) if end is not None]
    return min(ends, default=date.max)
