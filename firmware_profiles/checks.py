"""What a profile must hold beyond its shape: names that exist, places that fit the transport, words of the wire."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Final

from firmware_profiles.base import FieldName, Scalar
from firmware_profiles.fields import MANUAL_BASE, SIZES, SPACES, FieldSpec
from firmware_profiles.model import EventRule, Profile
from firmware_profiles.transports import CommandSpec, Gb26875Transport, ModbusTransport, MqttTransport, OsdpTransport
from firmware_profiles.wire_keys import WireKey, wire_keys

Loc = tuple[str | int, ...]
Fault = tuple[Loc, str]
"""Where in the file, and what is wrong with its mend."""

_PLACES: Final[dict[str, tuple[str, ...]]] = {
    "modbus": SPACES,
    "osdp": ("item", "at", "tag"),
    "zigbee2mqtt": ("json",),
    "home-assistant": ("item",),
    "gb26875": ("item", "at"),
}
_MQTT_PLACES: Final = {
    "json": ("json", "at", "tag", "topic_level", "text"),
    "text": ("text", "column", "topic_level"),
    "bytes": ("at", "tag", "topic_level"),
}
CHANNEL: Final = "channel"
"""The item that `decoder: {channels: …}` adds: which of them a message is about, from 1."""
OSDP_ITEMS: Final = (
    "card", "card_bits", "card_format", "facility", "parity_ok", "pin", "reader", "decision", "tamper", "power_fault",
    "secure", "key_fault", "credential_type",
    *(f"input.{n}" for n in range(8)), *(f"output.{n}" for n in range(8)),
)  # fmt: skip
"""What the OSDP driver says of a reader in its own words."""
GB_ITEMS: Final = (
    "type", "system_type", "system_address", "component_type", "address", "zone", "position", "state", "states", "text",
    "analog_type", "analog_value", "operation", "operator", "version", "time",
)  # fmt: skip
"""What the GB/T 26875.3 codec names in an information object."""
GB_CHANNELS: Final = (
    "system_state", "component_state", "component_analog", "operation", "version", "system_config", "component_config",
    "system_time", "transmitter_state", "transmitter_operation", "transmitter_version", "transmitter_config",
    "transmitter_time",
)  # fmt: skip
"""The types of information objects that the standard names; others are `type_0` to `type_255`."""
HA_ITEMS: Final = (
    "smoke", "gas", "carbon_monoxide", "lock_state", "door_open", "tamper", "battery_low", "battery_pct", "occupancy",
    "problem", "test", "people", "sos", "action", "action_type",
)  # fmt: skip
"""What the Home Assistant discovery codec makes of device classes."""
_COMMAND_WAYS: Final = {
    "modbus": "write",
    "osdp": "osdp",
    "zigbee2mqtt": "publish",
    "mqtt": "publish",
    "gb26875": "gb26875",
    "home-assistant": "publish",
}


def hint(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or the list of what is known."""
    options = [str(option) for option in known]
    close = difflib.get_close_matches(word, options, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(sorted(options)[:24])}" if options else "none is known here"


def faults_of(profile: Profile) -> Iterator[Fault]:
    """Everything that is wrong with a profile whose shape is right."""
    for name, field in profile.fields.items():
        yield from _field_faults(profile, name, field)
    yield from _overlaps(profile)
    yield from _counted_by_manual(profile)
    if profile.decoder.channels is not None and profile.part is None:
        yield (
            ("decoder", "channels"),
            "channels are parts of their own; add a field `{item: channel}` and `part:` with its name",
        )
    for index, rule in enumerate(profile.events):
        yield from _rule_faults(profile, ("events", index), rule)
    if profile.part is not None and profile.part not in profile.fields:
        yield ("part",), f"no field is named {profile.part!r}; {hint(profile.part, profile.fields)}"
    yield from _time_faults(profile)
    for name, command in profile.commands.items():
        yield from _command_faults(profile, ("commands", name), command)
    for index, example in enumerate(profile.examples):
        for field_name in example.fields or {}:
            yield from _known_field(profile, ("examples", index, "fields", field_name), field_name)
        for number, event in enumerate(example.events or []):
            if len(event) != 1:
                yield ("examples", index, "events", number), "an event is `kind: {data}`, one kind each"
            for kind, data in event.items():
                yield from _expected_faults(kind, data, ("examples", index, "events", number, kind))
    tlv = profile.decoder.tlv
    if tlv is not None and tlv.length_bytes == 0:
        for tag in {field.tag for field in profile.fields.values() if field.tag is not None} - set(tlv.lengths):
            yield (
                ("decoder", "tlv", "lengths"),
                f"the length of tag {tag} is missing; add {tag}: BYTES, or length_bytes",
            )


