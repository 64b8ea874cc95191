"""Every rule there is: what people read of it, and the type of its parameters."""

from dataclasses import dataclass
from types import ModuleType
from typing import Final, cast

from hub.rules import (
    c1_over_registered,
    c2_over_capacity,
    c3_not_in_registry,
    c4_unbound_credential,
    c5_not_registered,
    c6_left_not_reported,
    c7_lease_ending,
    c8_after_lease,
    c9_vacant_used,
    c10_not_living_here,
    c11_short_lets,
    c12_not_habitable,
    c13_many_rooms,
    c14_contract_not_filed,
    c15_only_minors,
    l1_smoke,
    l3_duress,
    l4_detector_lost,
    l5_detector_worn,
    l6_no_detector,
    l8_exit_blocked,
    s1_forced,
    s2_wrong_tries,
    s3_door_open,
    s4_master_used,
    s5_camera_covered,
    s6_invalid_credential,
    t1_gateway_silent,
    t2_backlog,
    t3_battery,
    t4_clock,
    t5_unknown_device,
    t6_registry_conflict,
    t7_pack_expired,
    t8_audit_broken,
    w1_no_activity,
    w2_help_button,
)
from hub.rules.model import Rule
from hub.rules.policy import Parameters

_MODULES: Final[tuple[ModuleType, ...]] = (
    l1_smoke,
    l3_duress,
    l4_detector_lost,
    l5_detector_worn,
    l6_no_detector,
    l8_exit_blocked,
    s1_forced,
    s2_wrong_tries,
    s3_door_open,
    s4_master_used,
    s5_camera_covered,
    s6_invalid_credential,
    c1_over_registered,
    c2_over_capacity,
    c3_not_in_registry,
    c4_unbound_credential,
    c5_not_registered,
    c6_left_not_reported,
    c7_lease_ending,
    c8_after_lease,
    c9_vacant_used,
    c10_not_living_here,
    c11_short_lets,
    c12_not_habitable,
    c13_many_rooms,
    c14_contract_not_filed,
    c15_only_minors,
    w1_no_activity,
    w2_help_button,
    t1_gateway_silent,
    t2_backlog,
    t3_battery,
    t4_clock,
    t5_unknown_device,
    t6_registry_conflict,
    t7_pack_expired,
    t8_audit_broken,
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
