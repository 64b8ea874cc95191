"""Turns pydantic's findings about a TOML file into lines for a person: where, what, mend."""

import difflib
import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

Loc = tuple[int | str, ...]


def shape_faults(error: ValidationError, root: type[BaseModel], text: str) -> list[str]:
    """One line for each finding, `LINE: key: what; mend`; the line is left out where it is not sure."""
    lines = []
    for fault in error.errors():
        loc: Loc = fault["loc"]
        number = _line_of(text, loc)
        where = f"{number}: " if number is not None else " "
        lines.append(f"{where}{'.'.join(map(str, loc))}: {_say(fault, root)}")
    return lines


def _say(fault: Any, root: type[BaseModel]) -> str:
    loc: Loc = fault["loc"]
    key = str(loc[-1]) if loc else ""
    kind = fault["type"]
    if kind == "extra_forbidden":
        known = _keys_at(root, loc[:-1])
        near = difflib.get_close_matches(key, known, n=1)
        return f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; known are {', '.join(known)}"
    if kind == "missing":
        return f"missing; {_description(root, loc) or 'add it'}"
    what = fault["msg"].removeprefix("Value error, ")
    given = fault.get("input")
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    hint = _description(root, loc)
    return f"{what[:1].lower()}{what[1:]}{shown}" + (f"; it is {hint}" if hint else "; mend the value")


def _model_at(root: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    model: type[BaseModel] | None = root
    for step in loc:
        if isinstance(step, int):
            continue
        field = model.model_fields.get(step) if model is not None else None
        model = _inner(field.annotation) if field is not None else None
    return model


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model`, `list[Model]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)


def _keys_at(root: type[BaseModel], loc: Loc) -> list[str]:
    model = _model_at(root, loc)
    return sorted(model.model_fields) if model is not None else []


def _description(root: type[BaseModel], loc: Loc) -> str | None:
    names = [step for step in loc if isinstance(step, str)]
    for end in range(len(names), 0, -1):
        model = _model_at(root, tuple(names[: end - 1]))
        if model is not None and names[end - 1] in model.model_fields:
            return model.model_fields[names[end - 1]].description
    return None


def _line_of(text: str, loc: Loc) -> int | None:
    """The line where the key of `loc` stands: the key's assignment inside the table that the path names.

    TOML's reader of the standard library keeps no positions; this finds plain `[table]`, `[[table]]` and `key =` lines,
    which is how people write such files, and says nothing about the rest.
    """
    names = [str(step) for step in loc if isinstance(step, str)]
    index = next((step for step in loc if isinstance(step, int)), 0)
    if not names:
        return None
    wanted, seen, found = "", -1, None
    for number, line in enumerate(text.splitlines(), 1):
        if table := re.match(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?", line):
            wanted = table[1]
            seen += wanted == names[0]
            if [wanted] == names and seen == index:
                found = number
        elif assigned := re.match(r"\s*([\w-]+)\s*=", line):
            path = [*filter(None, wanted.split(".")), assigned[1]]
            if path == names[: len(path)] and seen in (index, -1):
                found = number
    return found
