"""What Zigbee2MQTT says on its bridge topics, and what must not leave the topic of a lock."""

from dataclasses import dataclass
from typing import Any, Final

MAX_DEPTH: Final = 16
_SECRET_KEYS: Final = ("pin_code", "pincode", "pin", "password", "keyboardpwd", "rfid_code")


@dataclass(frozen=True, slots=True)
class BridgeDevice:
    """A device that Zigbee2MQTT knows."""

    ieee: str
    friendly_name: str
    model: str
    vendor: str
    is_supported: bool
    firmware: str = ""


def devices_of(payload: Any) -> list[BridgeDevice]:
    """The devices of `bridge/devices`, without the coordinator. Entries of another shape are left out."""
    found = []
    for entry in payload if isinstance(payload, list) else []:
        if not isinstance(entry, dict) or entry.get("type") == "Coordinator":
            continue
        definition = entry.get("definition") or {}
        ieee, name = entry.get("ieee_address"), entry.get("friendly_name")
        if isinstance(ieee, str) and isinstance(name, str) and isinstance(definition, dict):
            model, vendor = str(definition.get("model", "")), str(definition.get("vendor", ""))
            firmware = str(entry.get("software_build_id") or "")
            found.append(BridgeDevice(ieee, name, model, vendor, bool(entry.get("supported")), firmware))
    return found


def is_online(payload: bytes) -> bool | None:
    """`{"state":"online"}` or, from older releases, the plain word; None for neither."""
    text = payload.decode("utf-8", errors="replace")
    if "online" in text and "offline" not in text:
        return True
    return False if "offline" in text else None


def without_secrets(value: Any, depth: int = 0) -> Any:
    """A state with every PIN, code and password removed, wherever it stands."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {
            key: without_secrets(item, depth + 1)
            for key, item in value.items()
            if not str(key).lower().startswith(_SECRET_KEYS)
        }
    if isinstance(value, list):
        return [without_secrets(item, depth + 1) for item in value]
    return value
