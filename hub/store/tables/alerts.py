"""Alerts, their evidence and actions; what rules keep of devices and days; duty, policies and messages to people."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.store.base import BigKey, InstantMs


class AlertRow(SQLModel, table=True):
    """One alert. Two independent bits (`is_active`, `acknowledged_at`) beside the state of its review.

    At most one alert that is not resolved per rule and subject; `sources` are what still holds it active.
    `revision` rises with every change, and is what a user's action must name.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "uq_alert_open",
            "rule_id",
            "subject",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_alert_gateway_id_resolved_at", "gateway_id", "resolved_at"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    rule_id: str = Field(max_length=8, index=True)
    rule_version: str = Field(max_length=32)
    alert_class: str = Field(max_length=1, index=True)
    severity: str = Field(max_length=2)
    subject: str = Field(max_length=256)
    unit_code: str | None = Field(default=None, max_length=128, index=True)
    building_code: str | None = Field(default=None, max_length=128, index=True)
    gateway_id: str | None = Field(default=None, max_length=64)
    device: str | None = Field(default=None, max_length=128)
    opened_at: datetime = Field(sa_type=InstantMs, index=True)
    observed_at: datetime = Field(sa_type=InstantMs)
    last_evidence_at: datetime = Field(sa_type=InstantMs)
    evidence_count: int = 0
    is_active: bool = True
    sources: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    cleared_at: datetime | None = Field(default=None, sa_type=InstantMs)
    acknowledged_at: datetime | None = Field(default=None, sa_type=InstantMs)
    acknowledged_by: str | None = Field(default=None, max_length=96)
    review: str = Field(default="new", max_length=16)  # new, verifying, confirmed, contested, resolved
    assignee: str | None = Field(default=None, max_length=96)
    shelved_until: datetime | None = Field(default=None, sa_type=InstantMs)
    confirmed_by: str | None = Field(default=None, max_length=96)
    contested_at: datetime | None = Field(default=None, sa_type=InstantMs)
    contest_from: str | None = Field(default=None, max_length=16)
    reviewers: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    due_ack_at: datetime | None = Field(default=None, sa_type=InstantMs)
    due_act_at: datetime | None = Field(default=None, sa_type=InstantMs)
    escalation: int = 0
    escalated_at: datetime | None = Field(default=None, sa_type=InstantMs)
    resolved_at: datetime | None = Field(default=None, sa_type=InstantMs)
    resolved_by: str | None = Field(default=None, max_length=96)
    outcome: str | None = Field(default=None, max_length=16)  # true, false, benign, cleared
    cause: str = Field(default="", max_length=64)
    no_raise_before: datetime | None = Field(default=None, sa_type=InstantMs)
    explanation_zh: str = Field(sa_column=Column(Text, nullable=False))
    explanation_en: str = Field(sa_column=Column(Text, nullable=False))
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    parameters: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    coverage: float | None = None
    known_at: datetime = Field(sa_type=InstantMs)  # the registry as it was known then was judged
    revision: int = 1


class AlertEvidence(SQLModel, table=True):
    """One piece of evidence: an event, a version of a record in the registry, or an estimate of a night."""

    __tablename__ = "alert_evidence"

    alert_id: int = Field(sa_column=Column(BigKey, ForeignKey("alert.id"), primary_key=True))
    n: int = Field(primary_key=True)
    kind: str = Field(max_length=16)
    event_id: int | None = Field(default=None, sa_type=BigInteger)
    ref: str = Field(default="", max_length=256)
    at: datetime = Field(sa_type=InstantMs)
    note_zh: str = Field(default="", sa_column=Column(Text, nullable=False))
    note_en: str = Field(default="", sa_column=Column(Text, nullable=False))


class AlertAction(SQLModel, table=True):
    """What was done about an alert: by whom, when, why. Append-only."""

    __tablename__ = "alert_action"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    alert_id: int = Field(sa_column=Column(BigKey, ForeignKey("alert.id"), nullable=False, index=True))
    at: datetime = Field(sa_type=InstantMs)
    actor: str = Field(max_length=96)
    action: str = Field(max_length=24)
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    detail: str = Field(default="", sa_column=Column(Text, nullable=False))


class DeviceWatch(SQLModel, table=True):
    """What the latest events say of one device; `key` is `gateway/device`. Rebuilt from events by replay.

    `check_at`: when time alone may make a rule true (a door open for too long, a detector silent for too long).
    """

    __tablename__ = "device_watch"

    key: str = Field(primary_key=True, max_length=200)
    gateway_id: str = Field(max_length=64, index=True)
    device: str = Field(max_length=128)
    unit_code: str | None = Field(default=None, max_length=128, index=True)
    building_code: str | None = Field(default=None, max_length=128)
    kind: str = Field(default="other", max_length=16)
    in_alarm: bool = False
    first_seen_at: datetime = Field(sa_type=InstantMs)
    last_seen_at: datetime = Field(sa_type=InstantMs)
    last_event_id: int = Field(sa_type=BigInteger)
    check_at: datetime | None = Field(default=None, sa_type=InstantMs, index=True)
    state: str = Field(sa_column=Column(Text, nullable=False))  # a hub.domain.observations.DeviceState as JSON

    __table_args__ = (Index("ix_device_watch_building_code_kind", "building_code", "kind"),)


