"""What is wrong with the shape of a profile, in the author's words: pydantic's faults with line, key and mend."""

import difflib
import re
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from firmware_profiles.base import key_of
from firmware_profiles.checks import hint
from firmware_profiles.model import Profile
from firmware_profiles.yaml_tree import Tree

MAX_FAULTS: Final = 20


def dotted(loc: tuple[str | int, ...]) -> str:
    """A place in the file as people write it."""
    return ".".join(str(step) for step in loc)


def shape_faults(error: ValidationError, tree: Tree, name: str) -> list[str]:
    """One line for each place that has a fault: `name:line: key: what is wrong; mend`."""
    said: dict[tuple[str | int, ...], list[Any]] = {}
    for fault in error.errors():
        loc = tuple(step for step in fault["loc"] if not _is_union_noise(step))
        said.setdefault(tuple(step for step in loc if step != "[key]"), []).append(fault)
    # One place, one line: pydantic has a fault for each type that the value might have had.
    return [_line(name, tree, loc, _mend(faults, tree, loc)) for loc, faults in list(said.items())[:MAX_FAULTS]]


def _line(name: str, tree: Tree, loc: tuple[str | int, ...], what: str) -> str:
    """A fault of the whole profile names its key itself, as `examples: …` does."""
    key = what.partition(":")[0]
    if not loc and key in Profile.model_fields:
        return f"{name}:{tree.line((key,))}: {what}"
    return f"{name}:{tree.line(loc)}: {dotted(_seen(tree, loc))}: {what}"


def _seen(tree: Tree, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The steps that stand in the file, and the last one whether it does or not; tags of unions drop out."""
    here: tuple[str | int, ...] = ()
    for index, step in enumerate(loc):
        is_there = (*here, step) in tree.lines or (*here, str(step)) in tree.lines
        if is_there or (index == len(loc) - 1 and step not in _TRANSPORTS):
            here = (*here, step)
    return here


_TRANSPORTS: Final = frozenset({"modbus", "osdp", "zigbee2mqtt", "mqtt", "gb26875", "home-assistant"})
"""The tags of the union of transports, which pydantic names as if they were steps."""


_UNION_NOISE: Final = frozenset(
    {"bool", "int", "float", "str", "constrained-int", "constrained-float", "list[union[bool,int,float,str]]"}
)


def _is_union_noise(step: str | int) -> bool:
    return isinstance(step, str) and (step in _UNION_NOISE or step.startswith(("list[", "function-", "nullable")))


def _mend(faults: list[Any], tree: Tree, loc: tuple[str | int, ...]) -> str:
    fault = next((item for item in faults if not item["type"].endswith("_type")), faults[0])
    wanted = [_WORDS[item["type"]] for item in faults if item["type"] in _WORDS]
    if fault["type"] in _WORDS:
        return (
            f"{' or '.join(dict.fromkeys(wanted))} is expected{_given(fault['input'])}{_quote(wanted, fault['input'])}"
        )
    context = fault.get("ctx", {})
    last = str(loc[-1]) if loc else ""
    match fault["type"]:
        case "extra_forbidden":
            mended = f"unknown key; {hint(last, _siblings(tree, loc))}"
        case "missing":
            mended = "the key is missing; add it"
        case "literal_error":
            mended = _not_a_word(fault["input"], str(context.get("expected", "known")))
        case "union_tag_invalid":
            mended = f"kind {context.get('tag')!r} is not {context.get('expected_tags')}"
        case "union_tag_not_found":
            mended = "`kind:` is missing; say modbus, osdp, zigbee2mqtt, mqtt, gb26875 or home-assistant"
        case "string_pattern_mismatch":
            mended = f"{fault['input']!r} {_PATTERNS.get(context.get('pattern'), 'has another form')}"
        case "too_short" | "too_long":
            bound, count = ("least", "min_length") if fault["type"] == "too_short" else ("most", "max_length")
            mended = (
                f"at {bound} {context.get(count)} must stand here"
                if bound == "least"
                else f"at most {context.get(count)} may"
            )
            if context.get("actual_length") is not None:
                mended += f"; there are {context['actual_length']}"
        case "invalid_key":
            mended = f"{last} is a number and no key; put it in quotes, and write 0.1, not 0,1"
        case "value_error":
            mended = str(context.get("error", fault["msg"]))
        case _:
            mended = f"{fault['msg'][:1].lower()}{fault['msg'][1:]}" + _given(fault["input"])
    return mended


_PATTERNS: Final = {
    r"^[a-z][a-z0-9_]{0,39}$": "is no name; use small letters, digits and _, a letter first",
    r"^([0-9a-f]{2})*$": "is not hex; write two digits of 0 to f for each byte",
    r"^[a-z0-9_.]{1,40}$": "is no item; use small letters, digits, _ and .",
}


def _not_a_word(given: object, expected: str) -> str:
    if expected == "1":
        return f"{given!r} is a version that this release does not read; write 1"
    return f"{given!r} is not {expected}{_close(given, expected)}"


def _close(given: object, expected: str) -> str:
    near = difflib.get_close_matches(str(given), re.findall(r"'([^']+)'", expected), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


_WORDS: Final = {
    "bool_type": "true or false", "int_type": "a whole number", "float_type": "a number", "string_type": "text",
    "list_type": "a list", "dict_type": "a table of keys", "model_type": "a table of keys",
    "model_attributes_type": "a table of keys", "int_from_float": "a whole number",
}  # fmt: skip


def _given(value: object) -> str:
    if value is None or isinstance(value, bool):
        return f", not {key_of(value)}"
    if isinstance(value, int | float | str) and len(str(value)) < 60:
        return f", not {value!r}"
    return ", not a table" if isinstance(value, dict) else ", not a list" if isinstance(value, list) else ""


def _quote(wanted: list[str], value: object) -> str:
    """`0175` and `1e10` are numbers to YAML; the author meant digits."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "; put it in quotes" if "text" in wanted and (is_number or isinstance(value, bool)) else ""


def _siblings(tree: Tree, loc: tuple[str | int, ...]) -> list[str]:
    """The keys that the table at `loc` may have."""
    model: Any = Profile
    for step in _seen(tree, loc)[:-1]:
        model = _step_into(model, step, tree, loc)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _step_into(model: Any, step: str | int, tree: Tree, loc: tuple[str | int, ...]) -> Any:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        # The step is an index or a name inside a list or table of tables: the model is already the inner one.
        return model
    for name, info in model.model_fields.items():
        if step in (name, info.alias):
            return _inner_model(info.annotation, tree.value.get(step) if model is Profile else None)
    return model


def _inner_model(annotation: Any, value: Any) -> Any:
    """The first table in an annotation; for the transport the one whose `kind` the file says."""
    found: list[Any] = []
    pending = [annotation]
    while pending:
        current = pending.pop(0)
        if isinstance(current, type) and issubclass(current, BaseModel):
            found.append(current)
        pending.extend(getattr(current, "__args__", ()))
    if isinstance(value, dict) and "kind" in value:
        for model in found:
            kind = model.model_fields.get("kind")
            if kind is not None and value["kind"] in getattr(kind.annotation, "__args__", ()):
                return model
    return found[0] if found else None
