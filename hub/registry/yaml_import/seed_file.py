"""Load a registry from a YAML file: everything or nothing; every fault names file, line, key and what to do."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from sqlmodel import Session

from firmware_profiles.yaml_tree import Tree, YamlError, parse
from hub.domain.local_time import local_day
from hub.domain.stored_event import Change
from hub.errors import RegistryError
from hub.registry.changeset import Step, Where, apply, plan
from hub.registry.checks import faults_of
from hub.registry.personal_data.vault import Vault
from hub.registry.yaml_import.seed import Seed
from hub.registry.yaml_import.seed_rows import LineOf, Loc, SeedRows, collect

MAX_BYTES: Final = 16 * 1024 * 1024
MOST_FAULTS: Final = 50
_MENDS: Final = {
    "missing": "缺少该项 / is missing; add it",
    "extra_forbidden": "未知的键，请检查拼写 / unknown key; check its spelling",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file led to."""

    steps: list[Step]
    changes: list[Change]

    def count(self, kind: str) -> int:
        """How many records were added, changed or the same."""
        return sum(1 for step in self.steps if step.kind == kind)


class _Lines(LineOf):
    def __init__(self, name: str, tree: Tree) -> None:
        self._name = name
        self._tree = tree

    def __call__(self, loc: Loc) -> Where:
        return Where(self._name, self._tree.line(loc), dotted(loc))


def dotted(loc: Loc) -> str:
    """`units[2].leases[0].end`."""
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def load_seed(
    session: Session, path: Path, *, vault: Vault, organisation_key: bytes, now: datetime, by: str = "cli"
) -> Loaded:
    """Bring the file's records into the registry, in the caller's transaction. Raises RegistryError, a line a fault."""
    if path.suffix.lower() in {".csv", ".xlsx"}:
        raise RegistryError(f"{path}: a table, not YAML; bring it in with `anfang-hub registry import`")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RegistryError(f"{path}:1: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read: {error.strerror}; give the path of a YAML file") from error
    return load_text(session, text, str(path), vault=vault, organisation_key=organisation_key, now=now, by=by)


def load_text(
    session: Session, text: str, name: str, *, vault: Vault, organisation_key: bytes, now: datetime, by: str = "cli"
) -> Loaded:
    """`load_seed` for a text; `name` stands for the file in faults."""
    seed, lines = read_seed(text, name)
    rows = SeedRows(lines, vault, organisation_key, local_day(now))
    collect(seed, rows)
    faults = [(lines(loc), what) for loc, what in rows.faults]
    # What could not be read is missing below: its own fault says enough.
    faults = faults or faults_of(session, rows.wanted)
    if faults:
        raise RegistryError(fault_lines(faults))
    steps = plan(session, rows.wanted)
    return Loaded(steps, apply(session, steps, now, by))


def read_seed(text: str, name: str) -> tuple[Seed, LineOf]:
    """The seed in a text, its shape checked. Raises RegistryError."""
    try:
        tree = parse(text, MAX_BYTES)
    except YamlError as fault:
        raise RegistryError(f"{name}:{fault.line}: {fault.reason}") from fault
    lines = _Lines(name, tree)
    if not isinstance(tree.value, dict):
        raise RegistryError(f"{name}:1: 应为键值表 / a table of keys is expected; start with `registry: 1`")
    try:
        return Seed.model_validate(tree.value), lines
    except ValidationError as error:
        faults = [(lines(_real(item["loc"])), _MENDS.get(item["type"], item["msg"])) for item in error.errors()]
        raise RegistryError(fault_lines(faults)) from error


def _real(loc: Loc) -> Loc:
    """Without the steps that pydantic puts in for the branches of a union."""
    return tuple(step for step in loc if step not in {"str", "int", "datetime", "date"})


def fault_lines(faults: list[tuple[Where, str]]) -> str:
    """One line a fault, with its place; a long list is cut."""
    lines = [f"{where.text()}: {what}" for where, what in faults[:MOST_FAULTS]]
    if len(faults) > MOST_FAULTS:
        lines.append(f"… 另有 {len(faults) - MOST_FAULTS} 处 / and {len(faults) - MOST_FAULTS} more")
    return "\n".join(lines)
