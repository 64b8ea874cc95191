"""Holds the alerts of a replay against those that are stored."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sqlmodel import Session, col, select

from hub.domain.text import Text
from hub.rules.catalogue import rule
from hub.store.tables.alerts import AlertEvidence, AlertRow

Verdict = Literal["same", "changed", "new", "vanishes"]
_FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Raised:
    """One alert, as stored or as replayed. `evidence` are the numbers of events and the names of records."""

    id: int
    rule_id: str
    subject: str
    severity: str
    opened_at: datetime
    resolved_at: datetime | None
    explanation: Text
    parameters: tuple[tuple[str, str], ...]
    evidence: frozenset[int | str]
    unit: str | None = None
    building: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one alert. `differs` names what is not the same: opened_at, severity, parameters, …"""

    verdict: Verdict
    stored: Raised | None
    replayed: Raised | None
    differs: tuple[str, ...] = ()

    @property
    def either(self) -> Raised:
        """The stored one, or where there is none the replayed one."""
        found = self.stored or self.replayed
        assert found is not None
        return found


@dataclass(slots=True)
class RuleOutcome:
    """A rule's figures and lines."""

    rule_id: str
    lines: list[Line] = field(default_factory=list)

    @property
    def raised(self) -> int:
        """How many are stored."""
        return sum(1 for line in self.lines if line.stored is not None)

    @property
    def would_be_raised(self) -> int:
        """How many the replay raised."""
        return sum(1 for line in self.lines if line.replayed is not None)

    def count(self, verdict: Verdict) -> int:
        """How many of one kind."""
        return sum(1 for line in self.lines if line.verdict == verdict)


def read_raised(session: Session, since: datetime, until: datetime) -> list[Raised]:
    """The alerts that were opened in [since, until]."""
    query = (
        select(AlertRow)
        .where(col(AlertRow.opened_at) >= since, col(AlertRow.opened_at) <= until)
        .order_by(col(AlertRow.id))
    )
    rows = list(session.exec(query))
    evidence: dict[int, set[int | str]] = defaultdict(set)
    pieces = (
        select(AlertEvidence.alert_id, AlertEvidence.event_id, AlertEvidence.ref)
        .join(AlertRow, col(AlertRow.id) == AlertEvidence.alert_id)
        .where(col(AlertRow.opened_at) >= since, col(AlertRow.opened_at) <= until)
    )
    for alert_id, event_id, ref in session.exec(pieces):
        evidence[alert_id].add(ref if event_id is None else event_id)
    return [_raised(row, frozenset(evidence[row.id or 0])) for row in rows]


def _raised(row: AlertRow, evidence: frozenset[int | str]) -> Raised:
    return Raised(
        row.id or 0,
        row.rule_id,
        row.subject,
        row.severity,
        row.opened_at,
        row.resolved_at,
        Text(row.explanation_zh, row.explanation_en),
        tuple(_parameter(item) for item in row.parameters),
        evidence,
        row.unit_code,
        row.building_code,
    )


def _parameter(item: dict[str, Any]) -> tuple[str, str]:
    return str(item.get("name")), repr(item.get("value"))


def compare(stored: Iterable[Raised], replayed: Iterable[Raised], tolerance: timedelta) -> list[RuleOutcome]:
    """Pair alerts of one rule and subject that were open at the same time, up to `tolerance`; the rest is new or gone.

    Rules in the order of their names.
    """
    ours: dict[tuple[str, str], list[Raised]] = defaultdict(list)
    theirs: dict[tuple[str, str], list[Raised]] = defaultdict(list)
    for found, into in ((stored, ours), (replayed, theirs)):
        for alert in found:
            into[alert.rule_id, alert.subject].append(alert)
    outcomes: dict[str, RuleOutcome] = {}
    for key in sorted(ours.keys() | theirs.keys()):
        outcome = outcomes.setdefault(key[0], RuleOutcome(key[0]))
        outcome.lines += _pair(ours[key], theirs[key], tolerance)
    for outcome in outcomes.values():
        outcome.lines.sort(key=lambda line: (line.either.opened_at, line.either.subject))
    return list(outcomes.values())


def _pair(stored: list[Raised], replayed: list[Raised], tolerance: timedelta) -> list[Line]:
    lines: list[Line] = []
    left = sorted(stored, key=lambda alert: alert.opened_at)
    right = sorted(replayed, key=lambda alert: alert.opened_at)
    while left and right:
        ours, theirs = left[0], right[0]
        if (ours.resolved_at or _FOREVER) < theirs.opened_at - tolerance:
            lines.append(Line("vanishes", left.pop(0), None))
        elif (theirs.resolved_at or _FOREVER) < ours.opened_at - tolerance:
            lines.append(Line("new", None, right.pop(0)))
        else:
            differs = _differs(left.pop(0), right.pop(0), tolerance)
            lines.append(Line("changed" if differs else "same", ours, theirs, differs))
    lines += [Line("vanishes", alert, None) for alert in left]
    lines += [Line("new", None, alert) for alert in right]
    return lines


def _differs(ours: Raised, theirs: Raised, tolerance: timedelta) -> tuple[str, ...]:
    found = [
        name
        for name in ("severity", "explanation", "parameters", "evidence")
        if getattr(ours, name) != getattr(theirs, name)
    ]
    if abs(ours.opened_at - theirs.opened_at) > tolerance:
        found.insert(0, "opened_at")
    return tuple(found)


def as_json(outcomes: Iterable[RuleOutcome], *, same_too: bool = False) -> list[dict[str, Any]]:
    """Plain values for a file: figures of each rule, and every line that is not `same` (or with `same_too`, all)."""
    return [
        {
            "rule": outcome.rule_id,
            "title": {"zh": rule(outcome.rule_id).title.zh, "en": rule(outcome.rule_id).title.en},
            "raised": outcome.raised,
            "would_be_raised": outcome.would_be_raised,
            "same": outcome.count("same"),
            "changed": outcome.count("changed"),
            "new": outcome.count("new"),
            "vanishes": outcome.count("vanishes"),
            "lines": [_line(line) for line in outcome.lines if same_too or line.verdict != "same"],
        }
        for outcome in outcomes
    ]


def _line(line: Line) -> dict[str, Any]:
    shown = line.replayed or line.either
    return {
        "verdict": line.verdict,
        "subject": line.either.subject,
        "unit": line.either.unit,
        "building": line.either.building,
        "alert": None if line.stored is None else line.stored.id,
        "link": None if line.stored is None else link_of(line.stored),
        "opened_at": None if line.stored is None else line.stored.opened_at.isoformat(),
        "would_open_at": None if line.replayed is None else line.replayed.opened_at.isoformat(),
        "differs": list(line.differs),
        "severity": shown.severity,
        "explanation": {"zh": shown.explanation.zh, "en": shown.explanation.en},
        "events": sorted(item for item in shown.evidence if isinstance(item, int)),
    }


def link_of(alert: Raised) -> str:
    """Its page, from the hub's address on."""
    return f"/alerts/{alert.id}"
