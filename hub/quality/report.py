"""The result of a quality run: as a table for people and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

from hub.quality.run import Ran
from hub.quality.scoring import Calibration, RuleScore, false_per_unit_year, quantile
from hub.quality.truth_file import Truth

CLASSES: Final = {"L": "life safety", "S": "security", "C": "compliance", "W": "welfare", "T": "technical"}
_EXAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class Quality:
    """Everything that was measured."""

    truth: Truth
    ran: Ran
    scores: Mapping[str, RuleScore]
    belief: Calibration

    @property
    def unit_years(self) -> float:
        """Units times years."""
        return len(self.truth.units) * self.truth.days / 365

    def false_of(self, alert_class: str) -> float:
        """Wrong alerts of a class per unit and year."""
        return false_per_unit_year(self.scores, _of_class(self.scores, alert_class), self.unit_years)


def _of_class(rules: Iterable[str], alert_class: str) -> list[str]:
    return sorted((rule for rule in rules if rule.startswith(alert_class)), key=lambda rule: int(rule[1:]))


def as_json(quality: Quality) -> dict[str, Any]:
    """For `--json`."""
    ran, belief = quality.ran, quality.belief
    return {
        "units": len(quality.truth.units),
        "days": quality.truth.days,
        "seed": quality.truth.seed,
        "noise": quality.truth.noise,
        "unit_years": round(quality.unit_years, 3),
        "events": ran.events,
        "seconds": round(ran.seconds, 2),
        "events_not_folded": ran.unfolded,
        "life_safety": _life_safety(quality),
        "rules": {
            rule: _rule_json(quality.scores[rule], quality.unit_years)
            for alert_class in CLASSES
            for rule in _of_class(quality.scores, alert_class)
        },
        "false_alarms_per_unit_year": {name: round(quality.false_of(letter), 4) for letter, name in CLASSES.items()},
        "belief": {
            "nights": belief.nights,
            "abstained": belief.abstained,
            "interval_90_holds_truth": round(belief.inside, 4),
            "truth_below": round(belief.below, 4),
            "truth_above": round(belief.above, 4),
            "mean_width": round(belief.width, 3),
        },
    }


def _life_safety(quality: Quality) -> dict[str, float | None]:
    scores = [quality.scores[rule] for rule in _of_class(quality.scores, "L")]
    expected = sum(score.expected for score in scores)
    return {
        "recall": round(sum(score.found for score in scores) / expected, 4) if expected else None,
        "processing_s_p50": _rounded(quantile(quality.ran.alarm_s, 0.5), 4),
        "processing_s_p99": _rounded(quantile(quality.ran.alarm_s, 0.99), 4),
    }


def _rule_json(score: RuleScore, unit_years: float) -> dict[str, Any]:
    return {
        "raised": score.raised,
        "right": score.right,
        "expected": score.expected,
        "found": score.found,
        "late": score.late,
        "precision": _rounded(score.precision, 4),
        "recall": _rounded(score.recall, 4),
        "delay_h_p50": _hours(quantile(score.delays_s, 0.5)),
        "delay_h_p90": _hours(quantile(score.delays_s, 0.9)),
        "false_per_unit_year": round(len(score.wrong) / max(unit_years, 1e-9), 4),
        "wrong": score.wrong[:_EXAMPLES],
        "missed": score.missed[:_EXAMPLES],
    }


def as_table(quality: Quality) -> Table:
    """One row for each rule."""
    ran, belief = quality.ran, quality.belief
    table = Table(
        title=f"{len(quality.truth.units)} units, {quality.truth.days} days, noise {quality.truth.noise}: "
        f"{ran.events} events in {ran.seconds:.0f} s",
        caption=(
            f"belief: the 90 % interval held the truth in {belief.inside:.1%} of {belief.nights} nights "
            f"(below {belief.below:.1%}, above {belief.above:.1%}); {belief.abstained} abstained. "
            f"Alarms: {len(ran.alarm_s)}, p99 {quantile(ran.alarm_s, 0.99) or 0:.3f} s. "
            f"False compliance alerts: {quality.false_of('C'):.3f} per unit-year."
        ),
    )
    table.add_column("rule")
    for heading in ("raised", "precision", "expected", "recall", "late", "delay h p50", "p90", "false/unit-year"):
        table.add_column(heading, justify="right")
    for alert_class in CLASSES:
        for rule in _of_class(quality.scores, alert_class):
            table.add_row(*_row(quality.scores[rule], quality.unit_years))
    return table


def _row(score: RuleScore, unit_years: float) -> Sequence[str]:
    return (
        score.rule, str(score.raised), _share(score.precision), str(score.expected), _share(score.recall), str(score.late),  # noqa: E501
        _text(_hours(quantile(score.delays_s, 0.5))), _text(_hours(quantile(score.delays_s, 0.9))),
        f"{len(score.wrong) / max(unit_years, 1e-9):.3f}",
    )  # fmt: skip


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 3600, 2)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
