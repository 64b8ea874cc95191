"""What the property manager has written down of each unit; not the truth, and not always complete.

People are obviously invented: their document numbers begin with 990000, which is no region of China.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

_SURNAMES: Final = "张李王赵钱孙周吴郑冯"
_NUMERALS: Final = "〇一二三四五六七八九"
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(slots=True)
class Named:
    """A person in the registry."""

    code: str
    name: str
    phone: str
    document: str
    born: date
    hukou: str = "360000"


@dataclass(slots=True)
class RoomEntry:
    """A room. `kind` as in the registry: bedroom, kitchen, …; area is usable area."""

    name: str
    kind: str
    area_m2: float


@dataclass(slots=True)
class OccupantEntry:
    """A registered resident."""

    person: Named
    role: str
    relation: str
    room: str
    registered_on: date | None
    family: str
    card: str = ""


@dataclass(slots=True)
class LeaseEntry:
    """A tenancy."""

    code: str
    start: date
    end: date | None
    occupants: list[OccupantEntry]
    contract_no: str
    filed_on: date | None
    ended_on: date | None = None
    termination_reported_on: date | None = None


@dataclass(slots=True)
class CardEntry:
    """A credential that is not a resident's: temporary, staff, or the landlord's. Empty person: bound to nobody."""

    number: str
    purpose: str
    person: Named | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(slots=True)
class GuestEntry:
    """A guest whom the tenant has reported."""

    person: Named
    from_on: date
    guest_until: date


@dataclass(slots=True)
class BookingEntry:
    """A viewing or repair that was agreed."""

    purpose: str
    from_at: datetime
    to_at: datetime


@dataclass(slots=True)
class UnitEntry:
    """One unit of the registry."""

    code: str
    building: int
    entrance: str
    floor: int
    door: str
    rooms: list[RoomEntry]
    landlord: Named
    lease: LeaseEntry | None = None
    is_vacant: bool = False
    let_as: str = "whole"
    guests: list[GuestEntry] = field(default_factory=list)
    cards: list[CardEntry] = field(default_factory=list)
    bookings: list[BookingEntry] = field(default_factory=list)
    watches_elder: bool = False

    def known_on(self, day: date) -> int:
        """How many people the registry has here on a day, guests with a term included."""
        residents = 0
        if (
            self.lease is not None
            and self.lease.start <= day
            and (self.lease.ended_on is None or day < self.lease.ended_on)
        ):
            residents = len(self.lease.occupants)
        return residents + sum(guest.from_on <= day <= guest.guest_until for guest in self.guests)


def invented_person(number: int, born: date, rng: Random) -> Named:
    """The `number`-th person of a run; no two of a run are alike."""
    # Of those whose numbers end alike, each thousand has birthdays of its own.
    born -= timedelta(days=(born.toordinal() - number // 1000) % 16)
    digits = f"990000{born:%Y%m%d}{number % 1000:03d}"
    check = "10X98765432"[sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11]
    given = "".join(_NUMERALS[int(digit)] for digit in str(number))
    return Named(
        code=f"p{number:05d}",
        name=f"{_SURNAMES[number % len(_SURNAMES)]}测{given}",
        phone=f"199{rng.randrange(10**8):08d}",
        document=digits + check,
        born=born,
    )


def birthday(age: int, on: date, rng: Random) -> date:
    """A birth date of somebody who is `age` full years old on a day, and stays so for the next half year."""
    return on - timedelta(days=round(age * 365.25) + rng.randrange(5, 170))
