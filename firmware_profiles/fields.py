"""Where a value stands in what a device says, and how its bits are read."""

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from firmware_profiles.base import ByteOrder, FieldName, Hex, OneOrMore, Scalar, Table, key_of

LOCATIONS: Final = ("coil", "discrete", "input", "holding", "at", "tag", "json", "text", "item", "topic_level")
"""The keys that say where a value stands; a field has exactly one (`tag` may have `at` beside it)."""

SPACES: Final = ("coil", "discrete", "input", "holding")
"""The four address spaces of Modbus (functions 1, 2, 4, 3)."""

SIZES: Final = {
    "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint24": 3, "int24": 3, "uint32": 4, "int32": 4,
    "uint48": 6, "uint64": 8, "int64": 8, "float32": 4, "float64": 8,
}  # fmt: skip
"""Bytes of each number type."""

RegisterAddress = Annotated[int, Field(ge=0, le=65_535)]
_TEXT_TYPES: Final = ("ascii", "gb18030", "utf8", "hex", "bcd", "bool", "number")


def _enum_keys(table: object) -> object:
    """Keys of an enumeration in the one form in which values are compared."""
    if not isinstance(table, dict):
        return table
    return {
        key_of(key) if key is None or isinstance(key, bool | int | float | str) else key: table[key] for key in table
    }


Enumeration = Annotated[dict[str, Scalar | None], BeforeValidator(_enum_keys)]


class FieldSpec(Table):
    """One value of the device: where it stands, how its bits are read, what they mean."""

    coil: Annotated[RegisterAddress | None, Field(description="Modbus coil (function 1), 0-based PDU address")] = None
    discrete: Annotated[RegisterAddress | None, Field(description="Modbus discrete input (function 2)")] = None
    input: Annotated[RegisterAddress | None, Field(description="Modbus input register (function 4)")] = None
    holding: Annotated[RegisterAddress | None, Field(description="Modbus holding register (function 3)")] = None
    at: Annotated[
        int | None, Field(ge=-1024, le=1024, description="offset of the first byte; negative counts from the end")
    ] = None
    tag: Annotated[Hex | None, Field(description="tag of a TLV record; `at` then counts inside the record")] = None
    json_path: Annotated[
        str | list[str | int] | None,
        Field(alias="json", description="path in the JSON: `a.b[0].c`, or a list where a key has a dot"),
    ] = None
    text: Annotated[Literal[True] | None, Field(description="the whole payload as text")] = None
    item: Annotated[
        str | None, Field(pattern=r"^[a-z0-9_.]{1,40}$", description="a value that the protocol itself names")
    ] = None
    topic_level: Annotated[
        int | None, Field(ge=-16, le=16, description="this level of the MQTT topic, from 0; negative from the end")
    ] = None
    of: Annotated[str | None, Field(description="only in messages of this topic name or message type")] = None
    only_if: Annotated[dict[FieldName, OneOrMore], Field(description="only when fields above have these values")] = {}

    type: Annotated[
        Literal[
            "uint8", "int8", "uint16", "int16", "uint24", "int24", "uint32", "int32", "uint48", "uint64", "int64",
            "float32", "float64", "ascii", "gb18030", "utf8", "hex", "bcd", "bool", "number",
        ]
        | None,
        Field(description="how the bytes are read; default uint16 in registers, uint8 in bytes, as it is in JSON"),
    ] = None  # fmt: skip
    length: Annotated[int | None, Field(ge=1, le=256, description="bytes of a text, hex or BCD value")] = None
    byte_order: ByteOrder = "big"
    word_order: Annotated[ByteOrder, Field(description="order of the 16-bit words of a long value")] = "big"
    bit: Annotated[int | None, Field(ge=0, le=63, description="this bit, 0 is the least significant")] = None
    mask: Annotated[int | None, Field(ge=1, description="these bits, shifted down to bit 0")] = None

    missing: Annotated[list[Scalar], Field(description="raw values that mean: not measured")] = []
    scale: float | None = None
    offset: float | None = None
    clamp: Annotated[
        list[float] | None,
        Field(min_length=2, max_length=2, description="lowest and highest value; what is beyond is one of them"),
    ] = None
    enum: Annotated[Enumeration | None, Field(description="raw value -> meaning; null: no meaning for us")] = None
    otherwise: Annotated[Scalar | None, Field(description="meaning of values that `enum` does not list")] = None
    at_least: Annotated[float | None, Field(description="true when the value is this or more")] = None
    at_most: Annotated[float | None, Field(description="true when the value is this or less")] = None
    invert: Annotated[bool, Field(description="true when the raw value is 0 or false")] = False
    hash: Annotated[
        Literal["card", "pin"] | None, Field(description="a credential's number: kept only as its reference")
    ] = None

    debounce_s: Annotated[float, Field(ge=0, le=3600, description="a new value counts when it held so long")] = 0
    stale_after_s: Annotated[float | None, Field(gt=0, description="older than this it is not believed")] = None
    deadband: Annotated[float | None, Field(ge=0, description="a smaller change is not worth an event")] = None

    @property
    def space(self) -> str | None:
        """The Modbus address space, or None elsewhere."""
        return next((name for name in SPACES if getattr(self, name) is not None), None)

    @property
    def location(self) -> str:
        """The one key of LOCATIONS that says where the value stands; `tag` wins over `at`."""
        found = [name for name in LOCATIONS if getattr(self, "json_path" if name == "json" else name) is not None]
        return "tag" if "tag" in found else found[0]

    @property
    def is_boolean(self) -> bool:
        """Whether the value is true or false by construction."""
        if self.enum is not None:
            return all(value is None or isinstance(value, bool) for value in self.enum.values())
        return (
            self.bit is not None
            or self.invert
            or self.at_least is not None
            or self.at_most is not None
            or self.type == "bool"
            or self.location in ("coil", "discrete")
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = [name for name in LOCATIONS if getattr(self, "json_path" if name == "json" else name) is not None]
        if len(found) != 1 and sorted(found) != ["at", "tag"]:
            raise ValueError(
                f"say where the value stands with exactly one of {', '.join(LOCATIONS)}; here: {found or 'none'}"
            )
        if self.bit is not None and self.mask is not None:
            raise ValueError("bit and mask exclude each other; keep one")
        if self.bit is not None and (self.scale is not None or self.offset is not None):
            raise ValueError("a bit has no scale or offset; remove them or the bit")
        if self.type in ("ascii", "gb18030", "utf8", "hex", "bcd") and self.location in ("at", "tag", *SPACES):
            if self.length is None:
                raise ValueError(f"type {self.type} needs `length` in bytes")
        elif self.length is not None:
            raise ValueError("length belongs to the types ascii, gb18030, utf8, hex and bcd in bytes or registers")
        if self.clamp is not None and (self.clamp[0] >= self.clamp[1] or self.enum is not None or self.bit is not None):
            raise ValueError("clamp is [lowest, highest] of a number; it does not go with enum or bit")
        if self.otherwise is not None and self.enum is None:
            raise ValueError("otherwise belongs to enum; add enum or remove it")
        if self.type in _TEXT_TYPES[:4] and (self.bit is not None or self.mask is not None or self.scale is not None):
            raise ValueError(f"type {self.type} is text: bit, mask and scale do not apply")
        if self.hash is not None and (self.enum is not None or self.deadband is not None or self.scale is not None):
            raise ValueError("a credential's number is only hashed: enum, scale and deadband do not apply")
        return self

    @property
    def has_otherwise(self) -> bool:
        """Whether the author said what unlisted values mean, be it null."""
        return "otherwise" in self.model_fields_set
