"""How a device is reached, and how its bytes are cut and checked before its fields are read."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from firmware_profiles.base import ByteOrder, FieldName, Hex, Json, JsonPath, Scalar, Table

Seconds = Annotated[float, Field(gt=0, le=86_400)]

CHECKSUMS = Literal[
    "sum8", "sum8-zero", "xor8", "crc8", "crc16-modbus", "crc16-ccitt-false", "crc16-xmodem", "crc16-aug-ccitt", "crc32"
]


class Checksum(Table):
    """A checksum of a closed list. `sum8-zero`: all bytes, the checksum too, add up to 0 modulo 256."""

    kind: CHECKSUMS
    at: Annotated[int, Field(ge=-64, le=1024, description="offset of its first byte; negative from the end")] = -1
    start: Annotated[int, Field(ge=0, le=1024, description="first byte that it covers")] = 0
    end: Annotated[
        int | None, Field(ge=-64, le=1024, description="first byte that it does not cover; default: the checksum")
    ] = None
    byte_order: ByteOrder = "big"


class Tlv(Table):
    """Records of a tag and a value one after another, as many LoRaWAN sensors send."""

    tag_bytes: Annotated[int, Field(ge=1, le=4)] = 1
    length_bytes: Annotated[int, Field(ge=0, le=2, description="0: the lengths are those of `lengths`")] = 0
    lengths: Annotated[
        dict[Hex, Annotated[int, Field(ge=0, le=255)]], Field(description="tag -> bytes of its value")
    ] = {}


class Decoder(Table):
    """How bytes become something fields can be read from."""

    each: Annotated[
        JsonPath | None,
        Field(description="path of an array whose elements are messages of their own; `$.` then is the whole message"),
    ] = None
    channels: Annotated[
        int | None,
        Field(ge=2, le=256, description="one message for each of so many like parts; `step` and `bit_step` of fields"),
    ] = None
    json_path: Annotated[JsonPath | None, Field(alias="json", description="where in the JSON the payload stands")] = (
        None
    )
    encoding: Annotated[Literal["base64", "hex"] | None, Field(description="how the payload is written there")] = None
    length: Annotated[int | None, Field(ge=1, le=1024, description="bytes of every message")] = None
    min_length: Annotated[int | None, Field(ge=1, le=1024, description="bytes that a message has at least")] = None
    starts_with: Annotated[Hex | None, Field(description="bytes with which every message begins")] = None
    checksum: Checksum | None = None
    tlv: Tlv | None = None
    separator: Annotated[
        str | None, Field(min_length=1, max_length=4, description="cuts a text into columns; blanks around them go")
    ] = None
    pairs: Annotated[
        str | None, Field(min_length=1, max_length=4, description="between the name and the value of a column: `=`")
    ] = None


class ModbusTransport(Table):
    """A Modbus slave on a serial line or behind TCP. Addresses are those of the PDU, from 0."""

    kind: Literal["modbus"]
    poll_s: Seconds = 1.0
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 0.5
    baud: Annotated[int | None, Field(ge=1200, le=1_000_000, description="as it leaves the factory")] = None
    parity: Literal["N", "E", "O"] | None = None
    stop_bits: Literal[1, 2] | None = None
    address_base: Annotated[Literal[0, 1], Field(description="1: the manual counts registers from 1")] = 0
    max_read: Annotated[int, Field(ge=1, le=125, description="registers or bits in one request")] = 60
    max_gap: Annotated[int, Field(ge=0, le=60, description="unused registers read along to save a request")] = 4


class OsdpTransport(Table):
    """A reader on an OSDP bus (IEC 60839-11-5)."""

    kind: Literal["osdp"]
    baud: Annotated[
        Literal[9600, 19200, 38400, 57600, 115200, 230400] | None, Field(description="the rates of the standard")
    ] = None
    decides: Annotated[
        Literal["reader", "gateway"],
        Field(description="who lets people in: the lock itself, which reports what it did, or the gateway's list"),
    ] = "reader"
    card_order: Annotated[ByteOrder, Field(description="little: the reader sends a card's UID reversed")] = "big"
    card_format: Annotated[
        Literal["auto", "raw"], Field(description="raw: the bits are a number, whatever their count; no parity")
    ] = "auto"
    vendor: Annotated[
        int | None,
        Field(
            ge=0,
            le=0xFFFFFF,
            description="vendor code (IEEE OUI) of vendor replies, as its three bytes stand on the line",
        ),
    ] = None
    vendor_poll: Annotated[Hex | None, Field(min_length=2, description="vendor command sent every `vendor_poll_s`")] = (
        None
    )
    vendor_poll_s: Seconds = 10.0


class Zigbee2MqttTransport(Table):
    """A Zigbee device as Zigbee2MQTT publishes it."""

    kind: Literal["zigbee2mqtt"]
    models: Annotated[list[str], Field(description="`definition.model` in bridge/devices, for discovery")] = []


def _check_topic(name: str, topic: str, *, is_filter: bool = True) -> None:
    """Raises ValueError for what is no topic filter (or no topic), or has a place holder other than {address}."""
    for holder in re.findall(r"{[^}]*}?", topic):
        if holder != "{address}":
            raise ValueError(f"topic {name}: {holder} is not known; write {{address}}")
    levels = topic.split("/")
    is_wild = any("+" in level or "#" in level for level in levels)
    if is_wild and not is_filter:
        raise ValueError(f"topic {name}: {topic!r}: a message is sent to one topic; + and # have no place in it")
    for index, level in enumerate(levels):
        if ("+" in level and level != "+") or ("#" in level and (level != "#" or index != len(levels) - 1)):
            raise ValueError(f"topic {name}: {topic!r}: + is a whole level, # the last one; mend the topic")
    if not topic:
        raise ValueError(f"topic {name}: it is empty; write one with {{address}} in it")


class MqttTransport(Table):
    """A device that publishes on MQTT in words of its own. `{address}` is the device's address of the configuration."""

    kind: Literal["mqtt"]
    payload: Literal["json", "text", "bytes"] = "json"
    topics: Annotated[
        dict[FieldName, str], Field(min_length=1, max_length=16, description="name -> topic filter with {address}")
    ]
    address_at: Annotated[
        JsonPath | None,
        Field(description="where the JSON names the device, when several share a topic; it must be the address"),
    ] = None
    online_topic: str | None = None
    online_payloads: Annotated[list[str], Field(description="payloads that mean: it is there")] = ["online", "Online"]
    qos: Literal[0, 1] = 1

    @model_validator(mode="after")
    def _address_tells_devices_apart(self) -> Self:
        for name, topic in self.topics.items():
            _check_topic(name, topic)
            if "{address}" not in topic and self.address_at is None:
                raise ValueError(
                    f"topic {name}: {topic!r} has no {{address}}; without it every device would hear all. "
                    "Where the message names its device, say `address_at: PATH`"
                )
        if self.address_at is not None and self.payload != "json":
            raise ValueError("address_at is a path in JSON; remove it, or say `payload: json`")
        if self.online_topic is not None:
            _check_topic("online_topic", self.online_topic)
        return self


