"""Reads scenario files; an error names file, line, key and mend."""

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from firmware_profiles.yaml_tree import Tree, YamlError, parse
from simulators.errors import ScenarioError
from simulators.scenario import Scenario, faults_of

SCENARIOS: Final = Path(__file__).parent / "scenarios"
"""The scenarios that come with Anfang."""


def find_scenario(name: str) -> Path:
    """The file of a scenario: a shipped name (`morning`) or a path. Raises ScenarioError."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return path
    shipped = SCENARIOS / f"{name}.yaml"
    if shipped.is_file():
        return shipped
    names = sorted(found.stem for found in SCENARIOS.glob("*.yaml") if "." not in found.stem)
    raise ScenarioError(f"scenario {name!r}: neither shipped nor a .yaml file; there are {', '.join(names)}")


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError, one line for each fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}:1: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}; give the path of a YAML file") from error
    scenario = parse_scenario(text, str(path))
    registry = path.parent / scenario.registry
    if not registry.is_file():
        raise ScenarioError(f"{path}: registry: no file {registry}; it is looked for beside the scenario")
    return scenario


def parse_scenario(text: str, name: str) -> Scenario:
    """The scenario in `text`; `name` stands for the file in errors. Raises ScenarioError."""
    try:
        tree = parse(text)
    except YamlError as fault:
        raise ScenarioError(f"{name}:{fault.line}: {fault.reason}") from fault
    if not isinstance(tree.value, dict):
        raise ScenarioError(f"{name}:1: a scenario is a table of keys; start with `scenario: 1`")
    try:
        scenario = Scenario.model_validate(tree.value)
    except ValidationError as error:
        raise ScenarioError("\n".join(_shape_faults(error, tree, name))) from error
    faults = [f"{name}:{tree.line(loc)}: {_dotted(loc)}: {what}" for loc, what in faults_of(scenario)]
    if faults:
        raise ScenarioError("\n".join(faults))
    return scenario


def _dotted(loc: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in loc)


def _shape_faults(error: ValidationError, tree: Tree, name: str) -> list[str]:
    lines = []
    for fault in error.errors():
        # Pydantic puts the chosen member of a union into the place; the file has no such key.
        loc = tuple(
            step for position, step in enumerate(fault["loc"]) if not _is_member_of_union(fault["loc"], position)
        )
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "no such key; correct or remove it"
        elif fault["type"] == "missing":
            message = "is missing; add it"
        elif fault["type"] == "union_tag_not_found":
            message = f"{fault['ctx']['discriminator']} is missing; add it"
        lines.append(f"{name}:{tree.line(loc)}: {_dotted(loc)}: {message}")
    return lines


def _is_member_of_union(loc: tuple[str | int, ...], position: int) -> bool:
    return position == 2 and loc[0] in ("devices", "steps") and isinstance(loc[1], int) and loc[2] in _TAGS


_TAGS: Final = frozenset(
    {"osdp_reader", "modbus_smoke", "zigbee", "present_card", "set_tamper", "set_smoke", "set_state", "fall_silent"}
)
