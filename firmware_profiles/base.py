"""The strict base of every table of a profile, and the few types that tables share."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Scalar = bool | int | float | str
"""What a field of a device can be worth. Missing is None."""

FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""The vendor's side of the translation: the name of a value of the device."""

ByteOrder = Literal["big", "little"]


def _hex(text: object) -> object:
    """Hex digits without the blanks, colons and line breaks that make them readable."""
    return "".join(text.replace(":", " ").split()).lower() if isinstance(text, str) else text


Hex = Annotated[str, BeforeValidator(_hex), Field(pattern=r"^([0-9a-f]{2})*$", max_length=4096)]
"""Bytes as hex digits; blanks and colons between them are ignored."""

OneOrMore = Scalar | list[Scalar]


class Table(BaseModel):
    """A table of a profile. A typo is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


def key_of(value: Scalar | None) -> str:
    """How two values are compared, whether they came from YAML, JSON or a register: `1`, `1.0` and `"1"` are one."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def matches(value: Scalar | None, wanted: OneOrMore) -> bool:
    """Whether a value is the wanted one, or one of the wanted ones."""
    options = wanted if isinstance(wanted, list) else [wanted]
    return any(key_of(value) == key_of(option) for option in options)