class Gb26875Transport(Table):
    """A user information transmission device of GB/T 26875.3-2011."""

    kind: Literal["gb26875"]
    address_order: Annotated[ByteOrder, Field(description="byte order of zone and position; the standard: little")] = (
        "little"
    )
    heartbeat_s: Annotated[Seconds, Field(description="silence after which the device is offline")] = 90.0
    sync_time: Annotated[bool, Field(description="set its clock when it connects, and when it asks")] = True
    time_tags: Annotated[
        Literal["binary", "bcd"], Field(description="how its clock is written; bcd: as some vendors do")
    ] = "binary"


class HomeAssistantTransport(Table):
    """A device that announces itself by Home Assistant's MQTT discovery."""

    kind: Literal["home-assistant"]


Transport = Annotated[
    ModbusTransport | OsdpTransport | Zigbee2MqttTransport | MqttTransport | Gb26875Transport | HomeAssistantTransport,
    Field(discriminator="kind"),
]


_Word = Annotated[int, Field(ge=0, le=65_535)]


class RegisterWrite(Table):
    """One write to a Modbus slave: a coil (function 5) or a holding register (function 6); a list: 15 and 16."""

    coil: Annotated[int | None, Field(ge=0, le=65_535)] = None
    holding: Annotated[int | None, Field(ge=0, le=65_535)] = None
    value: Annotated[
        bool | _Word | Annotated[list[_Word], Field(min_length=1, max_length=64)],
        Field(description="one value, or a list that is written at once (functions 15 and 16)"),
    ]

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.coil is None) == (self.holding is None):
            raise ValueError("write to exactly one of coil and holding")
        return self


class OsdpAction(Table):
    """What an OSDP reader is told: a relay, the light, the sounder, or vendor data."""

    output: Annotated[int | None, Field(ge=0, le=7)] = None
    on: bool = True
    timer_ms: Annotated[int, Field(ge=0, le=6_553_500, description="0: for good")] = 0
    led: Literal["red", "green", "amber", "blue", "off"] | None = None
    buzzer: Literal["on", "off"] | None = None
    vendor_data: Annotated[Hex | None, Field(min_length=2)] = None


class Publish(Table):
    """A message to an MQTT device: to its `set` topic (Zigbee2MQTT) or the named topic."""

    topic: Annotated[str | None, Field(description="with {address}; Zigbee2MQTT devices need none")] = None
    json_body: Annotated[Json, Field(alias="json", description="any JSON value but null")] = None
    text: str | None = None
    hex: Hex | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.topic is not None:
            _check_topic("of the message", self.topic, is_filter=False)
        if sum(body is not None for body in (self.json_body, self.text, self.hex)) != 1:
            raise ValueError("give exactly one of json, text and hex")
        return self


class CommandSpec(Table):
    """What a command of ours does to the device. Exactly one of write, osdp, publish, gb26875."""

    write: Annotated[list[RegisterWrite] | None, Field(min_length=1, max_length=8)] = None
    osdp: Annotated[list[OsdpAction] | None, Field(min_length=1, max_length=8)] = None
    publish: Annotated[list[Publish] | None, Field(min_length=1, max_length=8)] = None
    gb26875: Literal["sync_time", "inspect", "reset"] | None = None
    confirm: Annotated[dict[FieldName, Scalar], Field(description="done when these fields have these values")] = {}
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.write, self.osdp, self.publish, self.gb26875)) != 1:
            raise ValueError("give exactly one of write, osdp, publish and gb26875")
        return self
