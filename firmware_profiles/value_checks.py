"""Values that can never come: raw ones that a field's bits do not have, and wanted ones that no field is ever worth."""

import difflib
from collections.abc import Iterator
from typing import Final

from firmware_profiles.base import OneOrMore, Scalar, key_of
from firmware_profiles.fields import SIZES, SPACES, FieldSpec
from firmware_profiles.model import Profile

Loc = tuple[str | int, ...]
Fault = tuple[Loc, str]
_BOOL_KEYS: Final = frozenset({"true", "false", "0", "1"})
_NUMBERS: Final = frozenset({*SIZES, "bcd"})


def value_faults(profile: Profile) -> Iterator[Fault]:
    """What a profile asks for and will never see."""
    for name, field in profile.fields.items():
        yield from _raw_faults(("fields", name), field)
        yield from _near_booleans(("fields", name), field)
        for other, wanted in field.only_if.items():
            yield from _wanted_faults(profile, ("fields", name, "only_if", other), other, wanted)
    for index, rule in enumerate(profile.events):
        for name, wanted in rule.when.items():
            yield from _wanted_faults(profile, ("events", index, "when", name), name, wanted)
    for command, spec in profile.commands.items():
        for name, value in spec.confirm.items():
            yield from _wanted_faults(profile, ("commands", command, "confirm", name), name, value)


def _raw_faults(loc: Loc, field: FieldSpec) -> Iterator[Fault]:
    """Keys of `enum` that the field's bits cannot be."""
    if field.enum is None or field.scale is not None or field.location not in (*SPACES, "at", "tag"):
        return
    is_bit = field.bit is not None or field.location in ("coil", "discrete") or field.type == "bool"
    kind = field.type or ("uint16" if field.space is not None else "uint8")
    if not is_bit and kind not in _NUMBERS:
        return
    lowest, highest = (0, 1) if is_bit else _range_of(field, kind)
    for key in field.enum:
        if is_bit and key in _BOOL_KEYS:
            continue
        number = _number(key)
        if number is None:
            yield (*loc, "enum", key), f"{key!r} never comes: the raw value is a number; write it as the manual does"
        elif not lowest <= number <= highest:
            yield (
                (*loc, "enum", key),
                f"{key} never comes: the raw value is {lowest:g} to {highest:g}; mend it or `type`",
            )


def _range_of(field: FieldSpec, kind: str) -> tuple[float, float]:
    if field.mask is not None:
        width = (field.mask // (field.mask & -field.mask)).bit_length()
        return (-(1 << width - 1), (1 << width - 1) - 1) if field.signed else (0, (1 << width) - 1)
    if kind == "bcd":
        return 0, 10.0 ** (2 * (field.length or 1)) - 1
    if kind.startswith("float"):
        return float("-inf"), float("inf")
    bits = 8 * SIZES[kind]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if kind.startswith("int") else (0, (1 << bits) - 1)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _near_booleans(loc: Loc, field: FieldSpec) -> Iterator[Fault]:
    """`fasle` among trues: text, which no condition ever meets."""
    meanings = list((field.enum or {}).items())
    if not any(isinstance(meaning, bool) for _, meaning in meanings):
        return
    for key, meaning in meanings:
        near = (
            difflib.get_close_matches(meaning, ("true", "false"), n=1, cutoff=0.7) if isinstance(meaning, str) else []
        )
        if near:
            yield (*loc, "enum", key), f"{meaning!r} is text; did you mean {near[0]}?"


def _wanted_faults(profile: Profile, loc: Loc, name: str, wanted: OneOrMore) -> Iterator[Fault]:
    field = profile.fields.get(name)
    possible = None if field is None else _worths(field)
    if possible is None:
        return
    for value in wanted if isinstance(wanted, list) else [wanted]:
        if key_of(value) not in possible:
            known = ", ".join(sorted(possible))
            yield loc, f"field {name!r} is never {_written(value)}; it is {known}"


def _worths(field: FieldSpec) -> set[str] | None:
    """All that a field can be worth; None where that has no end."""
    if field.enum is not None:
        if field.invert:
            return {"true", "false"}
        return {key_of(value) for value in (*field.enum.values(), field.otherwise) if value is not None}
    return {"true", "false"} if field.is_boolean else None


def _written(value: Scalar) -> str:
    return key_of(value) if isinstance(value, bool) else repr(value)
