"""Reads profiles: validated once, here; an error names file, line, key and mend."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from firmware_profiles.checks import faults_of, hint
from firmware_profiles.errors import ProfileError
from firmware_profiles.model import Profile
from firmware_profiles.shape_faults import MAX_FAULTS, dotted, shape_faults
from firmware_profiles.value_checks import value_faults
from firmware_profiles.yaml_tree import MAX_BYTES, YamlError, parse

DEVICES: Final = Path(__file__).parent / "devices"
"""The profiles that come with Anfang."""


def load_profile(path: Path) -> Profile:
    """The profile in a file. Raises ProfileError, one line for each fault."""
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise ProfileError(f"{path}:1: more than {MAX_BYTES // 1024} KiB; such a file is smaller")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}:1: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}; give the path of a YAML file") from error
    return parse_profile(text, str(path))


def mark_of(path: Path) -> str:
    """A profile's file in a word: `vendor/model@` and eight hex digits of its content. Raises OSError."""
    is_shipped = path.is_relative_to(DEVICES)
    name = str(path.relative_to(DEVICES).with_suffix("")) if is_shipped else path.name
    return f"{name}@{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"


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
        raise ProfileError("\n".join(shape_faults(error, tree, name))) from error
    faults = [
        f"{name}:{tree.line(loc)}: {dotted(loc)}: {what}" for loc, what in (*faults_of(profile), *value_faults(profile))
    ]
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
