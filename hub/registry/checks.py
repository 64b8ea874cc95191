"""Whether records fit each other: what they name exists, terms begin before they end, leases do not overlap."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from sqlmodel import Session, col, select

from hub.registry.changeset import Wanted, Where, current
from hub.store.tables.registry import (
    Booking,
    Building,
    Credential,
    DevicePlacement,
    GatewayPlacement,
    HelpService,
    Lease,
    Occupant,
    Person,
    Registration,
    Room,
    Scope,
    Unit,
    Versioned,
    Welfare,
)

Fault = tuple[Where, str]
_NAMES: dict[type[Versioned], tuple[tuple[str, type[Versioned]], ...]] = {
    Scope: (("parent_code", Scope),),
    Building: (("scope_code", Scope),),
    Unit: (("building_code", Building), ("owner_code", Person)),
    Room: (("unit_code", Unit),),
    Lease: (
        ("unit_code", Unit),
        ("room_code", Room),
        ("lessor_code", Person),
        ("tenant_code", Person),
        ("parent_lease_code", Lease),
    ),
    Occupant: (("unit_code", Unit), ("room_code", Room), ("lease_code", Lease), ("person_code", Person)),
    Registration: (("unit_code", Unit), ("person_code", Person), ("lease_code", Lease)),
    Credential: (("unit_code", Unit), ("person_code", Person), ("lease_code", Lease)),
    Booking: (("unit_code", Unit),),
    Welfare: (("code", Unit),),
    HelpService: (("code", Unit),),
    DevicePlacement: (("building_code", Building), ("unit_code", Unit), ("room_code", Room)),
    GatewayPlacement: (("building_code", Building),),
}
_WORDS: dict[type[Versioned], str] = {
    Scope: "范围/scope",
    Building: "楼栋/building",
    Unit: "房屋/unit",
    Room: "房间/room",
    Lease: "租约/lease",
    Person: "人员/person",
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
        if isinstance(row, Lease):
            pairs = ((row.start_on, row.end_on, "租约 lease"), (row.start_on, row.ended_on, "租约 lease"))
        elif isinstance(row, Occupant):
            pairs = ((row.from_on, row.to_on, "居住 stay"), (row.from_on, row.guest_until, "访客 guest"))
        elif isinstance(row, Credential):
            pairs = ((row.valid_from, row.valid_to, "凭证 credential"),)
        elif isinstance(row, Booking):
            pairs = ((row.from_at, row.to_at, "预约 booking"),)
        for begins, ends, what in pairs:
            if begins is not None and ends is not None and ends < begins:  # type: ignore[operator]  # both of one kind
                yield (
                    item.where,
                    f"{what}: 结束早于开始 / ends before it begins ({begins} → {ends}); 改正日期 mend the dates",
                )


def _overlaps(session: Session, wanted: Sequence[Wanted]) -> Iterable[Fault]:
    leases = {item.row.code: item for item in wanted if isinstance(item.row, Lease)}
    units = sorted({item.row.unit_code for item in leases.values() if isinstance(item.row, Lease)})
    by_unit: dict[str, list[Lease]] = defaultdict(list)
    for start in range(0, len(units), 500):
        query = select(Lease).where(col(Lease.known_to).is_(None), col(Lease.unit_code).in_(units[start : start + 500]))
        for held in session.exec(query):
            if held.code not in leases:
                by_unit[held.unit_code].append(held)
    for item in leases.values():
        row = item.row
        assert isinstance(row, Lease)
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


def _conflict(a: Lease, b: Lease) -> bool:
    if a.parent_lease_code is not None or b.parent_lease_code is not None:
        return False
    if a.room_code is not None and b.room_code is not None and a.room_code != b.room_code:
        return False
    return a.start_on <= _last(b) and b.start_on <= _last(a)


def _last(lease: Lease) -> date:
    ends = [end for end in (lease.end_on, lease.ended_on) if end is not None]
    return min(ends, default=date.max)
