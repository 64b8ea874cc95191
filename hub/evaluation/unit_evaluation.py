"""Looks at whole units: those where something happened, those whose registry changed, and all of them once a day."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from hub.alerts.alert_writer import AlertWriter
from hub.domain.local_time import local_day
from hub.evaluation.event_follower import mark_due
from hub.evaluation.unit_observations import ObservationReader
from hub.registry.snapshot import RegistrySnapshot, held_at
from hub.rules.model import CannotEvaluate, Finding, Fine, Verdict
from hub.rules.on_unit import judge_unit
from hub.rules.policy import Policy
from hub.store.tables.alerts import Progress, RuleVerdict, UnitDue
from hub.store.tables.registry import RegistryRevision, UnitRow, WelfareRow

_MOST_AT_ONCE: Final = 500
_CHUNK: Final = 400
_SWEEP: Final = "sweep"
_REVISION: Final = "revision"


class UnitWatch:
    """Evaluates units. One call, one transaction of the caller's."""

    def __init__(self, registry: RegistrySnapshot, *, is_alone: bool = False) -> None:
        self._registry = registry
        self._eyes = ObservationReader(registry, is_alone=is_alone)

    def forget(self, units: Collection[str]) -> None:
        """Something new is stored of these units."""
        self._eyes.forget(units)

    def note_registry_changes(self, session: Session, now: datetime) -> bool:
        """Have the units whose registry changed looked at. True when more than single units changed."""
        progress = session.get(Progress, _REVISION) or Progress(name=_REVISION, at=now, cursor="0")
        before = int(progress.cursor)
        if before == self._registry.revision:
            return False
        query = select(RegistryRevision.units).where(
            col(RegistryRevision.id) > before, col(RegistryRevision.id) <= self._registry.revision
        )
        touched = list(session.exec(query))
        everywhere = "*" in touched
        if everywhere:
            mark_due(session, list(session.exec(select(UnitRow.code).where(held_at(UnitRow, None)))), now)
        else:
            mark_due(session, {code for units in touched for code in units.split(",")}, now)
        progress.cursor, progress.at = str(self._registry.revision), now
        session.add(progress)
        return everywhere

    def sweep(self, session: Session, now: datetime) -> bool:
        """Once a local day: have every unit looked at, for what the calendar alone changes. True on that call."""
        progress = session.get(Progress, _SWEEP)
        day = local_day(now).isoformat()
        if progress is not None and progress.cursor == day:
            return False
        progress = progress or Progress(name=_SWEEP, at=now)
        progress.cursor, progress.at = day, now
        session.add(progress)
        mark_due(session, list(session.exec(select(UnitRow.code).where(held_at(UnitRow, None)))), now)
        return True

    def note_care(self, session: Session, now: datetime) -> None:
        """Have the households that asked to be looked after looked at: silence makes no event."""
        mark_due(session, list(session.exec(select(WelfareRow.code).where(held_at(WelfareRow, None)))), now)

    def evaluate_due(self, session: Session, book: AlertWriter, now: datetime) -> int:
        """Look at units that are due, the longest waiting first; returns how many."""
        codes = list(
            session.exec(select(UnitDue.unit_code).order_by(col(UnitDue.since), UnitDue.unit_code).limit(_MOST_AT_ONCE))
        )
        if not codes:
            return 0
        session.connection().execute(delete(UnitDue).where(col(UnitDue.unit_code).in_(codes)))
        self.evaluate(session, book, codes, now)
        return len(codes)

    def evaluate(self, session: Session, book: AlertWriter, codes: Sequence[str], now: datetime) -> None:
        """Look at these units now."""
        units = self._registry.units(session, codes)
        book.load_open([f"unit:{code}" for code in codes])
        seen = self._eyes.seen_of(session, units, now)
        verdicts = _verdicts(session, codes)
        for code, unit in units.items():
            policy = book.policy(unit.building)
            for rule_id, verdict in judge_unit(unit, seen[code], policy, now):
                subject = f"unit:{code}"
                held = verdicts.get((rule_id, subject))
                if isinstance(verdict, CannotEvaluate):
                    _keep_verdict(session, held, rule_id=rule_id, subject=subject, verdict=verdict, now=now)
                    continue
                if held is not None:
                    session.delete(held)
                _settle(book, rule_id, subject, verdict, policy)


def settle_verdict(
    session: Session,
    book: AlertWriter,
    rule_id: str,
    subject: str,
    verdict: Verdict,
    *,
    policy: Policy,
    now: datetime,
) -> None:
    """Act on what a rule said of one subject: open, join, clear, or note that it could not judge."""
    held = session.get(RuleVerdict, (rule_id, subject))
    if isinstance(verdict, CannotEvaluate):
        _keep_verdict(session, held, rule_id=rule_id, subject=subject, verdict=verdict, now=now)
        return
    if held is not None:
        session.delete(held)
    _settle(book, rule_id, subject, verdict, policy)


def _settle(book: AlertWriter, rule_id: str, subject: str, verdict: Finding | Fine, policy: Policy) -> None:
    if isinstance(verdict, Finding):
        book.take(verdict, policy)
    else:
        book.clear_all(rule_id, subject)


def _verdicts(session: Session, codes: Collection[str]) -> dict[tuple[str, str], RuleVerdict]:
    subjects = [f"unit:{code}" for code in codes]
    found: dict[tuple[str, str], RuleVerdict] = {}
    for start in range(0, len(subjects), _CHUNK):
        query = select(RuleVerdict).where(col(RuleVerdict.subject).in_(subjects[start : start + _CHUNK]))
        found |= {(row.rule_id, row.subject): row for row in session.exec(query)}
    return found


def _keep_verdict(
    session: Session,
    held: RuleVerdict | None,
    *,
    rule_id: str,
    subject: str,
    verdict: CannotEvaluate,
    now: datetime,
) -> None:
    reason = verdict.reason
    if held is None:
        session.add(RuleVerdict(rule_id=rule_id, subject=subject, at=now, reason_zh=reason.zh, reason_en=reason.en))
    elif (held.reason_zh, held.reason_en) != (reason.zh, reason.en):
        held.reason_zh, held.reason_en, held.at = reason.zh, reason.en, now
        session.add(held)
