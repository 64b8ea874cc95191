"""Fills the data of a wire event from plain values, held against the wire's own types."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from firmware_profiles.wire_keys import WireKey, wire_keys
from wire.events import EVENT_TYPES, KnownEvent

DEADBANDS: Final[dict[str, float]] = {
    "rssi_dbm": 10.0,
    "obscuration_pct_per_m": float("inf"),
    "smoke_ppm": float("inf"),
    "temperature_c": float("inf"),
}
"""Change of a number that is worth an event where a field does not say. Analog values of a detector only go along with
its state: the urgent lane is for what happened, not for a drifting temperature."""


class TranslationError(ValueError):
    """A value that the wire does not have a word for."""


def event_of(device_id: str, unit: str | None, kind: str, data: Mapping[str, Any], observed_at: datetime) -> KnownEvent:
    """The wire event `kind` with `data` (dotted keys for nested ones). Raises TranslationError."""
    keys = wire_keys(kind)
    nested: dict[str, Any] = {}
    for key, value in data.items():
        head, _, tail = key.partition(".")
        plain = _plain(key, value, keys[key])
        if tail:
            nested.setdefault(head, {})[tail] = plain
        else:
            nested[head] = plain
    if "credential" in nested:
        nested["credential"].setdefault("type", "unknown")
    cls = EVENT_TYPES[kind]
    data_type = next(item.type for item in msgspec.structs.fields(cls) if item.name == "data")
    try:
        body = msgspec.convert(nested, data_type)
    except msgspec.ValidationError as error:
        raise TranslationError(f"{kind}: {error}") from error
    event: Any = cls(observed_at=observed_at, device=device_id, unit=unit, data=body)
    return event  # type: ignore[no-any-return]  # EVENT_TYPES holds exactly the members of KnownEvent


def _number(key: str, text: str) -> int | float:
    """The number that a text is, as devices that speak in text or quote their numbers write it."""
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError as error:
        raise TranslationError(f"{key}: {text!r} is not a number; give the field an enum or `missing`") from error


def _plain(key: str, value: Any, spec: WireKey) -> Any:
    """A field's value as the type of a wire key. Raises TranslationError."""
    plain = value
    if "list" in spec.types:
        plain = [word for word in str(value).split(",") if word]
    elif "bool" in spec.types and isinstance(value, int | float) and value in (0, 1):
        plain = bool(value)
    elif isinstance(value, bool):
        raise TranslationError(f"{key}: {value!r} is not {' or '.join(sorted(spec.types))}")
    elif "str" in spec.types:
        plain = str(value)
    elif "bool" in spec.types and isinstance(value, str):
        raise TranslationError(f"{key}: {value!r} is neither true nor false; give the field an enum or `type: bool`")
    elif isinstance(value, str):
        plain = _number(key, value)
    elif "float" in spec.types and isinstance(value, int):
        plain = float(value)
    elif "int" in spec.types and isinstance(value, float) and value.is_integer():
        plain = int(value)
    return plain
