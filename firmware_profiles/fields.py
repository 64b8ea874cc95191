"""Where a value stands in what a device says, and how its bits are read."""

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from firmware_profiles.base import ByteOrder, FieldName, Hex, JsonPath, OneOrMore, Scalar, Table, key_of

LOCATIONS: Final = (
    "coil", "discrete", "input", "holding", "at", "tag", "json", "text", "column", "item", "topic_level"
)  # fmt: skip
"""The keys that say where a value stands; a field has exactly one (`at` may stand beside `tag` and `encoding`)."""

TEXTS: Final = ("json", "text", "column", "topic_level")
"""Where a value is text or a JSON value, not bytes."""

SPACES: Final = ("coil", "discrete", "input", "holding")
"""The four address spaces of Modbus (functions 1, 2, 4, 3)."""

SIZES: Final = {
    "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint24": 3, "int24": 3, "uint32": 4, "int32": 4,
    "uint48": 6, "uint64": 8, "int64": 8, "float32": 4, "float64": 8,
}  # fmt: skip
"""Bytes of each number type."""

TimeForm = Literal["unix_s", "unix_ms", "iso8601", "ymdhms", "ymdhms_bytes"]
"""How a device writes an instant: seconds or milliseconds since 1970, ISO 8601, digits, or bytes (of a `hex`)."""

MANUAL_BASE: Final = {"discrete": 10_000, "input": 30_000, "holding": 40_000}
"""What manuals add to a register's number, counted from 1, to name its space: 40003 is the third holding register."""


def _is_pdu(address: object) -> object:
    """Raises ValueError for the six digits of some manuals, with what is meant."""
    if isinstance(address, int) and not isinstance(address, bool) and address > 65_535:
        meant = next((address - 10 * base for base in MANUAL_BASE.values() if 0 < address - 10 * base <= 65_536), None)
        if meant is not None:
            raise ValueError(
                f"{address} is how manuals write number {meant} counted from 1; write {meant - 1}, "
                f"or {meant} with `address_base: 1`"
            )
    return address


RegisterAddress = Annotated[int, BeforeValidator(_is_pdu), Field(ge=0, le=65_535)]
_TEXT_TYPES: Final = ("ascii", "gb18030", "utf8", "hex", "bcd", "bool", "number")


