"""Which rules look at a unit as a whole: those that compare the ledger with what was seen."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from hub.rules import c2_over_capacity, c8_after_lease
from hub.rules.known import UnitKnown
from hub.rules.model import Verdict
from hub.rules.policy import Parameters, Policy
from hub.rules.seen import UnitSeen

Evaluate = Callable[[UnitKnown, UnitSeen, Parameters, datetime], Verdict]


class UnitRule(NamedTuple):
    """A rule over a unit."""

    rule_id: str
    kind: type[Parameters]
    evaluate: Evaluate


def _rule(module: object) -> UnitRule:
    rule, kind, evaluate = (getattr(module, name) for name in ("RULE", "Parameters", "evaluate"))
    return UnitRule(rule.id, kind, evaluate)


UNIT_RULES: Final[tuple[UnitRule, ...]] = tuple(map(_rule, (c2_over_capacity, c8_after_lease)))


def judge_unit(unit: UnitKnown, seen: UnitSeen, policy: Policy, now: datetime) -> Iterator[tuple[str, Verdict]]:
    """What each rule says of the unit, in the order of the catalogue. A rule that is off says nothing."""
    for rule_id, kind, evaluate in UNIT_RULES:
        parameters = policy.of(rule_id, kind)
        if parameters.enabled:
            yield rule_id, evaluate(unit, seen, parameters, now)
