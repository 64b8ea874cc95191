"""Reads profiles: validated once, here; an error names file, line, key and mend."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from firmware_profiles.checks import faults_of, hint
from firmware_profiles.errors import ProfileError
from firmware_profiles.model import Profile
from firmware_profiles.yaml_tree import Tree, YamlError, parse

DEVICES: Final = Path(__file__).parent / "devices"
"""The profiles that come with Anfang."""

MAX_FAULTS: Final = 20


def load_profile(path: Path) -> Profile:
    """The profile in a file. Raises ProfileError, one line for each fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}:1: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}; give the path of a YAML file") from error
    return parse_profile(text, str(path))


def parse_profile(text: str, name: str) -> Profile:
    """The profile in `text`; `name` stands for the file in errors. Raises ProfileError."""
    try:
        tree = parse(text)
    except YamlError as fault:
        raise ProfileError(f"{name}:{fault.line}: {fault.reason}") from fault
    if not isinstance(tree.value, dict):
        raise ProfileError(f"{name}:1: a profile is a table of keys; start with `profile: 1`")
    try:
        profile = Profile.model_validate(tree.value)
    except ValidationError as error:
        raise ProfileError("\n".join(_shape_faults(error, tree, name))) from error
    faults = [f"{name}:{tree.line(loc)}: {_dotted(loc)}: {what}" for loc, what in faults_of(profile)]
    if faults:
        raise ProfileError("\n".join(faults[:MAX_FAULTS]))
    return profile


@lru_cache(maxsize=1)
def shipped_profiles() -> Mapping[str, Path]:
    """Name -> file of every profile that comes with Anfang; the name is the path below devices/, without `.yaml`."""
    return {str(path.relative_to(DEVICES).with_suffix("")): path for path in sorted(DEVICES.rglob("*.yaml"))}


def find_profile(name: str, base: Path | None = None) -> Path:
    """The file of a profile: a shipped name (`heiman/hs1sa`) or a path, relative to `base`. Raises ProfileError."""
    shipped = shipped_profiles()
    if name in shipped:
        return shipped[name]
    short = [path for key, path in shipped.items() if key.rpartition("/")[2] == name]
    if len(short) == 1:
        return short[0]
    path = Path(name) if base is None else base / name
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return path
    raise ProfileError(f"profile {name!r}: neither shipped nor a .yaml file; {hint(name, shipped)}")


def _dotted(loc: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in loc)


def _shape_faults(error: ValidationError, tree: Tree, name: str) -> list[str]:
    lines = []
    for fault in error.errors()[:MAX_FAULTS]:
        loc = tuple(step for step in fault["loc"] if not _is_union_noise(step))
        shown = tuple(step for step in loc if step != "[key]")
        mended = _mend(fault, tree, shown)
        lines.append(f"{name}:{tree.line(shown)}: {_dotted(_seen(tree, shown))}: {mended}")
    return list(dict.fromkeys(lines))


def _seen(tree: Tree, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The steps that stand in the file, and the last one whether it does or not; tags of unions drop out."""
    here: tuple[str | int, ...] = ()
    for index, step in enumerate(loc):
        if (*here, step) in tree.lines or (*here, str(step)) in tree.lines or index == len(loc) - 1:
            here = (*here, step)
    return here


_UNION_NOISE: Final = frozenset(
    {"bool", "int", "float", "str", "constrained-int", "constrained-float", "list[union[bool,int,float,str]]"}
)


def _is_union_noise(step: str | int) -> bool:
    return isinstance(step, str) and (step in _UNION_NOISE or step.startswith(("list[", "function-", "nullable")))


def _mend(fault: Any, tree: Tree, loc: tuple[str | int, ...]) -> str:
    context = fault.get("ctx", {})
    last = str(loc[-1]) if loc else ""
    match fault["type"]:
        case "extra_forbidden":
            mended = f"unknown key; {hint(last, _siblings(tree, loc))}"
        case "missing":
            mended = "the key is missing; add it"
        case "literal_error":
            mended = f"{fault['input']!r} is not {context.get('expected', 'known')}"
        case "union_tag_invalid":
            mended = f"kind {context.get('tag')!r} is not {context.get('expected_tags')}"
        case "union_tag_not_found":
            mended = "`kind:` is missing; say modbus, osdp, zigbee2mqtt, mqtt, gb26875 or home-assistant"
        case "value_error":
            mended = str(context.get("error", fault["msg"]))
        case _:
            mended = f"{fault['msg'][:1].lower()}{fault['msg'][1:]}" + _given(fault["input"])
    return mended


def _given(value: object) -> str:
    return f", not {value!r}" if isinstance(value, bool | int | float | str) and len(str(value)) < 60 else ""


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