class CredentialDay(SQLModel, table=True):
    """Uses of one credential at one unit on one local day: enough for the rules, less than a door history (P6)."""

    __tablename__ = "credential_day"
    __table_args__ = (Index("ix_credential_day_ref_day", "ref", "day"),)

    unit_code: str = Field(primary_key=True, max_length=128)
    ref: str = Field(primary_key=True, max_length=160)
    day: date = Field(primary_key=True)
    opens: int = 0
    denied: int = 0
    outside_booking: int = 0
    first_event_id: int = Field(sa_type=BigInteger)
    last_event_id: int = Field(sa_type=BigInteger)
    last_at: datetime = Field(sa_type=InstantMs)


class PlaceBelief(SQLModel, table=True):
    """The occupancy filter of one counted place, as JSON; and how far it has been folded."""

    __tablename__ = "place_belief"

    place: str = Field(primary_key=True, max_length=128)
    gateway_id: str = Field(max_length=64, index=True)
    updated_at: datetime = Field(sa_type=InstantMs)
    state: str = Field(sa_column=Column(Text, nullable=False))


class NightRow(SQLModel, table=True):
    """What is believed of one place in one night (02:00 to 05:00 local); `night` is the date of the morning."""

    __tablename__ = "night_estimate"

    place: str = Field(primary_key=True, max_length=128)
    night: date = Field(primary_key=True)
    at: datetime = Field(sa_type=InstantMs)
    mean: float
    lower: int
    upper: int
    sigma: float
    coverage: float
    abstained: str = Field(default="", max_length=64)
    crossings: int = 0
    # A JSON list: how likely 0, 1, 2, … people stayed, as far as that is worth writing.
    chances: str = Field(default="[]", max_length=4000)
    # A JSON list: for numbers of the night before, how likely that one went together with each of this night.
    before: str = Field(default="[]", sa_type=Text)


class UnitDue(SQLModel, table=True):
    """Units whose rules must be looked at again, because something happened there."""

    __tablename__ = "unit_due"

    unit_code: str = Field(primary_key=True, max_length=128)
    since: datetime = Field(sa_type=InstantMs)


class RuleVerdict(SQLModel, table=True):
    """Why a rule could not judge a unit: shown as such, never as "in order"."""

    __tablename__ = "rule_verdict"

    rule_id: str = Field(primary_key=True, max_length=8)
    subject: str = Field(primary_key=True, max_length=256)
    at: datetime = Field(sa_type=InstantMs)
    reason_zh: str = Field(sa_column=Column(Text, nullable=False))
    reason_en: str = Field(sa_column=Column(Text, nullable=False))


class Progress(SQLModel, table=True):
    """How far a recurring task has come, so that a restart neither repeats nor skips it."""

    __tablename__ = "rule_progress"

    name: str = Field(primary_key=True, max_length=64)
    at: datetime = Field(sa_type=InstantMs)
    cursor: str = Field(default="", max_length=256)


class PolicyOverride(SQLModel, table=True):
    """A parameter that the organisation set for a scope, over what the packs say. Ended, never changed."""

    __tablename__ = "policy_override"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    scope_code: str = Field(max_length=128, index=True)
    rule_id: str = Field(max_length=8)
    parameter: str = Field(max_length=64)
    value: str = Field(sa_column=Column(Text, nullable=False))  # JSON
    reason: str = Field(sa_column=Column(Text, nullable=False))
    set_by: str = Field(max_length=96)
    set_at: datetime = Field(sa_type=InstantMs)
    ended_at: datetime | None = Field(default=None, sa_type=InstantMs)
    ended_by: str | None = Field(default=None, max_length=96)


class DutyShift(SQLModel, table=True):
    """Who is on duty for a scope; `level` 0 hears first, higher levels when nobody answers."""

    __tablename__ = "duty_shift"

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    scope_code: str = Field(default="", max_length=128)
    level: int = 0
    recipient: str = Field(max_length=64, index=True)
    from_at: datetime = Field(sa_type=InstantMs)
    to_at: datetime = Field(sa_type=InstantMs)


class Recipient(SQLModel, table=True):
    """Somebody who is told. The channel's address holds secrets, and is sealed."""

    __tablename__ = "notify_recipient"

    name: str = Field(primary_key=True, max_length=64)
    language: str = Field(default="zh", max_length=2)
    channel_sealed: str = Field(sa_column=Column(Text, nullable=False))
    classes: str = Field(default="LSCWT", max_length=8)
    least_severity: str = Field(default="P4", max_length=2)
    quiet_from: str = Field(default="", max_length=5)
    quiet_to: str = Field(default="", max_length=5)
    is_enabled: bool = True


class Notification(SQLModel, table=True):
    """One message to one recipient, kept until it is sent or given up."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("dedupe"),
        Index("ix_notification_due", "state", "next_try_at"),
    )

    id: int | None = Field(default=None, sa_column=Column(BigKey, primary_key=True, autoincrement=True))
    dedupe: str = Field(max_length=160)
    alert_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    recipient: str = Field(max_length=64)
    alert_class: str = Field(default="T", max_length=1)
    title: str = Field(max_length=200)
    body: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_type=InstantMs)
    next_try_at: datetime = Field(sa_type=InstantMs)
    tries: int = 0
    state: str = Field(default="waiting", max_length=16)  # waiting, sent, failed
    sent_at: datetime | None = Field(default=None, sa_type=InstantMs)
    last_error: str = Field(default="", max_length=256)
