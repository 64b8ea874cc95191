"""What L6 and C13 count in a building: rooms let, people, beds, and rooms without a smoke detector."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hub.rules.capacity import HABITABLE
from hub.rules.known import BuildingKnown, DeviceKnown, UnitKnown


@dataclass(frozen=True, slots=True)
class BuildingSeen:
    """A building with its units and the devices of its common parts."""

    building: BuildingKnown
    units: Sequence[UnitKnown]
    devices: Sequence[DeviceKnown]

    def let_units(self, today: date) -> list[UnitKnown]:
        """Units that are let or lived in."""
        return [unit for unit in self.units if unit.is_let_on(today) or unit.people_on(today)]

    def rooms(self, today: date) -> int:
        """Rooms to live in, of the units that are let."""
        return sum(sum(1 for r in unit.rooms if r.room_type in HABITABLE) for unit in self.let_units(today))

    def people(self, today: date) -> int:
        """Registered heads."""
        return sum(len(unit.people_on(today)) for unit in self.units)

    def uncovered(self, today: date) -> list[str]:
        """Let units with a habitable room and fewer smoke detectors than such rooms; `common` for the common parts."""
        found = []
        for unit in self.let_units(today):
            rooms = sum(1 for room in unit.rooms if room.room_type in HABITABLE)
            if sum(1 for device in unit.devices if device.kind == "smoke") < max(rooms, 1):
                found.append(unit.code)
        if not any(device.kind == "smoke" for device in self.devices):
            found.append("common")
        return found
