"""A device profile: what a model of device says, in its words, and what that means, in ours."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from firmware_profiles.base import FieldName, Hex, Json, OneOrMore, Scalar, Table
from firmware_profiles.fields import FieldSpec, RegisterAddress
from firmware_profiles.transports import CommandSpec, Decoder, Transport

Kind = Literal[
    "lock.access", "lock.state", "lock.alarm", "door.state", "smoke.state", "fire.component", "help.call",
    "people.crossing", "people.present", "device.health",
]  # fmt: skip
"""The wire events that a device can cause."""

Emit = Literal["change", "rise", "each"]

DEFAULT_EMIT: Final[dict[str, Emit]] = {
    "lock.access": "each",
    "help.call": "each",
    "people.crossing": "each",
    "lock.alarm": "rise",
}
"""How often a kind is reported when a rule does not say: `change` for states."""

Family = Literal[
    "lock", "reader", "smoke", "gas", "contact", "siren", "fire-panel", "help-button", "people-counter", "other"
]

COMMANDS: Final = (
    "siren_on", "siren_off", "reset", "silence", "self_test", "identify", "sync_time", "inspect", "unlock", "lock",
)  # fmt: skip
CommandName = Literal[
    "siren_on", "siren_off", "reset", "silence", "self_test", "identify", "sync_time", "inspect", "unlock", "lock"
]


class Model(Table):
    """Another name under which the same device is sold."""

    vendor: str
    model: str


class EventRule(Table):
    """One line of the translation: which fields make which wire event, and when."""

    kind: Kind
    when: Annotated[dict[FieldName, OneOrMore], Field(description="only when all these fields have these values")] = {}
    from_fields: Annotated[dict[str, FieldName], Field(alias="from", description="wire key -> field")] = {}
    set_values: Annotated[dict[str, Scalar], Field(alias="set", description="wire key -> constant")] = {}
    emit: Annotated[
        Emit | None,
        Field(description="change: when the data change; rise: when `when` becomes true; each: at every message"),
    ] = None
    once_per: Annotated[
        FieldName | None,
        Field(description="one event for each new value of this field: an event counter, a message's id"),
    ] = None
    repeat_s: Annotated[float | None, Field(ge=1, description="said again this often while it lasts")] = None
    dedup_s: Annotated[float, Field(ge=0, le=3600, description="the same again within this time is one event")] = 0


class Health(Table):
    """When the device is taken for gone."""

    stale_after_s: Annotated[
        float | None, Field(gt=0, description="no word for so long: offline (its reporting interval and some)")
    ] = None
    failures: Annotated[int, Field(ge=1, le=100, description="unanswered polls in a row: offline")] = 3


class Quirks(Table):
    """Known oddities, each with the effect that its description names."""

    latched_alarm: Annotated[bool, Field(description="an alarm stays until the command `reset`; shown to people")] = (
        False
    )
    gap_ms: Annotated[int, Field(ge=0, le=1000, description="pause before each request; slow firmwares need it")] = 0
    local_echo: Annotated[bool, Field(description="the adapter hears what it sends (two-wire RS-485)")] = False
    note: Annotated[str, Field(max_length=400, description="what an installer must know")] = ""


class ExampleInput(Table):
    """What the device says in an example, in one of the forms that its transport knows."""

    frames: Annotated[
        list[Hex] | None,
        Field(description="raw frames: Modbus request and answer in turn, OSDP replies, GB/T 26875.3 frames"),
    ] = None
    hex: Annotated[Hex | None, Field(description="the payload as bytes")] = None
    json_body: Annotated[Json, Field(alias="json", description="the payload as JSON")] = None
    text: str | None = None
    topic: Annotated[str | None, Field(description="name of the topic, or message type")] = None
    coil: dict[RegisterAddress, bool | Annotated[int, Field(ge=0, le=1)]] = {}
    discrete: dict[RegisterAddress, bool | Annotated[int, Field(ge=0, le=1)]] = {}
    input: dict[RegisterAddress, Annotated[int, Field(ge=0, le=65_535)]] = {}
    holding: dict[RegisterAddress, Annotated[int, Field(ge=0, le=65_535)]] = {}
    items: Annotated[dict[str, Scalar], Field(description="values that the protocol itself names")] = {}


class Example(Table):
    """A message and what must come of it. It is a test: `anfang-agent profile validate` runs it."""

    name: str
    before: Annotated[list[ExampleInput], Field(description="messages before it; their events are not compared")] = []
    input: ExampleInput
    fields: Annotated[dict[FieldName, Scalar | None] | None, Field(description="values that must be read")] = None
    events: Annotated[list[dict[Kind, dict[str, Any]]] | None, Field(description="exactly these events, in order")] = (
        None
    )
    fails: Annotated[str | None, Field(min_length=3, description="a part of the reason for which it must fail")] = None

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if (self.fails is None) == (self.fields is None and self.events is None):
            raise ValueError("an example says either what it gives (fields, events) or why it fails (fails)")
        return self


class Profile(Table):
    """One model of device. `docs/howto/add-a-device.md` explains every key by example."""

    profile: Annotated[Literal[1], Field(description="version of this language")]
    vendor: Annotated[str, Field(min_length=1, max_length=80)]
    model: Annotated[str, Field(min_length=1, max_length=80)]
    family: Family
    title: Annotated[str, Field(max_length=160, description="what it is, for people")] = ""
    firmware: Annotated[str | None, Field(max_length=80, description="firmware versions that were checked")] = None
    also_applies_to: list[Model] = []
    source: Annotated[str, Field(min_length=4, max_length=400, description="public document the facts come from")]
    transport: Transport
    decoder: Decoder = Decoder()
    fields: Annotated[dict[FieldName, FieldSpec], Field(min_length=1, max_length=200)]
    part: Annotated[
        FieldName | None, Field(description="field that names the part of the device a message is about (fire panels)")
    ] = None
    observed_at: Annotated[
        FieldName | None,
        Field(description="field with `time`: when the device says that it happened; a week back at most is believed"),
    ] = None
    events: Annotated[list[EventRule], Field(min_length=1, max_length=64)]
    health: Health = Health()
    commands: dict[CommandName, CommandSpec] = {}
    quirks: Quirks = Quirks()
    examples: Annotated[list[Example], Field(min_length=2, max_length=64)]

    def mode_of(self, rule: EventRule) -> Emit:
        """How often a rule's event is reported, where it does not say: what is said once is news each time."""
        default = DEFAULT_EMIT.get(rule.kind, "change")
        if rule.emit is None and default == "rise" and self.transport.kind == "zigbee2mqtt":
            names = [*rule.from_fields.values(), *rule.when]
            if any(self.fields[name].json_path == "action" for name in names if name in self.fields):
                return "each"
        return rule.emit or default

    @model_validator(mode="after")
    def _examples_show_both(self) -> Self:
        if not any(example.fails for example in self.examples):
            raise ValueError(
                "examples: at least one must say `fails:`, so that a broken message is known to be refused"
            )
        if all(example.fails for example in self.examples):
            raise ValueError("examples: at least one must say what a good message gives")
        return self
