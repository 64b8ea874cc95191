"""The information objects of GB/T 26875.3-2011 as the items that profiles name.

Objects that no clause explains are kept: a profile reads vendors' own types (128 to 254) with `at:` out of one
object's bytes.
"""

from collections.abc import Iterator
from typing import Final

from edge_agent.protocols.gb26875 import (
    Analog,
    ComponentConfig,
    ComponentState,
    Frame,
    Operation,
    SystemState,
    TransmitterState,
    Unparsed,
    Version,
    decode_app_data,
)
from edge_agent.protocols.gb26875.objects import AppObject
from edge_agent.protocols.message import Message
from firmware_profiles.base import Scalar
from firmware_profiles.transports import Gb26875Transport

CHANNELS: Final = {
    1: "system_state", 2: "component_state", 3: "component_analog", 4: "operation", 5: "version",
    6: "system_config", 7: "component_config", 8: "system_time", 21: "transmitter_state",
    24: "transmitter_operation", 25: "transmitter_version", 26: "transmitter_config", 28: "transmitter_time",
}  # fmt: skip
"""Type flag -> the name that a field's `of` uses; `type_130` for the rest."""


def messages_of(frame: Frame, transport: Gb26875Transport) -> tuple[list[Message], list[str]]:
    """One message for each information object of a frame, and what could not be read. A heartbeat has none."""
    app = decode_app_data(frame.app_data)
    if app is None:
        return [], []
    channel = CHANNELS.get(app.type_flag, f"type_{app.type_flag}")
    messages, faults = [], []
    for item in app.objects:
        if isinstance(item, Unparsed) and app.type_flag in CHANNELS:
            faults.append(f"objects: {item.reason}")
            continue
        items = {"type": app.type_flag, **_items(item, transport)}
        messages += [Message(items=items, data=data, channel=channel) for data in _parts(item, frame.app_data)]
    return messages, faults


def _parts(item: AppObject, app_data: bytes) -> Iterator[bytes | None]:
    """The bytes of each object of a vendor's own type, which share the body evenly; one part for a known object."""
    if not isinstance(item, Unparsed):
        yield None
        return
    count = app_data[1] if len(app_data) > 1 else 1
    size = len(item.data) // count if count and len(item.data) % count == 0 else len(item.data)
    for start in range(0, len(item.data), size or 1):
        yield item.data[start : start + size]


def _items(item: AppObject, transport: Gb26875Transport) -> dict[str, Scalar]:
    items: dict[str, Scalar] = {}
    for name in ("system_type", "system_address", "component_type"):
        value = getattr(item, name, None)
        if value is not None:
            items[name] = value
    at = getattr(item, "at", None)
    if at is not None and transport.time_tags == "binary":
        items["time"] = at.isoformat()
    match item:
        case ComponentState():
            items |= _place(item, transport) | {"text": item.note, "state": item.bits, "states": ",".join(item.states)}
        case SystemState() | TransmitterState():
            items |= {"state": item.bits, "states": ",".join(item.states)}
        case Analog():
            items |= _place(item, transport) | {"analog_type": item.analog_type, "analog_value": item.value}
        case Operation():
            items |= {"operation": item.flags, "operator": item.operator}
        case ComponentConfig():
            items |= _place(item, transport) | {"text": item.note}
        case Version():
            items["version"] = f"{item.major}.{item.minor}"
    return items


def _place(item: ComponentState | Analog | ComponentConfig, transport: Gb26875Transport) -> dict[str, Scalar]:
    """Zone and position; some vendors send them high byte first."""
    zone, position = item.zone, item.position
    if transport.address_order == "big":
        zone, position = (int.from_bytes(value.to_bytes(2, "little"), "big") for value in (zone, position))
    return {"zone": zone, "position": position, "address": f"{zone}.{position}"}
