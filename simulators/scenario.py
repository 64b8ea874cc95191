"""A scenario: which devices there are, what befalls them when, and what must come of it.

A scenario is its own truth. Each step says which events it must become on the wire, and `alerts` lists every alert that
a manager must find, so that a check needs no second opinion about what should have happened.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from wire.events import EVENT_TYPES, KnownEvent
from wire.ids import GATEWAY_ID_PATTERN, canonical_card

DeviceId = Annotated[str, Field(min_length=1, max_length=128)]
UnitCode = Annotated[str, Field(min_length=1, max_length=128)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class Part(BaseModel):
    """A table of the file. A typo is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Part):
    """A short name in both languages."""

    zh: str
    en: str


class Outcome(Part):
    """An event that must come of a step: its kind, and the fields that its data must have."""

    kind: str
    data: dict[str, Any]
    device: Annotated[DeviceId | None, Field(description="absent: the device of the step")] = None
    within_s: Annotated[float, Field(gt=0, le=60, description="from the step to `observed_at`")] = 8.0

    @model_validator(mode="after")
    def _known_kind(self) -> "Outcome":
        if self.kind not in EVENT_TYPES:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(sorted(EVENT_TYPES))}")
        return self


class Peer(Part):
    """A simulated device at the far end of a real protocol."""

    id: DeviceId
    profile: Annotated[str, Field(description="the profile with which the agent reads it")]
    unit: UnitCode | None = None
    begins: Annotated[list[Outcome], Field(description="what the agent reports when it first hears the device")] = []


class OsdpReader(Peer):
    """A card reader on the RS-485 bus of readers, which speaks the secure channel under a key made for the run."""

    is_a: Literal["osdp_reader"]
    address: Annotated[int, Field(ge=0, le=126)]
    opens_for: Annotated[list[str], Field(description="cards that the gateway lets in, as they are printed")] = []

    @model_validator(mode="after")
    def _readable_cards(self) -> "OsdpReader":
        for card in self.opens_for:
            canonical_card(card)
        return self


class ModbusSmoke(Peer):
    """A smoke sensor on the RS-485 bus of sensors."""

    is_a: Literal["modbus_smoke"]
    address: Annotated[int, Field(ge=1, le=247)]


class ZigbeeDevice(Peer):
    """A device behind Zigbee2MQTT, under its friendly name."""

    is_a: Literal["zigbee"]
    address: Annotated[str, Field(min_length=1, description="Zigbee2MQTT's friendly name")]


class Camera(Part):
    """A camera that plays a clip over RTSP once, and the directed line at which people are counted."""

    id: DeviceId
    unit: UnitCode | None = None
    bucket_s: Annotated[float, Field(gt=0)] = 60.0


Device = Annotated[OsdpReader | ModbusSmoke | ZigbeeDevice, Field(discriminator="is_a")]


class StepBase(Part):
    """Something that befalls a device, `at_s` seconds after the start."""

    at_s: Seconds
    device: DeviceId
    says: Annotated[Title, Field(description="what a person would see, for the screen")]
    becomes: list[Outcome] = []


class PresentCard(StepBase):
    """Somebody holds a card to a reader. Its number is in the form in which it is printed."""

    do: Literal["present_card"]
    card: str

    @model_validator(mode="after")
    def _readable_card(self) -> "PresentCard":
        canonical_card(self.card)
        return self


class SetTamper(StepBase):
    """A reader's housing is opened or closed."""

    do: Literal["set_tamper"]
    on: bool


class SetSmoke(StepBase):
    """Smoke reaches a sensor, or has gone."""

    do: Literal["set_smoke"]
    on: bool


class SetState(StepBase):
    """A Zigbee device reports; `state` is what Zigbee2MQTT publishes for it, beside what it said before."""

    do: Literal["set_state"]
    state: Annotated[dict[str, Any], Field(min_length=1)]


class FallSilent(StepBase):
    """A device no longer answers: power cut, cable torn."""

    do: Literal["fall_silent"]


Step = Annotated[PresentCard | SetTamper | SetSmoke | SetState | FallSilent, Field(discriminator="do")]

_FITS: Final[dict[str, tuple[type[Peer], ...]]] = {
    "present_card": (OsdpReader,),
    "set_tamper": (OsdpReader,),
    "set_smoke": (ModbusSmoke,),
    "set_state": (ZigbeeDevice,),
    "fall_silent": (OsdpReader, ModbusSmoke, ZigbeeDevice),
}


class ExpectedAlert(Part):
    """An alert that must be there exactly once."""

    rule: Annotated[str, Field(pattern=r"^[LSCWT]\d+$", description="as in the catalogue: L1, S1, C8, …")]
    unit: UnitCode | None = None
    device: DeviceId | None = None
    gateway: Annotated[str | None, Field(pattern=GATEWAY_ID_PATTERN)] = None
    because: Title