def _enum_keys(table: object) -> object:
    """Keys of an enumeration in the one form in which values are compared."""
    if not isinstance(table, dict):
        return table
    known: dict[object, object] = {}
    for key, meaning in table.items():
        plain = key_of(key) if key is None or isinstance(key, bool | int | float | str) else key
        if plain in known:
            raise ValueError(f"{plain} stands twice; keep one")
        known[plain] = meaning
    return known


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
        JsonPath | None,
        Field(
            alias="json",
            description="path in the JSON: `a.b[0].c`, `list[key=value].c`, or a list of steps where a key has a dot",
        ),
    ] = None
    text: Annotated[Literal[True] | None, Field(description="the whole payload as text")] = None
    column: Annotated[
        int | str | None,
        Field(description="a part of the text that `decoder: {separator: …}` cuts: its place from 0, or its name"),
    ] = None
    item: Annotated[
        str | None, Field(pattern=r"^[a-z0-9_.]{1,40}$", description="a value that the protocol itself names")
    ] = None
    topic_level: Annotated[
        int | None, Field(ge=-16, le=16, description="this level of the MQTT topic, from 0; negative from the end")
    ] = None
    step: Annotated[
        int, Field(ge=0, le=1024, description="registers, bits, bytes or columns from one of `channels` to the next")
    ] = 0
    bit_step: Annotated[int, Field(ge=0, le=63, description="bits from one of `channels` to the next")] = 0
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
    encoding: Annotated[
        Literal["base64", "hex"] | None,
        Field(description="the text there is bytes written so; `type` reads them, `at` (default 0) counts in them"),
    ] = None
    prefix: Annotated[
        str | None,
        Field(min_length=1, max_length=64, description="only text that begins so; the value is what follows"),
    ] = None
    suffix: Annotated[
        str | None, Field(min_length=1, max_length=64, description="only text that ends so; the value is what precedes")
    ] = None
    contains: Annotated[
        Scalar | None,
        Field(description="true when the list there, or the words of the text (with commas between), have this one"),
    ] = None
    length: Annotated[int | None, Field(ge=1, le=256, description="bytes of a text, hex or BCD value")] = None
    byte_order: ByteOrder = "big"
    word_order: Annotated[ByteOrder, Field(description="order of the 16-bit words of a long value")] = "big"
    bit: Annotated[int | None, Field(ge=0, le=63, description="this bit, 0 is the least significant")] = None
    mask: Annotated[int | None, Field(ge=1, description="these bits, shifted down to bit 0")] = None
    signed: Annotated[bool, Field(description="the bits of `mask` are a signed number (two's complement)")] = False

    missing: Annotated[list[Scalar | None], Field(description="raw values that mean: not measured")] = []
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

    time: Annotated[
        TimeForm | None, Field(description="an instant; `observed_at` of the profile names the one of the event")
    ] = None
    utc_offset_h: Annotated[float, Field(ge=-14, le=14, description="of a clock that names no zone; China's is 8")] = (
        8.0
    )

    increase: Annotated[
        bool, Field(description="a counter: the value is by how much it grew since the last reading, nothing if not")
    ] = False
    debounce_s: Annotated[float, Field(ge=0, le=3600, description="a new value counts when it held so long")] = 0
    stale_after_s: Annotated[float | None, Field(gt=0, description="older than this it is not believed")] = None
    deadband: Annotated[float | None, Field(ge=0, description="a smaller change is not worth an event")] = None

    @property
    def space(self) -> str | None:
        """The Modbus address space, or None elsewhere."""
        return next((name for name in SPACES if getattr(self, name) is not None), None)

    @property
    def location(self) -> str:
        """The one key of LOCATIONS that says where the value stands; `at` yields to what stands beside it."""
        found = self._places
        return next((name for name in found if name != "at"), found[0])

    @property
    def _places(self) -> list[str]:
        return [name for name in LOCATIONS if getattr(self, "json_path" if name == "json" else name) is not None]

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
            or self.contains is not None
            or self.location in ("coil", "discrete")
        )

    @model_validator(mode="after")
    def _stands_in_one_place(self) -> Self:
        found = self._places
        alone = [name for name in found if name != "at"]
        if not found or len(alone) > 1 or (alone and "at" in found and alone != ["tag"] and self.encoding is None):
            raise ValueError(
                f"say where the value stands with exactly one of {', '.join(LOCATIONS)}; "
                f"here: {', '.join(found) or 'none'}"
            )
        is_text = self.location in TEXTS
        if not is_text and (self.encoding is not None or self.prefix is not None or self.suffix is not None):
            raise ValueError(f"encoding, prefix and suffix are of text ({', '.join(TEXTS)}); remove them")
        if is_text and self.encoding is None and self.type not in (None, "bool", "number"):
            raise ValueError(f"type {self.type} is of bytes; in text and JSON say bool or number, or add `encoding`")
        others = (self.type, self.encoding, self.bit, self.mask, self.enum, self.scale)
        if self.contains is not None and (not is_text or any(other is not None for other in others)):
            raise ValueError(
                f"contains asks a list or text ({', '.join(TEXTS)}) for one word; nothing else goes with it"
            )
        if self.signed and self.mask is None:
            raise ValueError("signed belongs to mask; for a whole number say `type: int16` or the like")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.bit is not None and self.mask is not None:
            raise ValueError("bit and mask exclude each other; keep one")
        if self.bit is not None and (self.scale is not None or self.offset is not None):
            raise ValueError("a bit has no scale or offset; remove them or the bit")
        is_bytes = self.location not in TEXTS or self.encoding is not None
        if self.type in ("ascii", "gb18030", "utf8", "hex", "bcd") and is_bytes:
            if self.length is None:
                raise ValueError(f"type {self.type} needs `length` in bytes")
        elif self.length is not None:
            raise ValueError("length belongs to the types ascii, gb18030, utf8, hex and bcd in bytes or registers")
        if self.clamp is not None and (self.clamp[0] >= self.clamp[1] or self.enum is not None or self.bit is not None):
            raise ValueError("clamp is [lowest, highest] of a number; it does not go with enum or bit")
        if self.enum is not None and not self.enum and not self.has_otherwise:
            raise ValueError("enum lists nothing; name the raw values, or say `otherwise`")
        self._bits_fit()
        if self.otherwise is not None and self.enum is None:
            raise ValueError("otherwise belongs to enum; add enum or remove it")
        if self.type in _TEXT_TYPES[:4] and (self.bit is not None or self.mask is not None or self.scale is not None):
            raise ValueError(f"type {self.type} is text: bit, mask and scale do not apply")
        if self.increase and (self.is_boolean or self.hash is not None or self.debounce_s or self.stale_after_s):
            raise ValueError("increase is of a counter: enum, bit, hash, debounce_s and stale_after_s do not apply")
        if self.hash is not None and (
            self.bit is not None or self.enum is not None or self.deadband is not None or self.scale is not None
        ):
            raise ValueError("a credential's number is only hashed: enum, scale and deadband do not apply")
        return self

    @model_validator(mode="after")
    def _is_plain_time(self) -> Self:
        """Raises ValueError for what does not go with an instant."""
        if self.time is None:
            if "utc_offset_h" in self.model_fields_set:
                raise ValueError("utc_offset_h belongs to `time`; say in which form the device writes it")
            return self
        others = (self.enum, self.scale, self.offset, self.hash, self.at_least, self.at_most, self.bit, self.clamp)
        if any(other is not None for other in others) or self.invert or self.increase or self.debounce_s:
            raise ValueError("an instant is only read: enum, scale, bits, thresholds and hash do not apply")
        if self.time == "ymdhms_bytes" and self.type != "hex" and self.encoding != "hex":
            raise ValueError("ymdhms_bytes reads six or seven bytes; say `type: hex` and `length: 6`")
        return self

    def _bits_fit(self) -> None:
        """Raises ValueError for a bit or mask that the value does not have."""
        if self.bit is None and self.mask is None:
            return
        if self.type in ("float32", "float64", "bool"):
            raise ValueError(f"type {self.type} has no bits; read them as a uint of the same size")
        if self.location in TEXTS and self.encoding is None:
            return
        kind = self.type or ("uint16" if self.space is not None else "uint8")
        bits = 8 * SIZES.get(kind, 8)
        highest = (self.mask or 0).bit_length() - 1 if self.bit is None else self.bit
        if highest >= bits and self.location != "item":
            raise ValueError(f"{kind} has bits 0 to {bits - 1}, and {highest} is asked for; give a larger `type`")

    @property
    def has_otherwise(self) -> bool:
        """Whether the author said what unlisted values mean, be it null."""
        return "otherwise" in self.model_fields_set
