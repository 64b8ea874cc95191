"""The tables of the first release. Written by `python -m hub.store.migrations.regenerate`."""

import sqlalchemy as sa
from alembic import op

import hub.store.base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("rule_id", sa.String(length=8), nullable=False),
        sa.Column("rule_version", sa.String(length=32), nullable=False),
        sa.Column("alert_class", sa.String(length=1), nullable=False),
        sa.Column("severity", sa.String(length=2), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=True),
        sa.Column("building_code", sa.String(length=128), nullable=True),
        sa.Column("gateway_id", sa.String(length=64), nullable=True),
        sa.Column("device", sa.String(length=128), nullable=True),
        sa.Column("opened_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("observed_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("last_evidence_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("evidence_count", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("cleared_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("acknowledged_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=96), nullable=True),
        sa.Column("review", sa.String(length=16), nullable=False),
        sa.Column("assignee", sa.String(length=96), nullable=True),
        sa.Column("shelved_until", hub.store.base.InstantMs(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=96), nullable=True),
        sa.Column("contested_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("contest_from", sa.String(length=16), nullable=True),
        sa.Column("reviewers", sa.JSON(), nullable=False),
        sa.Column("due_ack_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("due_act_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("escalation", sa.Integer(), nullable=False),
        sa.Column("escalated_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("resolved_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("resolved_by", sa.String(length=96), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("no_raise_before", hub.store.base.InstantMs(), nullable=True),
        sa.Column("explanation_zh", sa.Text(), nullable=False),
        sa.Column("explanation_en", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=True),
        sa.Column("known_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_alert_class"), "alert", ["alert_class"], unique=False)
    op.create_index(op.f("ix_alert_building_code"), "alert", ["building_code"], unique=False)
    op.create_index("ix_alert_gateway_id_resolved_at", "alert", ["gateway_id", "resolved_at"], unique=False)
    op.create_index(op.f("ix_alert_opened_at"), "alert", ["opened_at"], unique=False)
    op.create_index(op.f("ix_alert_rule_id"), "alert", ["rule_id"], unique=False)
    op.create_index(op.f("ix_alert_unit_code"), "alert", ["unit_code"], unique=False)
    op.create_index(
        "uq_alert_open",
        "alert",
        ["rule_id", "subject"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("expires_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("revoked_at", hub.store.base.InstantMs(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=True),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entry_hash")),
    )
    op.create_index(op.f("ix_audit_entry_action"), "audit_entry", ["action"], unique=False)
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index(op.f("ix_audit_entry_unit_code"), "audit_entry", ["unit_code"], unique=False)
    op.create_table(
        "authority_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("authority", sa.String(length=128), nullable=False),
        sa.Column("document_no", sa.String(length=128), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=True),
        sa.Column("recorded_by", sa.String(length=96), nullable=False),
        sa.Column("recorded_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=96), nullable=False),
        sa.Column("decided_at", hub.store.base.InstantMs(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_request")),
    )
    op.create_index(op.f("ix_authority_request_state"), "authority_request", ["state"], unique=False)
    op.create_index(op.f("ix_authority_request_unit_code"), "authority_request", ["unit_code"], unique=False)
    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index(op.f("ix_change_at"), "change", ["at"], unique=False)
    op.create_table(
        "command",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("expires_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("sent_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("replied_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index(op.f("ix_command_gateway_id"), "command", ["gateway_id"], unique=False)
    op.create_index(op.f("ix_command_state"), "command", ["state"], unique=False)
    op.create_table(
        "credential_day",
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("ref", sa.String(length=160), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("denied", sa.Integer(), nullable=False),
        sa.Column("outside_booking", sa.Integer(), nullable=False),
        sa.Column("first_event_id", sa.BigInteger(), nullable=False),
        sa.Column("last_event_id", sa.BigInteger(), nullable=False),
        sa.Column("last_at", hub.store.base.InstantMs(), nullable=False),
        sa.PrimaryKeyConstraint("unit_code", "ref", "day", name=op.f("pk_credential_day")),
    )
    op.create_index("ix_credential_day_ref_day", "credential_day", ["ref", "day"], unique=False)
    op.create_table(
        "device_watch",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=True),
        sa.Column("building_code", sa.String(length=128), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("in_alarm", sa.Boolean(), nullable=False),
        sa.Column("first_seen_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("last_seen_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("last_event_id", sa.BigInteger(), nullable=False),
        sa.Column("check_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_device_watch")),
    )
    op.create_index("ix_device_watch_building_code_kind", "device_watch", ["building_code", "kind"], unique=False)
    op.create_index(op.f("ix_device_watch_check_at"), "device_watch", ["check_at"], unique=False)
    op.create_index(op.f("ix_device_watch_gateway_id"), "device_watch", ["gateway_id"], unique=False)
    op.create_index(op.f("ix_device_watch_unit_code"), "device_watch", ["unit_code"], unique=False)
    op.create_table(
        "duty_shift",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("scope_code", sa.String(length=128), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("from_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("to_at", hub.store.base.InstantMs(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_shift")),
    )
    op.create_index(op.f("ix_duty_shift_recipient"), "duty_shift", ["recipient"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("observed_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("sent_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("received_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("clock", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("unit", sa.String(length=128), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("stream_id", "seq", name=op.f("uq_event_stream_id_seq")),
    )
    op.create_index("ix_event_unit_id", "event", ["unit", "id"], unique=False)
    op.create_table(
        "gateway",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("building_code", sa.String(), nullable=True),
        sa.Column("first_seen_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("last_seen_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("link", sa.String(length=16), nullable=False),
        sa.Column("link_since", hub.store.base.InstantMs(), nullable=True),
        sa.Column("agent_version", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway")),
    )
    op.create_index(op.f("ix_gateway_building_code"), "gateway", ["building_code"], unique=False)
    op.create_table(
        "household_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("made_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("due_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(length=96), nullable=False),
        sa.Column("answered_at", hub.store.base.InstantMs(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_request")),
    )
    op.create_index(op.f("ix_household_request_state"), "household_request", ["state"], unique=False)
    op.create_index(op.f("ix_household_request_unit_code"), "household_request", ["unit_code"], unique=False)
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(length=96), nullable=False),
        sa.Column("set_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("expires_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("ended_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("ended_by", sa.String(length=96), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_unit_code"), "legal_hold", ["unit_code"], unique=False)
    op.create_table(
        "night_estimate",
        sa.Column("place", sa.String(length=128), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("lower", sa.Integer(), nullable=False),
        sa.Column("upper", sa.Integer(), nullable=False),
        sa.Column("sigma", sa.Float(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("abstained", sa.String(length=64), nullable=False),
        sa.Column("crossings", sa.Integer(), nullable=False),
        sa.Column("chances", sa.String(length=4000), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", "night", name=op.f("pk_night_estimate")),
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("dedupe", sa.String(length=160), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=True),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("alert_class", sa.String(length=1), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("next_try_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sent_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("last_error", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_notification_dedupe")),
    )
    op.create_index(op.f("ix_notification_alert_id"), "notification", ["alert_id"], unique=False)
    op.create_index("ix_notification_due", "notification", ["state", "next_try_at"], unique=False)
    op.create_table(
        "notify_recipient",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("channel_sealed", sa.Text(), nullable=False),
        sa.Column("classes", sa.String(length=8), nullable=False),
        sa.Column("least_severity", sa.String(length=2), nullable=False),
        sa.Column("quiet_from", sa.String(length=5), nullable=False),
        sa.Column("quiet_to", sa.String(length=5), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notify_recipient")),
    )
    op.create_table(
        "place_belief",
        sa.Column("place", sa.String(length=128), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("updated_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_place_belief")),
    )
    op.create_index(op.f("ix_place_belief_gateway_id"), "place_belief", ["gateway_id"], unique=False)
    op.create_table(
        "policy_override",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("scope_code", sa.String(length=128), nullable=False),
        sa.Column("rule_id", sa.String(length=8), nullable=False),
        sa.Column("parameter", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(length=96), nullable=False),
        sa.Column("set_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("ended_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("ended_by", sa.String(length=96), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_override")),
    )
    op.create_index(op.f("ix_policy_override_scope_code"), "policy_override", ["scope_code"], unique=False)
    op.create_table(
        "purge_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("began_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("ended_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("taken", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge_run")),
    )
    op.create_table(
        "reg_booking",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("from_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("to_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("reason", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_booking")),
    )
    op.create_index(op.f("ix_reg_booking_unit_code"), "reg_booking", ["unit_code"], unique=False)
    op.create_index(
        "uq_reg_booking_current",
        "reg_booking",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_building",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("scope_code", sa.String(length=128), nullable=True),
        sa.Column("jurisdiction", sa.String(length=6), nullable=False),
        sa.Column("land_type", sa.String(length=16), nullable=False),
        sa.Column("has_manager", sa.Boolean(), nullable=True),
        sa.Column("keeps_register", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_building")),
    )
    op.create_index(op.f("ix_reg_building_scope_code"), "reg_building", ["scope_code"], unique=False)
    op.create_index(
        "uq_reg_building_current",
        "reg_building",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_credential",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("mask", sa.String(length=32), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=True),
        sa.Column("person_code", sa.String(length=128), nullable=True),
        sa.Column("lease_code", sa.String(length=128), nullable=True),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("valid_from", hub.store.base.InstantMs(), nullable=True),
        sa.Column("valid_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("revoked_at", hub.store.base.InstantMs(), nullable=True),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_credential")),
    )
    op.create_index(op.f("ix_reg_credential_unit_code"), "reg_credential", ["unit_code"], unique=False)
    op.create_index(
        "uq_reg_credential_current",
        "reg_credential",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_device",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("building_code", sa.String(length=128), nullable=True),
        sa.Column("unit_code", sa.String(length=128), nullable=True),
        sa.Column("room_code", sa.String(length=128), nullable=True),
        sa.Column("placement", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("heartbeat_s", sa.Integer(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=True),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("miss_rate", sa.Float(), nullable=True),
        sa.Column("double_rate", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_device")),
    )
    op.create_index(op.f("ix_reg_device_building_code"), "reg_device", ["building_code"], unique=False)
    op.create_index(op.f("ix_reg_device_gateway_id"), "reg_device", ["gateway_id"], unique=False)
    op.create_index(op.f("ix_reg_device_unit_code"), "reg_device", ["unit_code"], unique=False)
    op.create_index(
        "uq_reg_device_current",
        "reg_device",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_gateway",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("building_code", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_gateway")),
    )
    op.create_index(op.f("ix_reg_gateway_building_code"), "reg_gateway", ["building_code"], unique=False)
    op.create_index(
        "uq_reg_gateway_current",
        "reg_gateway",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_help_service",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("consent_ref", sa.String(length=128), nullable=False),
        sa.Column("withdrawn_at", hub.store.base.InstantMs(), nullable=True),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_help_service")),
    )
    op.create_index(
        "uq_reg_help_service_current",
        "reg_help_service",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_lease",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("room_code", sa.String(length=128), nullable=True),
        sa.Column("lessor_code", sa.String(length=128), nullable=True),
        sa.Column("tenant_code", sa.String(length=128), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("objected_on", sa.Date(), nullable=True),
        sa.Column("renewal_talks_on", sa.Date(), nullable=True),
        sa.Column("parent_lease_code", sa.String(length=128), nullable=True),
        sa.Column("sublease_consent", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_lease")),
    )
    op.create_index(op.f("ix_reg_lease_tenant_code"), "reg_lease", ["tenant_code"], unique=False)
    op.create_index(op.f("ix_reg_lease_unit_code"), "reg_lease", ["unit_code"], unique=False)
    op.create_index(
        "uq_reg_lease_current",
        "reg_lease",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_occupant",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("room_code", sa.String(length=128), nullable=True),
        sa.Column("lease_code", sa.String(length=128), nullable=True),
        sa.Column("person_code", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("guest_until", sa.Date(), nullable=True),
        sa.Column("family_group", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_occupant")),
    )
    op.create_index(op.f("ix_reg_occupant_person_code"), "reg_occupant", ["person_code"], unique=False)
    op.create_index(op.f("ix_reg_occupant_unit_code"), "reg_occupant", ["unit_code"], unique=False)
    op.create_index(
        "uq_reg_occupant_current",
        "reg_occupant",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_person",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("name_sealed", sa.Text(), nullable=True),
        sa.Column("name_index", sa.String(length=64), nullable=True),
        sa.Column("name_mask", sa.String(length=64), nullable=False),
        sa.Column("phone_sealed", sa.Text(), nullable=True),
        sa.Column("phone_index", sa.String(length=64), nullable=True),
        sa.Column("phone_mask", sa.String(length=32), nullable=False),
        sa.Column("document_type", sa.String(length=32), nullable=False),
        sa.Column("document_sealed", sa.Text(), nullable=True),
        sa.Column("document_index", sa.String(length=64), nullable=True),
        sa.Column("document_mask", sa.String(length=32), nullable=False),
        sa.Column("document_valid", sa.Boolean(), nullable=True),
        sa.Column("identity_verified_on", sa.Date(), nullable=True),
        sa.Column("identity_verified_by", sa.String(length=64), nullable=False),
        sa.Column("hukou_region", sa.String(length=6), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_person")),
    )
    op.create_index(op.f("ix_reg_person_document_index"), "reg_person", ["document_index"], unique=False)
    op.create_index(op.f("ix_reg_person_name_index"), "reg_person", ["name_index"], unique=False)
    op.create_index(op.f("ix_reg_person_phone_index"), "reg_person", ["phone_index"], unique=False)
    op.create_index(
        "uq_reg_person_current",
        "reg_person",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_registration",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("person_code", sa.String(length=128), nullable=True),
        sa.Column("lease_code", sa.String(length=128), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("verified_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_registration")),
    )
    op.create_index(op.f("ix_reg_registration_unit_code"), "reg_registration", ["unit_code"], unique=False)
    op.create_index(
        "uq_reg_registration_current",
        "reg_registration",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("units", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reg_revision")),
    )
    op.create_index(op.f("ix_reg_revision_at"), "reg_revision", ["at"], unique=False)
    op.create_table(
        "reg_room",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("room_type", sa.String(length=24), nullable=False),
        sa.Column("area_m2", sa.Float(), nullable=True),
        sa.Column("area_basis", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_room")),
    )
    op.create_index(op.f("ix_reg_room_unit_code"), "reg_room", ["unit_code"], unique=False)
    op.create_index(
        "uq_reg_room_current",
        "reg_room",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_scope",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("parent_code", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_scope")),
    )
    op.create_index(op.f("ix_reg_scope_parent_code"), "reg_scope", ["parent_code"], unique=False)
    op.create_index(
        "uq_reg_scope_current",
        "reg_scope",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_unit",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("building_code", sa.String(length=128), nullable=False),
        sa.Column("entrance", sa.String(length=32), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=True),
        sa.Column("door", sa.String(length=32), nullable=False),
        sa.Column("let_as", sa.String(length=16), nullable=False),
        sa.Column("is_vacant", sa.Boolean(), nullable=False),
        sa.Column("counting_opt_out", sa.Boolean(), nullable=False),
        sa.Column("owner_code", sa.String(length=128), nullable=True),
        sa.Column("grid_worker", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_unit")),
    )
    op.create_index(op.f("ix_reg_unit_building_code"), "reg_unit", ["building_code"], unique=False)
    op.create_index(
        "uq_reg_unit_current",
        "reg_unit",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "reg_welfare",
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("known_from", hub.store.base.InstantMs(), nullable=False),
        sa.Column("known_to", hub.store.base.InstantMs(), nullable=True),
        sa.Column("entered_by", sa.String(length=128), nullable=False),
        sa.Column("consent_ref", sa.String(length=128), nullable=False),
        sa.Column("away_until", hub.store.base.InstantMs(), nullable=True),
        sa.Column("daytime_only", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", hub.store.base.InstantMs(), nullable=True),
        sa.PrimaryKeyConstraint("code", "known_from", name=op.f("pk_reg_welfare")),
    )
    op.create_index(
        "uq_reg_welfare_current",
        "reg_welfare",
        ["code"],
        unique=True,
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.create_table(
        "rejected_batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("received_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("last_received_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=512), nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_batch")),
        sa.UniqueConstraint("gateway_id", "digest", name=op.f("uq_rejected_batch_gateway_id_digest")),
    )
    op.create_table(
        "retention_setting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("period", sa.String(length=32), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(length=96), nullable=False),
        sa.Column("set_at", hub.store.base.InstantMs(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_setting")),
    )
    op.create_index(op.f("ix_retention_setting_period"), "retention_setting", ["period"], unique=False)
    op.create_table(
        "rule_progress",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("cursor", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rule_progress")),
    )
    op.create_table(
        "rule_verdict",
        sa.Column("rule_id", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("reason_zh", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "subject", name=op.f("pk_rule_verdict")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("blocked_until", hub.store.base.InstantMs(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sign_in_failure")),
    )
    op.create_table(
        "unfolded_event",
        sa.Column(
            "event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_unfolded_event")),
    )
    op.create_table(
        "unit_due",
        sa.Column("unit_code", sa.String(length=128), nullable=False),
        sa.Column("since", hub.store.base.InstantMs(), nullable=False),
        sa.PrimaryKeyConstraint("unit_code", name=op.f("pk_unit_due")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("created_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("disabled_at", hub.store.base.InstantMs(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("name", name=op.f("uq_user_account_name")),
    )
    op.create_table(
        "access_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_code", sa.String(length=128), nullable=True),
        sa.Column("created_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("expires_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("used_at", hub.store.base.InstantMs(), nullable=True),
        sa.Column("revoked_at", hub.store.base.InstantMs(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_access_link_user_id_user_account")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_link")),
    )
    op.create_index(op.f("ix_access_link_unit_code"), "access_link", ["unit_code"], unique=False)
    op.create_table(
        "alert_action",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_action_alert_id_alert")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_action")),
    )
    op.create_index(op.f("ix_alert_action_alert_id"), "alert_action", ["alert_id"], unique=False)
    op.create_table(
        "alert_evidence",
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("ref", sa.String(length=256), nullable=False),
        sa.Column("at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("note_zh", sa.Text(), nullable=False),
        sa.Column("note_en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_evidence_alert_id_alert")),
        sa.PrimaryKeyConstraint("alert_id", "n", name=op.f("pk_alert_evidence")),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_saved_view_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_saved_view_user_id_name")),
    )
    op.create_table(
        "stream",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("accounted", sa.JSON(), nullable=False),
        sa.Column("rejected", sa.JSON(), nullable=False),
        sa.Column("stored_count", sa.BigInteger(), nullable=False),
        sa.Column("forgotten_count", sa.BigInteger(), nullable=False),
        sa.Column("floor_seq", sa.BigInteger(), nullable=False),
        sa.Column("has_floor", sa.Boolean(), nullable=False),
        sa.Column("ack_seq", sa.BigInteger(), nullable=False),
        sa.Column("first_batch_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("last_batch_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("progress_at", hub.store.base.InstantMs(), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_stream_gateway_id_gateway")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream")),
        sa.UniqueConstraint("gateway_id", "epoch", name=op.f("uq_stream_gateway_id_epoch")),
    )
    op.create_table(
        "user_session",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("seen_at", hub.store.base.InstantMs(), nullable=False),
        sa.Column("expires_at", hub.store.base.InstantMs(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_user_session_user_id_user_account")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_user_session")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_table("stream")
    op.drop_table("saved_view")
    op.drop_table("alert_evidence")
    op.drop_index(op.f("ix_alert_action_alert_id"), table_name="alert_action")
    op.drop_table("alert_action")
    op.drop_index(op.f("ix_access_link_unit_code"), table_name="access_link")
    op.drop_table("access_link")
    op.drop_table("user_account")
    op.drop_table("unit_due")
    op.drop_table("unfolded_event")
    op.drop_table("sign_in_failure")
    op.drop_table("rule_verdict")
    op.drop_table("rule_progress")
    op.drop_index(op.f("ix_retention_setting_period"), table_name="retention_setting")
    op.drop_table("retention_setting")
    op.drop_table("rejected_batch")
    op.drop_index(
        "uq_reg_welfare_current",
        table_name="reg_welfare",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_table("reg_welfare")
    op.drop_index(
        "uq_reg_unit_current",
        table_name="reg_unit",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_unit_building_code"), table_name="reg_unit")
    op.drop_table("reg_unit")
    op.drop_index(
        "uq_reg_scope_current",
        table_name="reg_scope",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_scope_parent_code"), table_name="reg_scope")
    op.drop_table("reg_scope")
    op.drop_index(
        "uq_reg_room_current",
        table_name="reg_room",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_room_unit_code"), table_name="reg_room")
    op.drop_table("reg_room")
    op.drop_index(op.f("ix_reg_revision_at"), table_name="reg_revision")
    op.drop_table("reg_revision")
    op.drop_index(
        "uq_reg_registration_current",
        table_name="reg_registration",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_registration_unit_code"), table_name="reg_registration")
    op.drop_table("reg_registration")
    op.drop_index(
        "uq_reg_person_current",
        table_name="reg_person",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_person_phone_index"), table_name="reg_person")
    op.drop_index(op.f("ix_reg_person_name_index"), table_name="reg_person")
    op.drop_index(op.f("ix_reg_person_document_index"), table_name="reg_person")
    op.drop_table("reg_person")
    op.drop_index(
        "uq_reg_occupant_current",
        table_name="reg_occupant",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_occupant_unit_code"), table_name="reg_occupant")
    op.drop_index(op.f("ix_reg_occupant_person_code"), table_name="reg_occupant")
    op.drop_table("reg_occupant")
    op.drop_index(
        "uq_reg_lease_current",
        table_name="reg_lease",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_lease_unit_code"), table_name="reg_lease")
    op.drop_index(op.f("ix_reg_lease_tenant_code"), table_name="reg_lease")
    op.drop_table("reg_lease")
    op.drop_index(
        "uq_reg_help_service_current",
        table_name="reg_help_service",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_table("reg_help_service")
    op.drop_index(
        "uq_reg_gateway_current",
        table_name="reg_gateway",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_gateway_building_code"), table_name="reg_gateway")
    op.drop_table("reg_gateway")
    op.drop_index(
        "uq_reg_device_current",
        table_name="reg_device",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_device_unit_code"), table_name="reg_device")
    op.drop_index(op.f("ix_reg_device_gateway_id"), table_name="reg_device")
    op.drop_index(op.f("ix_reg_device_building_code"), table_name="reg_device")
    op.drop_table("reg_device")
    op.drop_index(
        "uq_reg_credential_current",
        table_name="reg_credential",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_credential_unit_code"), table_name="reg_credential")
    op.drop_table("reg_credential")
    op.drop_index(
        "uq_reg_building_current",
        table_name="reg_building",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_building_scope_code"), table_name="reg_building")
    op.drop_table("reg_building")
    op.drop_index(
        "uq_reg_booking_current",
        table_name="reg_booking",
        sqlite_where=sa.text("known_to IS NULL"),
        postgresql_where=sa.text("known_to IS NULL"),
    )
    op.drop_index(op.f("ix_reg_booking_unit_code"), table_name="reg_booking")
    op.drop_table("reg_booking")
    op.drop_table("purge_run")
    op.drop_index(op.f("ix_policy_override_scope_code"), table_name="policy_override")
    op.drop_table("policy_override")
    op.drop_index(op.f("ix_place_belief_gateway_id"), table_name="place_belief")
    op.drop_table("place_belief")
    op.drop_table("notify_recipient")
    op.drop_index("ix_notification_due", table_name="notification")
    op.drop_index(op.f("ix_notification_alert_id"), table_name="notification")
    op.drop_table("notification")
    op.drop_table("night_estimate")
    op.drop_index(op.f("ix_legal_hold_unit_code"), table_name="legal_hold")
    op.drop_table("legal_hold")
    op.drop_index(op.f("ix_household_request_unit_code"), table_name="household_request")
    op.drop_index(op.f("ix_household_request_state"), table_name="household_request")
    op.drop_table("household_request")
    op.drop_index(op.f("ix_gateway_building_code"), table_name="gateway")
    op.drop_table("gateway")
    op.drop_index("ix_event_unit_id", table_name="event")
    op.drop_table("event")
    op.drop_index(op.f("ix_duty_shift_recipient"), table_name="duty_shift")
    op.drop_table("duty_shift")
    op.drop_index(op.f("ix_device_watch_unit_code"), table_name="device_watch")
    op.drop_index(op.f("ix_device_watch_gateway_id"), table_name="device_watch")
    op.drop_index(op.f("ix_device_watch_check_at"), table_name="device_watch")
    op.drop_index("ix_device_watch_building_code_kind", table_name="device_watch")
    op.drop_table("device_watch")
    op.drop_index("ix_credential_day_ref_day", table_name="credential_day")
    op.drop_table("credential_day")
    op.drop_index(op.f("ix_command_state"), table_name="command")
    op.drop_index(op.f("ix_command_gateway_id"), table_name="command")
    op.drop_table("command")
    op.drop_index(op.f("ix_change_at"), table_name="change")
    op.drop_table("change")
    op.drop_index(op.f("ix_authority_request_unit_code"), table_name="authority_request")
    op.drop_index(op.f("ix_authority_request_state"), table_name="authority_request")
    op.drop_table("authority_request")
    op.drop_index(op.f("ix_audit_entry_unit_code"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_at"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_action"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("api_token")
    op.drop_index(
        "uq_alert_open",
        table_name="alert",
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.drop_index(op.f("ix_alert_unit_code"), table_name="alert")
    op.drop_index(op.f("ix_alert_rule_id"), table_name="alert")
    op.drop_index(op.f("ix_alert_opened_at"), table_name="alert")
    op.drop_index("ix_alert_gateway_id_resolved_at", table_name="alert")
    op.drop_index(op.f("ix_alert_building_code"), table_name="alert")
    op.drop_index(op.f("ix_alert_alert_class"), table_name="alert")
    op.drop_table("alert")
