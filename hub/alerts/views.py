"""Alerts as the API shows them. Lists carry a unit and a class; names are nowhere (P4, P13)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.domain.subject import AlertClass, Severity
from hub.domain.text import Fact, Text

ReviewState = Literal["new", "verifying", "confirmed", "contested", "resolved"]
Outcome = Literal["true", "false", "benign", "cleared"]
AlertState = Literal["open", "active", "unacknowledged", "shelved", "resolved", "all"]
AlertOrder = Literal["newest", "urgent", "due"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class AlertFilter(_View):
    """What a list is narrowed to. `scopes` are code prefixes (`CODE` or `CODE-…`); empty is everything."""

    state: AlertState = "open"
    classes: tuple[AlertClass, ...] = ()
    severities: tuple[Severity, ...] = ()
    rules: tuple[str, ...] = ()
    unit: str | None = None
    building: str | None = None
    gateway: str | None = None
    assignee: str | None = None
    opened_since: datetime | None = None
    opened_until: datetime | None = None
    ids: tuple[int, ...] = ()
    is_overdue: bool = False
    scopes: tuple[str, ...] = ()


class AlertSummary(_View):
    """One line of a list. `revision` is what an action on the alert repeats, so that a stale page is noticed."""

    id: int
    rule: str
    rule_version: str
    alert_class: AlertClass
    severity: Severity
    title: Text
    subject: str
    unit: str | None
    building: str | None
    gateway: str | None
    device: str | None
    is_active: bool
    is_acknowledged: bool
    review: ReviewState
    outcome: Outcome | None
    assignee: str | None
    opened_at: datetime
    last_evidence_at: datetime
    evidence_count: int
    due_ack_at: datetime | None
    due_act_at: datetime | None
    shelved_until: datetime | None
    escalation: int
    revision: int


class EvidenceView(_View):
    """One piece of evidence. `event_id` opens the event; `record` names a version in the registry."""

    kind: Literal["event", "record", "estimate"]
    at: datetime
    note: Text
    event_id: int | None
    record: str


class ActionView(_View):
    """One thing done about the alert."""

    at: datetime
    actor: str
    action: str
    reason: str
    detail: str


class ParameterView(_View):
    """A number that the rule used, and where it comes from."""

    name: str
    value: Fact | bool | list[Fact] | None
    source: str
    clause: str
    verified: bool
    verified_at: str | None
    pack: str
    overridden_by: str | None = None


class AlertDetail(AlertSummary):
    """Everything about one alert."""

    observed_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    cause: str
    confirmed_by: str | None
    contested_at: datetime | None
    explanation: Text
    trigger: Text
    basis: Text
    benign_explanations: tuple[Text, ...]
    recommended_actions: tuple[Text, ...]
    forbidden_actions: tuple[Text, ...]
    facts: dict[str, Fact]
    parameters: tuple[ParameterView, ...]
    evidence: tuple[EvidenceView, ...]
    actions: tuple[ActionView, ...]
    coverage: float | None
    known_at: datetime
    may_leave_house: bool


class AlertCounts(_View):
    """How many open alerts there are, for badges."""

    open: int
    unacknowledged: int
    by_class: dict[AlertClass, int]
