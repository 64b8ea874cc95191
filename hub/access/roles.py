"""The roles that people and programs have, and what each may do: one table, read by the guard of every route."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Who somebody is to the organisation."""

    ADMIN = "admin"
    MANAGER = "manager"
    VIEWER = "viewer"
    GRID_WORKER = "grid_worker"
    LANDLORD = "landlord"
    TENANT = "tenant"
    AUDITOR = "auditor"


class Right(StrEnum):
    """One thing that can be done. Every route declares the one it needs."""

    SEE_ALERTS = "alerts.see"
    ACT_ON_ALERTS = "alerts.act"
    SEE_EVENTS = "events.see"
    SEE_UNITS = "units.see"
    SEE_GATEWAYS = "gateways.see"
    RUN_GATEWAYS = "gateways.run"
    SEE_REJECTED = "rejected.see"
    REVEAL_PERSONAL_DATA = "pii.reveal"
    KEEP_REGISTRY = "registry.keep"
    EXPORT_REGISTRY = "registry.export"
    SEE_POLICIES = "policies.see"
    SET_POLICIES = "policies.set"
    RUN_NOTIFICATIONS = "notify.run"
    SEE_REPORTS = "reports.see"
    SEE_AUDIT = "audit.see"
    RUN_USERS = "users.run"
    OWN_UNIT = "unit.own"


_SEEING: Final = frozenset({Right.SEE_ALERTS, Right.SEE_UNITS, Right.SEE_REPORTS})
_OPERATING: Final = frozenset({Right.SEE_EVENTS, Right.SEE_GATEWAYS, Right.SEE_REJECTED, Right.SEE_POLICIES})

RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.ADMIN: frozenset(Right) - {Right.OWN_UNIT},
    Role.MANAGER: _SEEING
    | _OPERATING
    | {
        Right.ACT_ON_ALERTS,
        Right.REVEAL_PERSONAL_DATA,
        Right.KEEP_REGISTRY,
        Right.EXPORT_REGISTRY,
        Right.RUN_GATEWAYS,
        Right.SET_POLICIES,
        Right.RUN_NOTIFICATIONS,
    },
    Role.VIEWER: _SEEING | _OPERATING,
    # Grid workers and landlords see what is theirs to settle, not how the house is instrumented.
    Role.GRID_WORKER: frozenset({Right.SEE_ALERTS, Right.SEE_UNITS, Right.ACT_ON_ALERTS}),
    Role.LANDLORD: frozenset({Right.SEE_ALERTS, Right.SEE_UNITS}),
    Role.TENANT: frozenset({Right.OWN_UNIT}),
    Role.AUDITOR: frozenset({Right.SEE_AUDIT, Right.SEE_REPORTS, Right.SEE_POLICIES, Right.SEE_GATEWAYS}),
}

NEEDS_SCOPE: Final = frozenset({Role.LANDLORD, Role.GRID_WORKER, Role.TENANT})
"""Roles that never see a whole organisation: without a scope they see nothing."""


def sees_everything(role: Role, scopes: Collection[str]) -> bool:
    """Return whether somebody with this role and these scopes is limited to no part of the organisation."""
    return not scopes and role not in NEEDS_SCOPE


def sees_nothing(role: Role, scopes: Collection[str]) -> bool:
    """Return whether the role needs a scope and has none."""
    return not scopes and role in NEEDS_SCOPE


class Purpose(StrEnum):
    """Why personal data is read: a closed list (PIPL 6; requirement P11)."""

    LIFE_SAFETY = "life_safety"
    SECURITY = "security"
    COMPLIANCE = "compliance"
    WELFARE = "welfare"
    MAINTENANCE = "maintenance"
    LEASE = "lease"
    AUDIT = "audit"
    SUBJECT_REQUEST = "subject_request"
    AUTHORITY_REQUEST = "authority_request"
