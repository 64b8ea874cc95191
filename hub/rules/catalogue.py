"""Every rule there is: what people read of it, and the type of its parameters."""

from dataclasses import dataclass
from types import ModuleType
from typing import Final, cast

from hub.rules import (
    c2_over_capacity,
    c8_after_lease,
    l1_smoke,
    l3_duress,
    l4_detector_lost,
    s1_forced,
    t1_gateway_silent,
)
from hub.rules.model import Rule
from hub.rules.policy import Parameters

_MODULES: Final[tuple[ModuleType, ...]] = (
    l1_smoke,
    l3_duress,
    l4_detector_lost,
    s1_forced,
    c2_over_capacity,
    c8_after_lease,
    t1_gateway_silent,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule with the type of its parameters."""

    rule: Rule
    parameters: type[Parameters]


def _entry(module: ModuleType) -> Entry:
    return Entry(cast(Rule, module.RULE), cast(type[Parameters], module.Parameters))


CATALOGUE: Final[dict[str, Entry]] = {(entry := _entry(module)).rule.id: entry for module in _MODULES}
RULES: Final[dict[str, Rule]] = {rule_id: entry.rule for rule_id, entry in CATALOGUE.items()}
PARAMETERS: Final[dict[str, type[Parameters]]] = {rule_id: entry.parameters for rule_id, entry in CATALOGUE.items()}


def rule(rule_id: str) -> Rule:
    """The rule of that id. Raises KeyError: alerts are written with ids of this catalogue alone."""
    return RULES[rule_id]
