"""What L6 and C13 count in a building: rooms let, people, beds, and rooms without a smoke detector."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hub.domain.entities import Building, Device, Unit
from hub.rules.capacity import HABITABLE


@dataclass(frozen=True, slots=True)
class BuildingContents:
    """A building with its units and the devices of its common parts."""

    building: Building
    units: Sequence[Unit]
    devices: Sequence[Device]

    def let_units(self, today: date) -> list[Unit]:
        """Units that are let or lived in."""
        return [unit for unit in self.units if unit.is_let_on(today) or unit.people_on(today)]

    def rooms(self, today: date) -> int:
        """Rooms to live in, of the units that are let."""
        return sum(sum(1 for r in unit.rooms if r.room_type in HABITABLE) for unit in self.let_units(today))

    def people(self, today: date) -> int:
        """Registered heads."""
        return sum(len(unit.people_on(today)) for unit in self.units)

    def gaps(self, today: date) -> list["Gap"]:
        """Let units with fewer smoke detectors than rooms to live in, and the common parts when they have none."""
        found = []
        for unit in self.let_units(today):
            rooms = max(1, sum(1 for room in unit.rooms if room.room_type in HABITABLE))
            detectors = sum(1 for device in unit.devices if device.kind == "smoke")
            if detectors < rooms:
                found.append(Gap(unit.code, rooms, detectors))
        if not any(device.kind == "smoke" for device in self.devices):
            found.append(Gap(None, 1, 0))
        return found

    def places(self, today: date) -> int:
        """Where a detector belongs: each room to live in of a let unit, and the common parts."""
        return 1 + sum(
            max(1, sum(1 for room in unit.rooms if room.room_type in HABITABLE)) for unit in self.let_units(today)
        )

    def uncovered(self, today: date) -> list[str]:
        """The codes of units with a gap; `common` for the common parts."""
        return [gap.unit or "common" for gap in self.gaps(today)]


@dataclass(frozen=True, slots=True)
class Gap:
    """A unit (None: the common parts) in which `rooms` places have only so many detectors."""

    unit: str | None
    rooms: int
    detectors: int

    @property
    def missing(self) -> int:
        """How many are missing."""
        return self.rooms - self.detectors
