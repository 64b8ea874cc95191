"""The numbers that an organisation has set, as policies take them."""

from datetime import datetime

import msgspec
from sqlmodel import Session, col, select

from hub.policies.packs import standard_packs
from hub.rules.lifecycle_policy import ALERTS, LifecyclePolicy
from hub.rules.policy import Override
from hub.store.tables.alerts import PolicyOverride


def read_overrides(session: Session, now: datetime) -> dict[str, list[Override]]:
    """By scope ("" is the organisation), in the order in which they were set."""
    found: dict[str, list[Override]] = {}
    query = (
        select(PolicyOverride)
        .where(col(PolicyOverride.set_at) <= now)
        .where(col(PolicyOverride.ended_at).is_(None) | (col(PolicyOverride.ended_at) > now))
        .order_by(col(PolicyOverride.id))
    )
    for row in session.exec(query):
        value = msgspec.json.decode(row.value)
        held = tuple(value) if isinstance(value, list) else value
        found.setdefault(row.scope_code, []).append(Override(row.rule_id, row.parameter, held, row.set_by, row.reason))
    return found


def lifecycle_policy(session: Session, now: datetime) -> LifecyclePolicy:
    """The numbers of the alerts' life, with what was set for the whole organisation."""
    own = tuple(read_overrides(session, now).get("", ()))
    return standard_packs().policy("", "unknown", own).of(ALERTS, LifecyclePolicy)
