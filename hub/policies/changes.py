"""The numbers that hold where: by the packs, and as the organisation set them for a scope. Changes are audited."""

from datetime import datetime

import msgspec
from sqlmodel import Session, col, select

from hub.domain.subject import AlertClass
from hub.errors import NotFoundError, RegistryError
from hub.policies.building_policies import BuildingPolicies
from hub.registry.snapshot import RegistrySnapshot, held_at
from hub.rules.catalogue import RULES
from hub.rules.lifecycle_policy import ALERTS
from hub.rules.policy import PackSet, Policy, Scalar
from hub.store.audit import Audited, append_audit
from hub.store.tables.alerts import PolicyOverride
from hub.store.tables.registry import BuildingRow, RegistryRevision, ScopeRow

_LAW_ONLY = frozenset({"enabled"})


def policy_for(session: Session, packs: PackSet, building: str | None, now: datetime) -> Policy:
    """What holds for a building of the registry (None: everywhere), with what was set for its scopes.

    Raises NotFoundError.
    """
    registry = RegistrySnapshot()
    registry.refresh(session)
    known = None if building is None else registry.building(session, building)
    if building is not None and known is None:
        raise NotFoundError(f"台账中没有楼栋 {building} / building {building}: the registry has none of that code")
    return BuildingPolicies(session, registry, packs, now).of(known)


def list_overrides(session: Session, *, ended_too: bool = False) -> list[PolicyOverride]:
    """What the organisation has set, newest first."""
    query = select(PolicyOverride).order_by(col(PolicyOverride.id).desc())
    if not ended_too:
        query = query.where(col(PolicyOverride.ended_at).is_(None))
    return list(session.exec(query))


def set_override(
    session: Session,
    packs: PackSet,
    *,
    scope: str,
    rule_id: str,
    parameter: str,
    value: Scalar,
    reason: str,
    by: str,
    role: str,
    now: datetime,
) -> PolicyOverride:
    """Set a parameter for a scope ("" is the organisation), in place of what was set before. Raises RegistryError,
    NotFoundError, and ConfigError for a value that cannot be.

    Life safety and its parameters can be made stricter or laxer here as any other, but never switched off.
    """
    if not reason.strip():
        raise RegistryError(
            "reason: 请写明理由，将显示在据此产生的预警上 / say why; it is shown on every alert that rests on it"
        )
    if parameter in _LAW_ONLY and value is False and _saves_lives(rule_id):
        raise RegistryError(f"生命安全规则不能停用 / {rule_id}.enabled: life-safety rules cannot be switched off")
    if scope and rule_id == ALERTS:
        raise RegistryError(
            "scope: 此项只能对全单位设定，范围请留空 / "
            "how alerts live is set for the whole organisation; leave the scope empty"
        )
    if scope and not _exists(session, scope):
        raise NotFoundError(f"scope: 台账中没有此范围或楼栋 / {scope}: neither a scope nor a building of the registry")
    packs.check_override(rule_id, parameter, value)
    for held in session.exec(
        select(PolicyOverride).where(
            PolicyOverride.scope_code == scope,
            PolicyOverride.rule_id == rule_id,
            PolicyOverride.parameter == parameter,
            col(PolicyOverride.ended_at).is_(None),
        )
    ):
        held.ended_at, held.ended_by = now, by
        session.add(held)
    row = PolicyOverride(
        scope_code=scope,
        rule_id=rule_id,
        parameter=parameter,
        value=msgspec.json.encode(value).decode(),
        reason=reason,
        set_by=by,
        set_at=now,
    )
    session.add(row)
    detail = f"{rule_id}.{parameter} = {row.value}"
    append_audit(session, Audited(by, role, "policy.set", scope, reason=reason, detail=detail), now)
    _have_looked_at(session, by, now)
    return row


def _saves_lives(rule_id: str) -> bool:
    """By its class and not by its id: W2 is one of them. What is no rule at all is refused elsewhere."""
    found = RULES.get(rule_id)
    return found is not None and found.alert_class == AlertClass.LIFE


def end_override(session: Session, number: int, *, reason: str, by: str, role: str, now: datetime) -> PolicyOverride:
    """Go back to what the packs say. Raises NotFoundError."""
    row = session.get(PolicyOverride, number)
    if row is None or row.ended_at is not None:
        raise NotFoundError(f"没有有效的设定 {number} / override {number}: there is none that holds")
    row.ended_at, row.ended_by = now, by
    session.add(row)
    detail = f"{row.rule_id}.{row.parameter}"
    append_audit(session, Audited(by, role, "policy.end", row.scope_code, reason=reason, detail=detail), now)
    _have_looked_at(session, by, now)
    return row


def _exists(session: Session, code: str) -> bool:
    return any(
        session.exec(select(table.code).where(held_at(table, None), table.code == code)).first() is not None
        for table in (ScopeRow, BuildingRow)
    )


def _have_looked_at(session: Session, by: str, now: datetime) -> None:
    """Every unit and device is judged anew, as after a change of the whole registry."""
    session.add(RegistryRevision(at=now, entered_by=by, units="*"))
    session.flush()