def _time_faults(profile: Profile) -> Iterator[Fault]:
    name = profile.observed_at
    if name is not None:
        yield from _known_field(profile, ("observed_at",), name)
        if name in profile.fields and profile.fields[name].time is None:
            yield ("observed_at",), f"field {name!r} is no instant; give it `time: unix_s` or another form"
    for other, field in profile.fields.items():
        is_used = other == name or any(rule.once_per == other for rule in profile.events)
        if field.time is not None and not is_used:
            yield ("fields", other, "time"), f"the instant is of no use; say `observed_at: {other}`, or take it out"


def _known_field(profile: Profile, loc: Loc, name: str) -> Iterator[Fault]:
    if name not in profile.fields:
        yield loc, f"no field is named {name!r}; {hint(name, profile.fields)}"


def _field_faults(profile: Profile, name: FieldName, field: FieldSpec) -> Iterator[Fault]:
    transport = profile.transport
    loc: Loc = ("fields", name)
    places = _MQTT_PLACES[transport.payload] if isinstance(transport, MqttTransport) else _PLACES[transport.kind]
    if field.location not in places and not (field.item == CHANNEL and profile.decoder.channels):
        yield (*loc, field.location), f"a {transport.kind} device has no {field.location!r}; use {' or '.join(places)}"
    if field.location == "tag" and profile.decoder.tlv is None:
        yield (*loc, "tag"), "tags need `decoder: {tlv: …}`; add it"
    if field.location == "column":
        yield from _column_faults(profile, (*loc, "column"), field)
    if isinstance(transport, MqttTransport) and transport.payload == "json" and field.text and field.of is None:
        yield (*loc, "text"), "in a profile of JSON payloads say which topic is text: add `of: TOPIC`"
    yield from _channel_faults(profile, loc, field)
    items: tuple[str, ...] = ()
    if field.location == "item" and not (field.item == CHANNEL and profile.decoder.channels):
        items = {"osdp": OSDP_ITEMS, "gb26875": GB_ITEMS, "home-assistant": HA_ITEMS}.get(transport.kind, ())
    if items and field.item not in items:
        yield (*loc, "item"), f"{transport.kind} names no {field.item!r}; {hint(str(field.item), items)}"
    yield from _of_faults(profile, (*loc, "of"), field.of)
    if field.location in ("coil", "discrete") and (field.type or field.bit is not None or field.mask is not None):
        yield loc, f"a {field.location} is one bit: type, bit and mask do not apply; use input or holding"
    if isinstance(transport, ModbusTransport) and transport.address_base == 1:
        yield from _counted_from_1(field, (*loc, field.location))
    before = list(profile.fields)[: list(profile.fields).index(name)]
    for other in field.only_if:
        if other not in before:
            yield (*loc, "only_if", other), f"only fields above {name!r} can be asked for; {hint(other, before)}"


def _of_faults(profile: Profile, loc: Loc, of: str | None) -> Iterator[Fault]:
    """Whether the transport has messages of that name."""
    transport = profile.transport
    if of is None:
        return
    if isinstance(transport, MqttTransport) and of not in transport.topics:
        yield loc, f"no topic is named {of!r}; {hint(of, transport.topics)}"
    if isinstance(transport, Gb26875Transport) and not _is_gb_channel(of):
        yield loc, f"GB/T 26875.3 has no {of!r}; {hint(of, (*GB_CHANNELS, 'type_130'))}"
    if isinstance(transport, ModbusTransport | OsdpTransport):
        yield loc, f"a {transport.kind} device has no message types; remove `of`"


def _is_gb_channel(name: str) -> bool:
    number = name.removeprefix("type_")
    return name in GB_CHANNELS or (name != number and number.isdecimal() and int(number) <= 255)


def _channel_faults(profile: Profile, loc: Loc, field: FieldSpec) -> Iterator[Fault]:
    count = profile.decoder.channels
    for key in ("step", "bit_step"):
        if getattr(field, key) and count is None:
            yield (*loc, key), f"{key} needs `decoder: {{channels: NUMBER}}`; add it"
    if field.bit_step and field.bit is None and field.mask is None:
        yield (*loc, "bit_step"), "bit_step moves a bit or mask; add one, or say `step`"
    elif count is not None and field.bit_step and field.location != "item":
        kind = field.type or ("uint16" if field.space is not None else "uint8")
        top = (field.mask or 0).bit_length() - 1 if field.bit is None else field.bit
        top += field.bit_step * (count - 1)
        if top >= 8 * SIZES.get(kind, 8):
            yield (
                (*loc, "bit_step"),
                f"channel {count} would be at bit {top}, and {kind} has none; give a larger `type`",
            )


