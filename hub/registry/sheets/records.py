"""From the lines of one unit to records of the registry."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from hub.registry.changeset import Wanted, Where
from hub.registry.personal_data.identity import Document
from hub.registry.personal_data.person_record import PersonWords, person_row
from hub.registry.personal_data.vault import Vault
from hub.registry.sheets.known import KnownPeople
from hub.registry.sheets.rows import Fault, Line
from hub.registry.yaml_import.seed_rows import NOT_YET, card_ref, occupant_code, room_code
from hub.store.tables.registry import (
    BuildingRow,
    CredentialRow,
    LeaseRow,
    OccupantRow,
    PersonRow,
    RegistrationRow,
    RoomRow,
    ScopeRow,
    UnitRow,
    Versioned,
)


@dataclass(slots=True)
class Making:
    """What lines are turned into, and by which keys. `known` finds the code under which somebody is already held.

    `words`: what the whole file says of each person. `stays`: since when the registry has (unit, person) living there.
    `cards`: who holds each card by this file, and in which row that stands. `coming`: codes of what stands for several
    units, and was wanted before.
    """

    file: str
    estate: str
    jurisdiction: str
    vault: Vault
    organisation_key: bytes
    today: date
    known: KnownPeople
    words: dict[str, PersonWords] = field(default_factory=dict)
    stays: dict[tuple[str, str], date] = field(default_factory=dict)
    cards: dict[str, tuple[str, int]] = field(default_factory=dict)
    coming: dict[type[Versioned], set[str]] = field(
        default_factory=lambda: {ScopeRow: set(), BuildingRow: set(), PersonRow: set()}
    )
    wanted: list[Wanted] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add(self, row: Versioned, line: Line, column: str = "") -> None:
        """One more record, from that line; `column` is the one to look at when it does not fit."""
        self.wanted.append(Wanted(row, Where(self.file, line.row, column, line.sheet)))

    def person(self, code: str, line: Line) -> None:
        """Somebody's record, once: with all that the file says of them."""
        words = self.words.pop(code, None)
        if words is not None:
            self.add(person_row(words, self.vault, self.today), line)

    def learn(self, lines: Sequence[Line]) -> None:
        """Gather what all rows say of each person; a later row fills and mends what an earlier one says."""
        for line in lines:
            if line.landlord:
                self._note(PersonWords(landlord_code(line, self), line.landlord, line.landlord_phone or None))
            if line.name:
                document = (
                    Document(line.document_type, line.document, line.document_valid, line.born_on)
                    if line.document
                    else None
                )
                code = self.known.code(self.vault, line.name, line.phone, line.document, line.unit)
                born_on = None if document else line.born_on
                self._note(PersonWords(code, line.name, line.phone or None, document, line.hukou, born_on))

    def _note(self, words: PersonWords) -> None:
        held = self.words.get(words.code)
        self.words[words.code] = (
            words
            if held is None
            else replace(
                words,
                phone=words.phone or held.phone,
                document=words.document or held.document,
                hukou=words.hukou or held.hukou,
                born_on=words.born_on or held.born_on,
            )
        )


WHOLE: Final = "全套"
"""The room that stands for all of a unit whose rooms the table does not tell apart."""


def unit_records(code: str, lines: Sequence[Line], making: Making) -> None:
    """The unit, its rooms, people, leases and what belongs to them."""
    first = lines[0]
    building = building_code(making.estate, first)
    owner = _landlord(lines, making)
    tenants = [line for line in lines if line.name]
    making.add(
        UnitRow(
            code=code,
            known_from=NOT_YET,
            building_code=building,
            entrance=first.entrance,
            floor=_floor(first.door),
            door=first.door,
            let_as="rooms" if any(line.let_as == "rooms" for line in lines) else "whole",
            is_vacant=not tenants and all(line.tells_tenants and not line.is_owners for line in lines),
            owner_code=owner,
        ),
        first,
    )
    _rooms(code, lines, making)
    leases: dict[str, list[Line]] = {}
    for line in tenants:
        if line.start is None:
            # A table without such a column: since when the registry has them here, else from today on.
            person = making.known.code(making.vault, line.name, line.phone, line.document, code)
            line.start = making.stays.get((code, person), making.today)
        leases.setdefault(_lease_code(code, line), []).append(line)
    for lease, found in leases.items():
        _lease(code, lease, found, owner, making)


def building_code(estate: str, line: Line) -> str:
    """A building's code. A house without number is its estate's only one."""
    return "-".join(part for part in (estate, line.building or "0") if part)


def building_row(code: str, line: Line, making: Making) -> BuildingRow:
    """A building that the registry does not have yet; its land is not known from such a file."""
    return BuildingRow(
        code=code,
        known_from=NOT_YET,
        name=f"{line.estate}{line.building}幢" if line.building else line.estate or code,
        scope_code=making.estate or None,
        jurisdiction=making.jurisdiction,
    )


