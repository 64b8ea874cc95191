"""What may be written in the place of a rule's parameter, read from its type: for forms."""

from typing import Literal

import msgspec

from hub.rules.policy import Parameters


class Shape(msgspec.Struct, frozen=True):
    """A parameter's kind and bounds (both included; for a number that must be above 0, `least` is 0)."""

    kind: Literal["switch", "whole", "number", "text", "choice", "list"]
    least: float | None = None
    most: float | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()


def shape_of(kind: type[Parameters], name: str) -> Shape:
    """The shape of one parameter. Raises KeyError for a name that the rule does not have."""
    about = msgspec.inspect.type_info(kind)
    assert isinstance(about, msgspec.inspect.StructType)
    fields = {field.name: field.type for field in about.fields}
    return _shape(fields[name])


def _shape(found: msgspec.inspect.Type) -> Shape:
    match found:
        case msgspec.inspect.UnionType(types=types):
            return _shape(next(inner for inner in types if not isinstance(inner, msgspec.inspect.NoneType)))
        case msgspec.inspect.BoolType():
            return Shape("switch")
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            least = found.ge if found.ge is not None else found.gt
            most = found.le if found.le is not None else found.lt
            return Shape("whole" if isinstance(found, msgspec.inspect.IntType) else "number", least, most)
        case msgspec.inspect.StrType():
            return Shape("text", pattern=found.pattern)
        case msgspec.inspect.LiteralType(values=values):
            return Shape("choice", choices=tuple(str(value) for value in values))
        case _:
            return Shape("list")
