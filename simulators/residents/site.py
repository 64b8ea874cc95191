"""Buildings, gateways and the devices of each unit."""

from dataclasses import dataclass
from typing import Final

ESTATE: Final = "990000-0001"
"""The estate that all buildings are of: what `registry import --estate` is given for `registry.xlsx`."""
UNITS_PER_BUILDING: Final = 40
DOORS_PER_FLOOR: Final = 4


def building_code(number: int) -> str:
    """`990000-0001-3`."""
    return f"{ESTATE}-{number}"


@dataclass(frozen=True, slots=True)
class Building:
    """A building with one gateway. `is_strict`: its limits are known (Hangzhou's pack), unlike Jinhua's."""

    number: int
    gateway: str
    is_strict: bool
    has_manager: bool

    @property
    def code(self) -> str:
        """As the registry names it."""
        return building_code(self.number)

    @property
    def jurisdiction(self) -> str:
        """Six digits: Hangzhou's Xihu district, or Jinhua's Wucheng."""
        return "330106" if self.is_strict else "330702"

    @property
    def land_type(self) -> str:
        """State-owned in town, collective in the village."""
        return "state" if self.is_strict else "collective"


def buildings_for(units: int) -> list[Building]:
    """As many buildings as `units` need. Each fifth lies in a village whose limits nobody has found.

    The last of four or more strict ones has no manager.
    """
    count = -(-units // UNITS_PER_BUILDING)
    strict = [number for number in range(1, count + 1) if number % 5]
    unmanaged = strict[-1] if len(strict) >= 4 else 0
    return [
        Building(number, f"gw-sim-{number:03d}", is_strict=number % 5 > 0, has_manager=number != unmanaged)
        for number in range(1, count + 1)
    ]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the n-th unit is."""

    building: int
    floor: int
    door: str

    @property
    def code(self) -> str:
        """As the registry and the wire name it: estate, building, entrance, door."""
        return f"{building_code(self.building)}-1-{self.door}"


def address_of(index: int) -> Address:
    """The unit's address; `index` from 0."""
    building, place = divmod(index, UNITS_PER_BUILDING)
    floor, door = divmod(place, DOORS_PER_FLOOR)
    return Address(building + 1, floor + 1, f"{floor + 1}{door + 1:02d}")
