"""Holds raised alerts against those that were right: precision, recall, delay; and the belief's intervals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.quality.truth_file import ExpectedAlert, Truth

SLACK_S = 3600.0
"""An alert may come a little before the truth has it: a reminder at midnight, a battery that reads one less."""


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert. `subjects`: everything by which the truth may name it: unit, gateway, building.

    `again_s`: when its condition came back while nobody had closed it. `joined_s`: when the events were seen that an
    open alert of life safety or security has as evidence: a second one of the kind opens no second alert.
    """

    rule: str
    subjects: frozenset[str]
    at_s: float
    again_s: tuple[float, ...] = ()
    joined_s: tuple[float, ...] = ()


@dataclass(slots=True)
class RuleScore:
    """One rule. `expected`: alerts that had to come; `late`: of the found ones, those that came after their time."""

    rule: str
    raised: int = 0
    right: int = 0
    expected: int = 0
    found: int = 0
    late: int = 0
    delays_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float | None:
        """None when nothing was raised."""
        return self.right / self.raised if self.raised else None

    @property
    def recall(self) -> float | None:
        """None when nothing had to come."""
        return self.found / self.expected if self.expected else None


def score(raised: Iterable[Raised], expected: Sequence[ExpectedAlert], step_s: float = 0.0) -> dict[str, RuleScore]:
    """By rule. An alert is right when its rule and subject are expected, and it opened while that held.

    `step_s`: how seldom the run looked at what does not concern life safety; nothing is late by that.
    """
    alerts: dict[tuple[str, str], list[Raised]] = defaultdict(list)
    by_rule: dict[str, RuleScore] = {}
    truths: dict[str, dict[str, list[ExpectedAlert]]] = defaultdict(lambda: defaultdict(list))
    for truth in expected:
        truths[truth.rule][truth.subject].append(truth)
    for alert in raised:
        mine = by_rule.setdefault(alert.rule, RuleScore(alert.rule))
        mine.raised += 1
        for subject in alert.subjects:
            alerts[alert.rule, subject].append(alert)
        fitting = (truth for subject in alert.subjects for truth in truths[alert.rule][subject])
        if any(truth.from_s - SLACK_S <= alert.at_s <= truth.until_s for truth in fitting):
            mine.right += 1
        else:
            mine.wrong.append("/".join(sorted(alert.subjects)) + f" day {alert.at_s / 86400:.1f}")
    for truth in expected:
        if truth.by_s is None:
            continue
        mine = by_rule.setdefault(truth.rule, RuleScore(truth.rule))
        mine.expected += 1
        since = truth.from_s - SLACK_S
        mine_raised = alerts[truth.rule, truth.subject]
        times = [at for a in mine_raised for at in (a.at_s, *a.again_s) if since <= at <= truth.until_s]
        if times:
            mine.found += 1
            mine.late += min(times) > truth.by_s + (0.0 if truth.rule.startswith("L") else step_s)
            mine.delays_s.append(max(0.0, min(times) - max(truth.from_s, 0.0)))
        elif any(since <= at <= truth.until_s for a in mine_raised for at in a.joined_s):
            mine.found += 1
        else:
            mine.missed.append(f"{truth.subject} day {truth.from_s / 86400:.1f} {truth.why}")
    return by_rule


@dataclass(frozen=True, slots=True)
class NightBound:
    """What was believed of a unit at one instant of a night. `is_usable`: the belief did not abstain."""

    unit: str
    at_s: float
    lower: int
    upper: int
    is_usable: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often the truth was inside the 90 % interval, below it, above it; `width`: upper - lower on average."""

    nights: int
    abstained: int
    inside: float
    below: float
    above: float
    width: float


def calibration(nights: Iterable[NightBound], truth: Truth) -> Calibration:
    """Over all nights of counted units on which the belief did not abstain."""
    usable = abstained = inside = below = above = width = 0
    for night in nights:
        unit = truth.units.get(night.unit)
        if unit is None:
            continue
        if not night.is_usable:
            abstained += 1
            continue
        people = unit.inside.during(night.at_s)
        usable += 1
        below += people < night.lower
        above += people > night.upper
        inside += night.lower <= people <= night.upper
        width += night.upper - night.lower
    share = max(usable, 1)
    return Calibration(usable, abstained, inside / share, below / share, above / share, width / share)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that so large a share does not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))] if ordered else None


def false_per_unit_year(scores: Mapping[str, RuleScore], rules: Iterable[str], unit_years: float) -> float:
    """Wrong alerts of these rules, per unit and year."""
    return sum(len(scores[rule].wrong) for rule in rules if rule in scores) / max(unit_years, 1e-9)