def _counted_by_manual(profile: Profile) -> Iterator[Fault]:
    """40003 as an address of the PDU is nearly always the third register; an example that has it says otherwise."""
    transport = profile.transport
    if not isinstance(transport, ModbusTransport) or transport.address_base == 1:
        return
    inputs = [given for example in profile.examples for given in (*example.before, example.input)]
    for name, field in profile.fields.items():
        space = field.space or ""
        address, base = getattr(field, space) if space else 0, MANUAL_BASE.get(space, 70_000)
        is_shown = any(given.frames is not None or address in getattr(given, space or "coil") for given in inputs)
        if base < address < base + 10_000 and not is_shown:
            number = address - base
            yield (
                ("fields", name, space),
                f"{address} is how manuals write {space} {number} counted from 1; write {number - 1}, or {number} with "
                "`address_base: 1`. Where it is the address itself, have an example show it",
            )


def _counted_from_1(field: FieldSpec, loc: Loc) -> Iterator[Fault]:
    address, base = getattr(field, field.location), MANUAL_BASE.get(field.location, 70_000)
    if address == 0:
        yield loc, "address_base is 1, so the lowest address is 1"
    elif base < address < base + 10_000:
        yield loc, f"{address} is how manuals write {field.location} {address - base}; write {address - base}"


def _expected_faults(kind: str, data: object, loc: Loc) -> Iterator[Fault]:
    """Keys that an example expects and the wire does not have."""
    keys = wire_keys(kind)
    nested = {key.partition(".")[0] for key in keys}
    for key, value in data.items() if isinstance(data, dict) else ():
        if str(key) not in nested:
            yield (*loc, key), f"{kind} has no {key!r}; {hint(str(key), nested)}"
        elif isinstance(value, dict):
            yield from (
                ((*loc, key, inner), f"{kind} has no {f'{key}.{inner}'!r}; {hint(f'{key}.{inner}', keys)}")
                for inner in value
                if f"{key}.{inner}" not in keys
            )


def _overlaps(profile: Profile) -> Iterator[Fault]:
    """Masks of one value that cut into each other. One inside the other, or both the same, are two ways to see it."""
    seen: dict[tuple[object, ...], list[tuple[str, int]]] = {}
    for name, field in profile.fields.items():
        if field.mask is None:
            continue
        place = (field.location, field.space and getattr(field, field.space), field.at, field.tag, str(field.json_path),
                 field.item, field.column, field.of, field.type, str(field.only_if))  # fmt: skip
        for other, mask in seen.setdefault(place, []):
            shared = mask & field.mask
            if shared and shared not in (mask, field.mask):
                yield (
                    ("fields", name, "mask"),
                    f"{field.mask:#x} shares bits {shared:#x} with field {other!r} ({mask:#x}); mend one of them",
                )
        seen[place].append((name, field.mask))


def _column_faults(profile: Profile, loc: Loc, field: FieldSpec) -> Iterator[Fault]:
    if profile.decoder.separator is None:
        yield loc, 'columns need `decoder: {separator: ","}`; add it'
    elif isinstance(field.column, str) and profile.decoder.pairs is None:
        yield loc, 'a column has a name only with `decoder: {pairs: "="}`; add it, or give its place from 0'


_WORDS: Final = ("ascii", "utf8", "gb18030")


def _rule_faults(profile: Profile, loc: Loc, rule: EventRule) -> Iterator[Fault]:
    keys = wire_keys(rule.kind)
    for name in rule.when:
        yield from _known_field(profile, (*loc, "when", name), name)
    for key, name in rule.from_fields.items():
        yield from _known_field(profile, (*loc, "from", key), name)
        if key not in keys:
            yield (*loc, "from", key), f"{rule.kind} has no {key!r}; {hint(key, keys)}"
        elif name in profile.fields and profile.fields[name].time is not None:
            yield (*loc, "from", key), f"field {name!r} is an instant; it goes to `observed_at` of the profile"
        elif name in profile.fields:
            yield from _fits(keys[key], profile.fields[name], (*loc, "from", key), name)
    for key, value in rule.set_values.items():
        if key not in keys:
            yield (*loc, "set", key), f"{rule.kind} has no {key!r}; {hint(key, keys)}"
        elif key in rule.from_fields:
            yield (*loc, "set", key), f"{key!r} stands in `from` too; keep one"
        else:
            yield from _constant_fits(keys[key], value, (*loc, "set", key))
    yield from _once_faults(profile, (*loc, "once_per"), rule)
    given = {*rule.from_fields, *rule.set_values}
    lacking = [key for key, spec in keys.items() if spec.is_required and key not in given]
    if any(key.startswith("credential.") for key in given) and "credential.type" not in given:
        lacking.append("credential.type")
    for key in lacking:
        yield loc, f"{rule.kind} needs {key!r}; add it to `from` or `set`"
    if not rule.from_fields and not rule.when:
        yield loc, "nothing of the device is asked: add `from` or `when`"


