"""What the lines of a capture say, message by message, through the codecs that the drivers use."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from edge_agent.capture_lines import Line
from edge_agent.protocols import osdp
from edge_agent.protocols.gb26875.frame import Frame as GbFrame
from edge_agent.protocols.gb26875.frame import Framer as GbFramer
from edge_agent.protocols.gb26875_items import messages_of as gb_messages_of
from edge_agent.protocols.ha_discovery import Entity, entities_of
from edge_agent.protocols.ha_template import TemplateFault
from edge_agent.protocols.message import ABSENT, Message
from edge_agent.protocols.modbus import registers_in
from edge_agent.protocols.osdp_items import message_of as osdp_message_of
from edge_agent.protocols.payload import is_of, split
from firmware_profiles.model import Profile
from firmware_profiles.transports import (
    Gb26875Transport,
    HomeAssistantTransport,
    ModbusTransport,
    MqttTransport,
    OsdpTransport,
)

Said = tuple[float, Message | None, str | None]
"""(when, message, fault). Neither: the device was heard and said nothing."""


def messages_in(lines: Sequence[Line], profile: Profile, address: str | None = None) -> Iterator[Said]:
    """The messages of a capture and the faults of its frames, in order; of one device, where messages name theirs."""
    transport = profile.transport
    match transport:
        case OsdpTransport():
            yield from _osdp(lines, transport, _number(address))
        case Gb26875Transport():
            yield from _gb(lines, transport, _number(address))
        case ModbusTransport():
            for t, message, fault in _modbus(lines, _number(address)):
                parts = [message] if message is None else split(message, profile.decoder)[0]
                yield from ((t, part, fault) for part in parts)
        case HomeAssistantTransport():
            yield from _announced(lines)
        case _:
            for line in lines:
                yield from _published(line, profile, address)


def _number(address: str | None) -> int | None:
    """A bus address as people write it; None for all."""
    return int(address, 0) if address is not None and re.fullmatch(r"0[xX][0-9a-fA-F]+|[0-9]+", address) else None


def _osdp(lines: Sequence[Line], transport: OsdpTransport, address: int | None) -> Iterator[Said]:
    framer = osdp.Framer()
    for index, line in enumerate(lines):
        found = framer.feed(bytes.fromhex(line.hex or ""))
        for frame in chain(found, framer.idle() if index == len(lines) - 1 else ()):
            if isinstance(frame, osdp.FrameError):
                yield line.t, None, f"frame: {frame.reason}"
            elif address not in (None, frame.address):
                continue
            elif frame.is_reply and (message := osdp_message_of(frame, transport)) is not None:
                yield line.t, _granted(message), None


def _granted(message: Message) -> Message:
    """A recording does not say who decided: what the reader let through counts as granted."""
    if "card" not in message.items and "pin" not in message.items:
        return message
    return Message(items={**message.items, "decision": "granted"})


def _gb(lines: Sequence[Line], transport: Gb26875Transport, address: int | None) -> Iterator[Said]:
    framer = GbFramer()
    for index, line in enumerate(lines):
        found = framer.feed(bytes.fromhex(line.hex or ""))
        for frame in chain(found, framer.idle() if index == len(lines) - 1 else ()):
            if not isinstance(frame, GbFrame):
                yield line.t, None, f"frame: {frame.reason}"
                continue
            if address not in (None, frame.source):
                continue
            messages, faults = gb_messages_of(frame, transport)
            yield from ((line.t, message, None) for message in messages)
            yield from ((line.t, None, fault) for fault in faults)


def _modbus(lines: Sequence[Line], address: int | None) -> Iterator[Said]:
    """A request and the answer after it, in as many pieces as it came. A request without an answer is passed over.

    Registers of several slaves are not mixed: without `address` the first that is asked is followed.
    """
    request, answer, t = b"", b"", 0.0
    for line in [*lines, Line(0.0, ">", "")]:
        # Without directions requests and answers take turns.
        asks = line.dir == ">" or (not line.dir and (bool(answer) or not request))
        raw = bytes.fromhex(line.hex or "")
        if not asks:
            answer, t = answer + raw, line.t
            continue
        if request and answer:
            address = request[0] if address is None else address
        if request and answer and request[0] == address:
            registers, fault = registers_in([request, answer])
            yield t, Message(registers=registers) if registers else None, fault
        request, answer = raw, b""


def _announced(lines: Sequence[Line]) -> Iterator[Said]:
    """States of what a capture announces by Home Assistant's discovery."""
    entities: dict[str, Entity] = {}
    for line in lines:
        body = ABSENT if line.json is msgspec.UNSET else line.json
        if line.topic.endswith("/config"):
            found, faults = entities_of(line.topic, body, line.topic.partition("/")[0])
            entities |= {entity.key: entity for entity in found}
            yield from ((line.t, None, fault) for fault in faults)
            continue
        text = line.text if line.text is not None else json.dumps(line.json)
        for entity in entities.values():
            if entity.state_topic == line.topic:
                try:
                    value = entity.value(text, None if body is ABSENT else body)
                except TemplateFault as fault:
                    yield line.t, None, f"template: {fault}"
                    continue
                if value is not None:
                    yield line.t, Message(items=entity.items(value), topic=line.topic), None


def _published(line: Line, profile: Profile, address: str | None) -> Iterator[Said]:
    """A message of Zigbee2MQTT or of a profile's topics; what a broker says beside them is passed over."""
    transport = profile.transport
    body: Any = ABSENT if line.json is msgspec.UNSET else line.json
    data = bytes.fromhex(line.hex) if line.hex is not None else None
    name, text = line.name, line.text
    if isinstance(transport, MqttTransport):
        name = name or _name_of(transport, line.topic)
        if transport.payload == "json":
            text = text if body is ABSENT else None
        elif transport.payload == "bytes" and data is None and text is not None:
            data = _from_hex(text)
        if not name and line.topic:
            return
    elif line.topic.endswith("/availability") or "/bridge/" in line.topic:
        return
    messages, fault = split(Message(data=data, json=body, text=text, channel=name, topic=line.topic), profile.decoder)
    if fault is not None:
        yield line.t, None, fault
    path = transport.address_at if isinstance(transport, MqttTransport) and address is not None else None
    yield from ((line.t, message, None) for message in messages if is_of(message, path, address or ""))


def _name_of(transport: MqttTransport, topic: str) -> str:
    """The name of the profile's topic that a message came on; any level may be the device's address."""
    levels = topic.split("/")
    for name, pattern in transport.topics.items():
        parts = pattern.split("/")
        is_longer = parts[-1] == "#" and len(levels) >= len(parts) - 1
        if (is_longer or len(parts) == len(levels)) and all(
            part in ("+", "#", level) or "{address}" in part for part, level in zip(parts, levels, strict=False)
        ):
            return name
    return ""


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.replace(":", " "))
    except ValueError:
        return text.encode()
