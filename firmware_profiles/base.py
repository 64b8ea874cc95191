"""The strict base of every table of a profile, and the few types that tables share."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, TypeGuard

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Scalar = bool | int | float | str
"""What a field of a device can be worth. Missing is None."""

FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""The vendor's side of the translation: the name of a value of the device."""

ByteOrder = Literal["big", "little"]


def _hex(text: object) -> object:
    """Hex digits without the blanks, colons and line breaks that make them readable."""
    return "".join(text.replace(":", " ").split()).lower() if isinstance(text, str) else text


_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]|\[([^\[\]=]+)=([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Where:
    """A step of a path: the first element of an array whose `key` is worth `value`."""

    key: str
    value: str


Step = str | int | Where


@lru_cache(maxsize=4096)
def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a path such as `a.b[0].c`, `list[-1]`, `list[code=smoke].value`. Raises ValueError for none."""
    steps: list[Step] = []
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        # A dot stands between two steps, not before the first.
        has_dot = path[position] == "."
        if found is None or has_dot != bool(position and found[1]):
            raise ValueError(f"{path!r} is no path; write `a.b`, `a[0]`, `a[-1]` or `a[key=value].b`")
        position = found.end()
        steps.append(found[1] or (int(found[2]) if found[2] else Where(found[3], found[4])))
    return tuple(steps)


def _path(path: object) -> object:
    if isinstance(path, str):
        if not path:
            raise ValueError("an empty path; write `a.b`, `a[0]`, or `$` for the whole message")
        steps_of(below_root(path))
    return path


def below_root(path: str) -> str:
    """A path without the `$` that stands for the whole message."""
    return path.removeprefix("$").removeprefix(".") if path == "$" or path.startswith(("$.", "$[")) else path


def _json(value: object) -> object:
    """A JSON value as YAML writes it: keys are text, `{101: 1}` too."""
    if isinstance(value, dict):
        return {key_of(key) if _is_scalar(key) else key: _json(item) for key, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list) else value


def _is_scalar(value: object) -> TypeGuard[Scalar | None]:
    return value is None or isinstance(value, bool | int | float | str)


Json = Annotated[Any, BeforeValidator(_json)]
"""Any JSON value."""

JsonPath = Annotated[str | list[str | int], BeforeValidator(_path)]
"""Where in a JSON value: a path, or a list of steps where a key has a dot."""

Hex = Annotated[str, BeforeValidator(_hex), Field(pattern=r"^([0-9a-f]{2})*$", max_length=4096)]
"""Bytes as hex digits; blanks and colons between them are ignored."""

OneOrMore = Scalar | list[Scalar]


class Table(BaseModel):
    """A table of a profile. A typo is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


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
