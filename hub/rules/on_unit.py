"""Which rules look at a unit as a whole: those that compare the registry with what was seen."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from hub.domain.entities import Unit
from hub.domain.observations import UnitObservations
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
    c14_contract_not_filed,
    c15_only_minors,
    t6_registry_conflict,
    w1_no_activity,
)
from hub.rules.model import Verdict
from hub.rules.policy import Parameters, Policy

Evaluate = Callable[[Unit, UnitObservations, Parameters, datetime], Verdict]


class UnitRule(NamedTuple):
    """A rule over a unit."""

    rule_id: str
    kind: type[Parameters]
    evaluate: Evaluate


def _rule(module: object) -> UnitRule:
    rule, kind, evaluate = (getattr(module, name) for name in ("RULE", "Parameters", "evaluate"))
    return UnitRule(rule.id, kind, evaluate)


UNIT_RULES: Final[tuple[UnitRule, ...]] = tuple(
    map(
        _rule,
        (
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
            c14_contract_not_filed,
            c15_only_minors,
            w1_no_activity,
            t6_registry_conflict,
        ),
    )
)


def judge_unit(unit: Unit, seen: UnitObservations, policy: Policy, now: datetime) -> Iterator[tuple[str, Verdict]]:
    """What each rule says of the unit, in the order of the catalogue. A rule that is off says nothing."""
    for rule_id, kind, evaluate in UNIT_RULES:
        parameters = policy.of(rule_id, kind)
        if parameters.enabled:
            yield rule_id, evaluate(unit, seen, parameters, now)