def _once_faults(profile: Profile, loc: Loc, rule: EventRule) -> Iterator[Fault]:
    if rule.once_per is not None:
        yield from _known_field(profile, loc, rule.once_per)
        if rule.repeat_s is not None or rule.dedup_s:
            yield loc, "repeat_s and dedup_s do not go with once_per; keep one"


def _fits(key: WireKey, field: FieldSpec, loc: Loc, name: str) -> Iterator[Fault]:
    if "str" in key.types and field.hash is None and loc[-1] == "credential.ref":
        yield loc, f"a credential is never sent in the clear; give field {name!r} `hash: card` or `hash: pin`"
    if field.hash is not None and loc[-1] != "credential.ref":
        yield loc, f"field {name!r} is a credential; it can only go to credential.ref"
    if (
        "bool" in key.types
        and len(key.types) == 1
        and field.enum is None
        and not field.is_boolean
        and (field.scale or field.type in ("ascii", "utf8", "gb18030", "hex"))
    ):
        yield loc, f"{loc[-1]} is true or false; give field {name!r} an enum, a bit or at_least"
    if field.enum is not None:
        for raw, meaning in field.enum.items():
            if meaning is not None:
                yield from _constant_fits(key, meaning, ("fields", name, "enum", raw))
        if field.otherwise is not None:
            yield from _constant_fits(key, field.otherwise, ("fields", name, "otherwise"))
    elif key.choices and (field.is_boolean or (field.location in (*SPACES, "at", "tag") and field.type not in _WORDS)):
        yield loc, f"{loc[-1]} is one of {', '.join(sorted(key.choices))}; give field {name!r} an enum of them"
    if ("float" in key.types or "int" in key.types) and field.is_boolean and not {"bool", "str"} & key.types:
        yield loc, f"{loc[-1]} is a number, field {name!r} is true or false"


_TYPE_WORDS: Final = {
    "bool": "true or false", "int": "a whole number", "float": "a number", "str": "text", "list": "text with commas",
}  # fmt: skip


def _constant_fits(key: WireKey, value: Scalar, loc: Loc) -> Iterator[Fault]:
    if isinstance(value, bool):
        kind = "bool"
    elif isinstance(value, int):
        kind = "int"
    else:
        kind = "float" if isinstance(value, float) else "str"
    accepted = key.types | ({"int"} if "float" in key.types else set()) | ({"str"} if "list" in key.types else set())
    if kind == "int" and "bool" in key.types and value in (0, 1):
        return
    if kind not in accepted:
        yield loc, f"{value!r} is not {' or '.join(_TYPE_WORDS[name] for name in sorted(key.types))}"
    elif key.choices and kind == "str" and str(value) not in key.choices:
        yield loc, f"{value!r} is not a word of the wire; {hint(str(value), key.choices)}"
    elif kind in ("int", "float") and "bool" not in key.types and (fault := key.fault(value)) is not None:
        yield loc, f"{value!r} is beyond what the wire takes: {fault[:1].lower()}{fault[1:]}"


def _command_faults(profile: Profile, loc: Loc, command: CommandSpec) -> Iterator[Fault]:
    way = _COMMAND_WAYS[profile.transport.kind]
    if getattr(command, way) is None:
        yield loc, f"a {profile.transport.kind} device is commanded by `{way}`"
    for name in command.confirm:
        yield from _known_field(profile, (*loc, "confirm", name), name)
    if isinstance(profile.transport, MqttTransport):
        for index, message in enumerate(command.publish or []):
            if message.topic is None:
                yield (*loc, "publish", index), "an MQTT device needs `topic:`, with {address} in it"
    if isinstance(profile.transport, Gb26875Transport) and command.write is not None:
        yield (*loc, "write"), "GB/T 26875.3 has no registers"
