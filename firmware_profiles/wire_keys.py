"""What the wire events let a rule fill: the keys of each kind's data and the values that they take."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from firmware_profiles.base import Scalar
from wire.events import EVENT_TYPES


@dataclass(frozen=True, slots=True)
class WireKey:
    """One key of an event's data, e.g. `credential.slot`."""

    types: frozenset[str]
    """Of bool, int, float, str, list."""
    choices: frozenset[str]
    """The words it is limited to; empty: any."""
    is_required: bool
    kind: Any = Any
    """The wire's own type, with its bounds."""

    def fault(self, value: Scalar) -> str | None:
        """Why the wire does not take a value of the right sort: it lies beyond a bound."""
        try:
            msgspec.convert(value, self.kind)
        except msgspec.ValidationError as error:
            return str(error)
        return None


_THE_GATEWAYS: Final = frozenset({("device.health", "profile")})
"""What the gateway itself fills, and no rule of a profile may."""

_PLAIN: Final = (
    (inspect.BoolType, "bool"),
    (inspect.IntType, "int"),
    (inspect.FloatType, "float"),
    (inspect.StrType, "str"),
    (inspect.LiteralType, "str"),
    (inspect.ListType, "list"),
)


def _flatten(kind: inspect.Type) -> list[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        return _flatten(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [inner for option in kind.types for inner in _flatten(option)]
    return [kind]


@cache
def wire_keys(kind: str) -> dict[str, WireKey]:
    """The keys of the data of a wire kind, nested ones dotted."""
    data = msgspec.structs.fields(EVENT_TYPES[kind])
    struct = next(field.type for field in data if field.name == "data")
    found = _keys_of(struct, "", is_required=True)
    return {key: spec for key, spec in found.items() if (kind, key) not in _THE_GATEWAYS}


def _keys_of(struct: type, prefix: str, *, is_required: bool) -> dict[str, WireKey]:
    found: dict[str, WireKey] = {}
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    kinds = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for field in info.fields:
        options = _flatten(field.type)
        nested = next((option for option in options if isinstance(option, inspect.StructType)), None)
        needed = is_required and field.required
        if nested is not None:
            found |= _keys_of(nested.cls, f"{prefix}{field.name}.", is_required=needed)
            continue
        types = frozenset(name for option in options for cls, name in _PLAIN if isinstance(option, cls))
        choices = frozenset(
            str(value) for option in options if isinstance(option, inspect.LiteralType) for value in option.values
        )
        if types:
            found[f"{prefix}{field.encode_name}"] = WireKey(types, choices, needed, kinds[field.name])
    return found