def _floor(door: str) -> int | None:
    digits = "".join(sign for sign in door if sign.isdigit())
    return int(digits[:-2]) if len(digits) in {3, 4} else None


def _landlord(lines: Sequence[Line], making: Making) -> str | None:
    found = next((line for line in lines if line.landlord), None)
    if found is None:
        return None
    code = landlord_code(found, making)
    making.person(code, found)
    return code


def landlord_code(line: Line, making: Making) -> str:
    """A landlord's code: without a phone, a namesake in another building is another."""
    return making.known.code(making.vault, line.landlord, line.landlord_phone, "", line.building)


def _rooms(code: str, lines: Sequence[Line], making: Making) -> None:
    seen: dict[str, Line] = {}
    for line in lines:
        if not line.room and line.area_m2 is None:
            continue
        name = line.room or WHOLE
        held = seen.get(name)
        if held is None:
            seen[name] = line
        elif line.area_m2 is not None and held.area_m2 is not None and line.area_m2 != held.area_m2:
            making.faults.append(
                Fault(
                    line.sheet, line.row, "面积㎡", f"同一房间面积不一致 / the room's area differs from row {held.row}"
                )
            )
    for name, line in seen.items():
        making.add(
            RoomRow(
                code=room_code(code, name),
                known_from=NOT_YET,
                unit_code=code,
                name=name,
                room_type=line.room_type,
                area_m2=line.area_m2,
                area_basis=line.area_basis,
            ),
            line,
        )


def _lease_code(unit: str, line: Line) -> str:
    part = f"/{line.room}" if line.let_as == "rooms" and line.room else ""
    return f"{unit}{part}@{line.start}"


def _lease(unit: str, code: str, lines: Sequence[Line], owner: str | None, making: Making) -> None:
    head = next((line for line in lines if line.role == "tenant"), lines[0])
    people = {id(line): _person(unit, line, making) for line in lines}
    assert head.start is not None
    by_room = head.let_as == "rooms" and head.room
    making.add(
        LeaseRow(
            code=code,
            known_from=NOT_YET,
            unit_code=unit,
            room_code=room_code(unit, head.room) if by_room else None,
            lessor_code=owner,
            tenant_code=people[id(head)],
            start_on=head.start,
            end_on=head.end,
        ),
        head,
        "起租日",
    )
    number = next((line.contract_no for line in lines if line.contract_no), "")
    if number:
        making.add(_filing("contract", unit, making, lease=code, number=number, filed_on=head.start), head)
    has_family = any(line.is_family for line in lines)
    for line in lines:
        _occupant(unit, code, line, people[id(line)], making, family=code if has_family else "")


def _person(unit: str, line: Line, making: Making) -> str:
    code = making.known.code(making.vault, line.name, line.phone, line.document, unit)
    making.person(code, line)
    return code


def _occupant(unit: str, lease: str, line: Line, person: str, making: Making, *, family: str) -> None:
    assert line.start is not None
    making.add(
        OccupantRow(
            code=occupant_code(unit, lease, person),
            known_from=NOT_YET,
            unit_code=unit,
            room_code=room_code(unit, line.room) if line.room else None,
            lease_code=lease,
            person_code=person,
            role=line.role,
            from_on=line.start,
            guest_until=line.end if line.role == "guest" else None,
            family_group=family if line.is_family or line.role == "tenant" else "",
        ),
        line,
    )
    if line.registered is not None:
        filed_on = line.registered_on or line.start
        row = _filing("residence", unit, making, person=person, filed_on=filed_on, status=line.registered)
        making.add(row, line)
    for card in line.cards:
        try:
            ref, mask = card_ref(making.organisation_key, card)
        except ValueError as error:
            making.faults.append(Fault(line.sheet, line.row, "门禁凭证号", str(error)))
            continue
        holder, first = making.cards.setdefault(ref, (f"{unit}/{person}", line.row))
        if holder != f"{unit}/{person}":
            what = f"门禁凭证号与第 {first} 行他人相同 / row {first} gives that card to somebody else; mend one of them"
            making.faults.append(Fault(line.sheet, line.row, "门禁凭证号", what))
            continue
        making.add(
            CredentialRow(
                code=ref, known_from=NOT_YET, mask=mask, unit_code=unit, person_code=person, lease_code=lease
            ),
            line,
        )


def _filing(
    kind: str,
    unit: str,
    making: Making,
    *,
    filed_on: date,
    person: str | None = None,
    lease: str | None = None,
    number: str = "",
    status: str = "filed",
) -> RegistrationRow:
    about = lease if lease is not None else f"{unit}/{person}"
    return RegistrationRow(
        code=f"{kind}/{about}",
        known_from=NOT_YET,
        kind=kind,
        unit_code=unit,
        person_code=person,
        lease_code=lease,
        status=status,
        number=number,
        filed_on=filed_on,
        source="import",
    )
