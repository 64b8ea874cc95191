"""Turns findings into alerts: opens one, joins evidence to the one that is open, or clears it."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlmodel import Session, col, select

from hub.alerts import lifecycle
from hub.alerts.actions import change_of, record_action
from hub.domain.entities import Building
from hub.domain.stored_event import Change
from hub.domain.subject import AlertClass
from hub.policies.building_policies import BuildingPolicies
from hub.registry.snapshot import RegistrySnapshot
from hub.rules.catalogue import rule
from hub.rules.model import Evidence, Finding, Rule
from hub.rules.policy import PackSet, Policy
from hub.store.tables.alerts import AlertEvidence, AlertRow

SYSTEM: Final = "system"
_CHUNK: Final = 400
MOST_EVIDENCE: Final = 500
"""More pieces are counted, not kept: the alert shows the first ones, and the events are all there."""


class AlertWriter:
    """The alerts as one transaction sees them. Make one for each transaction."""

    def __init__(self, session: Session, registry: RegistrySnapshot, packs: PackSet, now: datetime) -> None:
        self._session = session
        self._now = now
        self._open: dict[tuple[str, str], AlertRow | None] = {}
        self._known: dict[int, set[tuple[int | None, str]]] = {}
        self._policies = BuildingPolicies(session, registry, packs, now)
        self._loaded: set[str] = set()
        self._prefetched: tuple[str, ...] = ()
        self._prefetched_gateways: frozenset[str] = frozenset()
        self.changes: list[Change] = []
        self.to_notify: list[AlertRow] = []

    def prefetch(self, gateways: Collection[str]) -> None:
        """Read the open alerts of these gateways and their devices at once."""
        query = select(AlertRow).where(
            col(AlertRow.gateway_id).in_(sorted(gateways)), col(AlertRow.resolved_at).is_(None)
        )
        for row in self._session.exec(query):
            self._open.setdefault((row.rule_id, row.subject), row)
        self._prefetched = tuple(f"device:{gateway}/" for gateway in gateways)
        self._prefetched_gateways = frozenset(f"gateway:{gateway}" for gateway in gateways)

    def _is_prefetched(self, subject: str) -> bool:
        return subject in self._prefetched_gateways or subject.startswith(self._prefetched)

    def load_open(self, subjects: Collection[str]) -> None:
        """Read the open alerts of these subjects, and what each has as evidence, at once."""
        wanted = sorted(set(subjects) - self._loaded)
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            query = select(AlertRow).where(col(AlertRow.subject).in_(chunk), col(AlertRow.resolved_at).is_(None))
            found = list(self._session.exec(query))
            for row in found:
                self._open.setdefault((row.rule_id, row.subject), row)
            self._load_evidence([row.id for row in found if row.id is not None and row.id not in self._known])
        self._loaded.update(wanted)

    def _load_evidence(self, alerts: list[int]) -> None:
        self._known.update({number: set() for number in alerts})
        for start in range(0, len(alerts), _CHUNK):
            query = select(AlertEvidence.alert_id, AlertEvidence.event_id, AlertEvidence.ref).where(
                col(AlertEvidence.alert_id).in_(alerts[start : start + _CHUNK])
            )
            for number, event_id, ref in self._session.exec(query):
                self._known[number].add((event_id, ref))

    def policy(self, building: Building | None) -> Policy:
        """Return what holds for a building; for an unknown one, what holds everywhere."""
        return self._policies.of(building)

    def open_alert(self, rule_id: str, subject: str) -> AlertRow | None:
        """The alert that is not resolved, if there is one."""
        key = (rule_id, subject)
        if key not in self._open and subject not in self._loaded and not self._is_prefetched(subject):
            query = select(AlertRow).where(
                AlertRow.rule_id == rule_id, AlertRow.subject == subject, col(AlertRow.resolved_at).is_(None)
            )
            self._open[key] = self._session.exec(query).first()
        return self._open.get(key)

    def take(self, finding: Finding, policy: Policy) -> AlertRow | None:
        """Open, join or clear. Returns the alert, or None when nothing is open and nothing was opened."""
        about = rule(finding.rule_id)
        alert = self.open_alert(finding.rule_id, finding.subject.key)
        if not finding.active:
            if alert is not None:
                self._clear(alert, finding.source, about)
            return alert
        if not policy.base(finding.rule_id).enabled:
            return alert
        if alert is None:
            return self._start(finding, about, policy)
        self._join(alert, finding, about)
        return alert

    def clear_all(self, rule_id: str, subject: str) -> None:
        """The rule looked, and nothing of the subject's condition is left."""
        if subject in self._loaded and (rule_id, subject) not in self._open:
            return
        alert = self.open_alert(rule_id, subject)
        if alert is not None and alert.is_active:
            self._clear(alert, None, rule(rule_id))

    def _start(self, finding: Finding, about: Rule, policy: Policy) -> AlertRow | None:
        if about.alert_class in {AlertClass.COMPLIANCE, AlertClass.WELFARE} and self._is_quiet(finding):
            return None
        base = policy.base(finding.rule_id)
        words = about.explanation.filled(finding.facts)
        subject = finding.subject
        alert = AlertRow(
            rule_id=about.id,
            rule_version=about.version,
            alert_class=str(about.alert_class),
            severity=finding.severity or about.severity,
            subject=subject.key,
            unit_code=subject.unit,
            building_code=subject.building,
            gateway_id=subject.gateway,
            device=subject.device,
            opened_at=self._now,
            observed_at=finding.observed_at,
            last_evidence_at=finding.observed_at,
            sources=[finding.source],
            due_ack_at=self._now + timedelta(seconds=base.ack_within_s) if base.ack_within_s else None,
            due_act_at=self._now + timedelta(seconds=base.act_within_s) if base.act_within_s else None,
            explanation_zh=words.zh,
            explanation_en=words.en,
            facts=dict(finding.facts),
            parameters=[msgspec.to_builtins(item, str_keys=True) for item in policy.provenance(finding.rule_id)],
            coverage=finding.coverage,
            known_at=self._now,
        )
        self._session.add(alert)
        self._session.flush()
        self._open[about.id, subject.key] = alert
        self._known[alert.id or 0] = set()
        self._add_evidence(alert, finding.evidence)
        self.changes.append(change_of(alert, "opened"))
        self.to_notify.append(alert)
        return alert

    def _is_quiet(self, finding: Finding) -> bool:
        query = select(AlertRow.id).where(
            AlertRow.rule_id == finding.rule_id,
            AlertRow.subject == finding.subject.key,
            col(AlertRow.no_raise_before) > self._now,
        )
        return self._session.exec(query.limit(1)).first() is not None

    def _join(self, alert: AlertRow, finding: Finding, about: Rule) -> None:
        returned = lifecycle.join(alert, finding.source, finding.observed_at)
        added = self._add_evidence(alert, finding.evidence)
        severity = finding.severity or about.severity
        if severity < alert.severity:
            alert.severity = severity
            self.changes.append(record_action(self._session, alert, SYSTEM, "raise", self._now, detail=severity))
            self.to_notify.append(alert)
        if added or returned:
            words = about.explanation.filled(finding.facts)
            alert.explanation_zh, alert.explanation_en = words.zh, words.en
            alert.facts = dict(finding.facts)
            alert.coverage = finding.coverage
            alert.known_at = self._now
        if added and about.asks_each_time and not returned:
            returned = lifecycle.ask_again(alert)
        if returned:
            self.changes.append(record_action(self._session, alert, SYSTEM, "return", self._now))
            self.to_notify.append(alert)
        elif added:
            self.changes.append(change_of(alert, "evidence"))
        self._session.add(alert)

    def _clear(self, alert: AlertRow, source: str | None, about: Rule) -> None:
        if not lifecycle.clear(alert, source, self._now):
            self._session.add(alert)
            return
        self.changes.append(record_action(self._session, alert, SYSTEM, "clear", self._now))
        if lifecycle.settles_itself(alert, latched=about.latched):
            lifecycle.settle(alert, self._now)
            self._open[alert.rule_id, alert.subject] = None
            # Closed before another may open: at most one open alert per rule and subject.
            self._session.flush()

    def _add_evidence(self, alert: AlertRow, pieces: Iterable[Evidence]) -> int:
        assert alert.id is not None
        if alert.id not in self._known:
            self._load_evidence([alert.id])
        known = self._known[alert.id]
        added = 0
        for piece in pieces:
            key = (piece.event_id, piece.ref)
            if key in known:
                continue
            added += 1
            alert.evidence_count += 1
            if len(known) >= MOST_EVIDENCE:
                continue
            known.add(key)
            self._session.add(
                AlertEvidence(
                    alert_id=alert.id,
                    n=len(known),
                    kind=piece.kind,
                    event_id=piece.event_id,
                    ref=piece.ref,
                    at=piece.at,
                    note_zh=piece.note.zh,
                    note_en=piece.note.en,
                )
            )
        return added