class StrangerEvent(Part):
    """An event as a stranger's gateway sends it."""

    at_s: Seconds
    device: DeviceId
    kind: str
    data: dict[str, Any]
    says: Title

    @model_validator(mode="after")
    def _of_the_contract(self) -> "StrangerEvent":
        if self.kind not in EVENT_TYPES:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(sorted(EVENT_TYPES))}")
        try:
            self.event(datetime(2026, 1, 1, tzinfo=UTC))
        except msgspec.ValidationError as error:
            raise ValueError(f"data: {error}") from error
        return self

    def event(self, observed_at: datetime) -> KnownEvent:
        """The event on the wire."""
        cls = EVENT_TYPES[self.kind]
        data_type = next(item.type for item in msgspec.structs.fields(cls) if item.name == "data")
        event: Any = cls(observed_at=observed_at, device=self.device, data=msgspec.convert(self.data, data_type))
        return event  # type: ignore[no-any-return]  # EVENT_TYPES holds exactly the members of KnownEvent


class Stranger(Part):
    """A gateway that speaks the wire contract and that nobody has told the hub of."""

    id: Annotated[str, Field(pattern=GATEWAY_ID_PATTERN)]
    events: Annotated[list[StrangerEvent], Field(min_length=1, max_length=100)]


class Scenario(Part):
    """The whole file."""

    scenario: Literal[1]
    title: Title
    lasts_s: Annotated[float, Field(gt=0, le=3600)]
    gateway: Annotated[str, Field(pattern=GATEWAY_ID_PATTERN)]
    building: UnitCode
    registry: Annotated[str, Field(description="a registry seed, beside this file")]
    sirens: list[DeviceId] = []
    devices: Annotated[list[Device], Field(min_length=1)]
    camera: Camera | None = None
    stranger: Stranger | None = None
    steps: Annotated[list[Step], Field(min_length=1)]
    alerts: list[ExpectedAlert]

    def device(self, device_id: str) -> OsdpReader | ModbusSmoke | ZigbeeDevice:
        """The device of that id. Raises KeyError."""
        for device in self.devices:
            if device.id == device_id:
                return device
        raise KeyError(device_id)


Loc = tuple[str | int, ...]


def faults_of(scenario: Scenario) -> list[tuple[Loc, str]]:
    """What no single table can know to be wrong: (place, what and mend)."""
    faults: list[tuple[Loc, str]] = []
    known: dict[str, Peer] = {}
    for index, device in enumerate(scenario.devices):
        if device.id in known:
            faults.append((("devices", index, "id"), f"{device.id!r} is there already; give each device its own id"))
        known[device.id] = device
    for index, siren in enumerate(scenario.sirens):
        if siren not in known:
            faults.append((("sirens", index), f"no device {siren!r}; {_known(known)}"))
    for index, event in enumerate(scenario.stranger.events if scenario.stranger is not None else []):
        if event.at_s > scenario.lasts_s:
            faults.append((("stranger", "events", index, "at_s"), _too_late(event.at_s, scenario.lasts_s)))
    for index, step in enumerate(scenario.steps):
        if index and step.at_s < scenario.steps[index - 1].at_s:
            faults.append((("steps", index, "at_s"), "steps stand in the order of their time; move this one up"))
        faults += [(("steps", index, *loc), what) for loc, what in _faults_of_step(scenario, step, known)]
    return faults


def _faults_of_step(scenario: Scenario, step: Step, known: dict[str, Peer]) -> list[tuple[Loc, str]]:
    faults: list[tuple[Loc, str]] = []
    if step.at_s > scenario.lasts_s:
        faults.append((("at_s",), _too_late(step.at_s, scenario.lasts_s)))
    if step.device not in known:
        faults.append((("device",), f"no device {step.device!r}; {_known(known)}"))
    elif not isinstance(known[step.device], _FITS[step.do]):
        kind = scenario.device(step.device).is_a
        faults.append((("do",), f"{step.do} does not fit a device that is_a {kind}"))
    for number, outcome in enumerate(step.becomes):
        if outcome.device is not None and outcome.device not in {*known, scenario.gateway}:
            faults.append((("becomes", number, "device"), f"no device {outcome.device!r}; {_known(known)}"))
    return faults


def _too_late(at_s: float, lasts_s: float) -> str:
    return f"{at_s:g} is after the end ({lasts_s:g}); raise lasts_s"


def _known(known: dict[str, Peer]) -> str:
    return f"there are {', '.join(sorted(known))}"
