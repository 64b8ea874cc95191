"""From the lives of alerts to the figures of a month. Pure."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from hub.domain.subject import AlertClass
from hub.report.lives import Life
from hub.report.month import Month
from hub.report.views import ClassFigures, RuleFigures
from hub.rules.catalogue import RULES


def share(part: int, whole: int) -> float | None:
    """A part of a whole, to four places; None when there is no whole."""
    return round(part / whole, 4) if whole else None


def of_classes(lives: Sequence[Life], month: Month, last: Month) -> tuple[ClassFigures, ...]:
    """All of them first, then each class, in the order in which they matter."""
    return (
        ClassFigures(alert_class=None, **_figures(lives, month, last)),
        *(
            ClassFigures(
                alert_class=kind, **_figures([life for life in lives if life.alert_class == kind], month, last)
            )
            for kind in AlertClass
        ),
    )


def of_rules(lives: Sequence[Life], month: Month, last: Month) -> tuple[RuleFigures, ...]:
    """Every rule that raised or ended something in the month or has something open, in the order of the catalogue."""
    found = []
    for rule_id, about in RULES.items():
        figures = _figures([life for life in lives if life.rule_id == rule_id], month, last)
        if any(figures[name] for name in ("opened", "resolved", "open_at_end")):
            found.append(RuleFigures(rule=rule_id, alert_class=about.alert_class, title=about.title, **figures))
    return tuple(found)


def _figures(lives: Iterable[Life], month: Month, last: Month) -> dict[str, Any]:
    lives = list(lives)
    opened = [life for life in lives if month.start <= life.opened_at < month.until]
    waits = [
        (answered - life.opened_at).total_seconds()
        for life in opened
        if (answered := life.answered_at(month.until)) is not None
    ]
    outcomes = [
        life.outcome for life in lives if life.resolved_at is not None and month.start <= life.resolved_at < month.until
    ]
    judged = {name: outcomes.count(name) for name in ("true", "false", "benign", "cleared")}
    late = [
        sum(1 for at in moments if at is not None and at >= month.start)
        for moments in (
            (life.unanswered_late_at(month.until) for life in lives),
            (life.unsettled_late_at(month.until) for life in lives),
        )
    ]
    return {
        "opened": len(opened),
        "opened_before": sum(1 for life in lives if last.start <= life.opened_at < last.end),
        "answered": len(waits),
        "answer_median_s": round(median(waits), 1) if waits else None,
        "answer_late": late[0],
        "settle_late": late[1],
        "resolved": len(outcomes),
        **judged,
        "false_share": share(judged["false"], judged["true"] + judged["false"] + judged["benign"]),
        "open_at_end": sum(1 for life in lives if life.is_open_at(month.until)),
    }
