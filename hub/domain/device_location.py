"""Where an event happened, as far as the registry knows, and the subject and words that follow from it."""

from dataclasses import dataclass, field

from hub.domain.entities import Building, Device
from hub.domain.subject import Subject
from hub.domain.text import Text


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device is. `unit` is in the registry, or None; `is_adopted` says whether its gateway belongs to us."""

    gateway: str
    device: str
    unit: str | None
    building: Building | None
    known: Device | None
    is_adopted: bool
    key: str = field(init=False, compare=False)
    """`gateway/device`. Made once, for every event asks for it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.gateway}/{self.device}")

    @property
    def building_code(self) -> str | None:
        """The building's code, if known."""
        return self.building.code if self.building else None

    @property
    def kind(self) -> str | None:
        """What the registry says the device is."""
        return self.known.kind if self.known else None

    @property
    def placement(self) -> str | None:
        """Where in the house the registry has it."""
        return self.known.placement if self.known else None

    def unit_subject(self) -> Subject:
        """The unit; where none is known, gateway and device by name."""
        if self.unit is not None:
            return Subject(f"unit:{self.unit}", self.unit, self.building_code, self.gateway, self.device)
        return self.device_subject()

    def device_subject(self) -> Subject:
        """The device itself."""
        return Subject(f"device:{self.key}", self.unit, self.building_code, self.gateway, self.device)

    def words(self) -> Text:
        """The place for an explanation, which names the device itself."""
        if self.unit is not None:
            return Text(f"房屋 {self.unit}", f"unit {self.unit}")
        if self.building is not None:
            return Text(f"楼栋 {self.building.name}", f"building {self.building.name}")
        return Text(f"网关 {self.gateway} ", f"gateway {self.gateway}")
