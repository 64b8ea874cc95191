"""What a table does not tell of a record stays as the registry has it: a file never undoes what was entered by hand."""

from typing import Any, Final

from hub.registry.changeset import Held, Wanted, fill
from hub.store.tables.registry import (
    CredentialRow,
    LeaseRow,
    OccupantRow,
    PersonRow,
    RegistrationRow,
    RoomRow,
    UnitRow,
    Versioned,
)

_NEVER_TOLD: Final[dict[type[Versioned], tuple[str, ...]]] = {
    UnitRow: ("counting_opt_out", "grid_worker"),
    LeaseRow: ("ended_on", "objected_on", "renewal_talks_on", "parent_lease_code", "sublease_consent"),
    OccupantRow: ("to_on",),
    CredentialRow: ("kind", "purpose", "valid_from", "valid_to", "revoked_at"),
    RegistrationRow: ("verified_by",),
    PersonRow: ("identity_verified_on", "identity_verified_by"),
}
"""Fields for which a table has no column."""
_KEPT_WHERE_BLANK: Final[dict[type[Versioned], tuple[str, ...]]] = {
    UnitRow: ("owner_code", "floor", "entrance", "door"),
    LeaseRow: ("lessor_code",),
    RoomRow: ("area_m2",),
    OccupantRow: ("room_code", "family_group"),
    RegistrationRow: ("number",),
}
"""Fields that a row may leave blank without meaning that there is nothing."""


def keep_unsaid(wanted: list[Wanted], held: Held) -> None:
    """Fill the rows of `wanted` from the versions that are held."""
    fresh_leases = {
        item.row.unit_code
        for item in wanted
        if isinstance(item.row, LeaseRow) and (LeaseRow, item.row.code) not in held
    }
    for item in wanted:
        row, before = item.row, held.get((type(item.row), item.row.code))
        if before is None:
            continue
        for name in _NEVER_TOLD.get(type(row), ()):
            setattr(row, name, getattr(before, name))
        for name in _KEPT_WHERE_BLANK.get(type(row), ()):
            if _is_blank(getattr(row, name)):
                setattr(row, name, getattr(before, name))
        if isinstance(row, PersonRow) and isinstance(before, PersonRow):
            fill(row, before)
        if isinstance(row, RoomRow) and isinstance(before, RoomRow) and row.area_basis == "unknown":
            row.area_basis = before.area_basis
        if isinstance(row, UnitRow) and isinstance(before, UnitRow) and row.code not in fresh_leases:
            # Only a new tenancy, or a check-out, says anything new of whether somebody lives here.
            row.is_vacant = before.is_vacant


def _is_blank(value: Any) -> bool:
    return value is None or value == ""
