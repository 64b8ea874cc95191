"""The numbers by which rules judge: what holds where and why, and what the organisation sets for a scope."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from hub.access.roles import Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.domain.subject import AlertClass
from hub.domain.text import Text
from hub.errors import NotAllowedError, NotFoundError
from hub.policies import changes
from hub.policies.packs import KINDS, standard_packs
from hub.rules.catalogue import RULES
from hub.rules.policy import Policy, Provenance, Scalar, unverified
from hub.rules.shapes import Shape, shape_of
from hub.store.tables.alerts import PolicyOverride

router = APIRouter(tags=["policies"])

Seeing = Annotated[Caller, Depends(Allow(Right.SEE_POLICIES))]
Setting = Annotated[Caller, Depends(Allow(Right.SET_POLICIES))]
Item = bool | int | float | str
Value = bool | int | float | Annotated[str, Field(max_length=200)] | Annotated[list[Item], Field(max_length=64)] | None
ScopeCode = Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Field(min_length=4, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_]+$")]


class ParameterOut(BaseModel):
    """One number as it holds there, where it comes from, and what may be written in its place.

    `is_unknown`: the limit exists and nobody has found it; rules that need it answer "cannot evaluate".
    """

    name: str
    value: Any
    is_unknown: bool
    source: str
    clause: str
    verified: bool
    verified_at: date | None
    pack: str
    overridden_by: str | None
    kind: Literal["switch", "whole", "number", "text", "choice", "list"]
    least: float | None
    most: float | None
    pattern: str | None
    choices: list[str]


class RulePolicyOut(BaseModel):
    """One rule and its numbers for a building, or everywhere."""

    rule: str
    version: str
    alert_class: AlertClass
    severity: str
    title: Text
    trigger: Text
    basis: Text
    parameters: list[ParameterOut]


class PackOut(BaseModel):
    """One rule pack."""

    id: str
    version: str
    title: Text
    jurisdictions: list[str]
    land_types: list[str]
    expires_on: date | None
    unverified: Annotated[list[str], Field(description="numbers that nobody has checked against their source")]


class OverrideIn(BaseModel):
    """A number that the organisation sets for a scope ("" is the whole organisation), and why."""

    model_config = ConfigDict(extra="forbid")

    scope: ScopeCode = ""
    rule: Name
    parameter: Name
    value: Value
    reason: Reason


class OverrideEnd(BaseModel):
    """Why the packs' number is to hold again."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class OverrideOut(BaseModel):
    """A number that was set, by whom, when and why; and until when it held."""

    id: int
    scope: str
    rule: str
    parameter: str
    value: Any
    reason: str
    set_by: str
    set_at: datetime
    ended_at: datetime | None
    ended_by: str | None


@router.get("/policies")
def list_policies(
    *,
    request: Request,
    caller: Seeing,
    building: Annotated[str | None, Query(max_length=128, pattern=r"^[^\x00]+$")] = None,
) -> list[RulePolicyOut]:
    """Every rule with its numbers as they hold for a building, with what was set for its scopes; or everywhere."""
    if building is not None and not caller.sees(building):
        raise NotFoundError(f"没有楼栋 {building} / building {building}: there is none here")
    packs = standard_packs()
    services = services_of(request)
    with services.database.read() as session:
        policy = changes.policy_for(session, packs, building, services.clock.now())
    return [
        RulePolicyOut(
            rule=about.id,
            version=about.version,
            alert_class=about.alert_class,
            severity=about.severity,
            title=about.title,
            trigger=about.trigger,
            basis=about.basis,
            parameters=[
                ParameterOut(
                    **{name: getattr(item, name) for name in _SHOWN},
                    value=list(item.value) if isinstance(item.value, tuple) else item.value,
                    is_unknown=item.value == "unknown",
                    **_shape(about.id, item.name),
                )
                for item in (*policy.provenance(about.id), *_unsaid(policy, about.id))
            ],
        )
        for about in RULES.values()
    ]


@router.get("/policies/packs")
def list_packs(_request: Request, _caller: Seeing) -> list[PackOut]:
    """The rule packs that are in force."""
    return [
        PackOut(
            id=pack.id,
            version=pack.version,
            title=pack.title,
            jurisdictions=list(pack.jurisdictions),
            land_types=sorted(pack.land_types),
            expires_on=pack.expires_on,
            unverified=unverified([pack]),
        )
        for pack in standard_packs().packs
    ]


@router.get("/policies/overrides")
def list_overrides(request: Request, caller: Seeing, *, ended: bool = False) -> list[OverrideOut]:
    """What the organisation has set, newest first; with `ended` also what held before."""
    with services_of(request).database.read() as session:
        rows = changes.list_overrides(session, ended_too=ended)
        return [_out(row) for row in rows if not row.scope_code or caller.sees(row.scope_code)]


@router.post("/policies/overrides", status_code=201)
def set_override(body: OverrideIn, request: Request, caller: Setting) -> OverrideOut:
    """Set a number for a scope, in place of what was set there before. Every alert that rests on it says so."""
    _check_scope(caller, body.scope)
    services = services_of(request)
    value: Scalar = tuple(body.value) if isinstance(body.value, list) else body.value
    with services.database.write() as session:
        row = changes.set_override(
            session,
            standard_packs(),
            scope=body.scope,
            rule_id=body.rule,
            parameter=body.parameter,
            value=value,
            reason=body.reason.strip(),
            by=caller.name,
            role=caller.role,
            now=services.clock.now(),
        )
        session.flush()
        return _out(row)


@router.post("/policies/overrides/{number}/end")
def end_override(
    number: Annotated[int, Path(ge=1, le=2**63 - 1)], body: OverrideEnd, request: Request, caller: Setting
) -> OverrideOut:
    """Have the packs' number hold again."""
    services = services_of(request)
    with services.database.write() as session:
        _check_scope(caller, _scope_of(session, number))
        row = changes.end_override(
            session, number, reason=body.reason, by=caller.name, role=caller.role, now=services.clock.now()
        )
        return _out(row)


_SHOWN = ("name", "source", "clause", "verified", "verified_at", "pack", "overridden_by")


def _unsaid(policy: Policy, rule_id: str) -> list[Provenance]:
    """Parameters of which no pack says anything: the rule's own value holds."""
    said = {item.name for item in policy.provenance(rule_id)}
    own = policy.base(rule_id)
    names = [name for name in own.__struct_fields__ if name not in said]
    return [Provenance(name, getattr(own, name), "", "", verified=False, verified_at=None, pack="") for name in names]


def _shape(rule_id: str, name: str) -> dict[str, Any]:
    shape: Shape = shape_of(KINDS[rule_id], name)
    return msgspec.structs.asdict(shape)


def _scope_of(session: Session, number: int) -> str:
    row = session.get(PolicyOverride, number)
    if row is None:
        raise NotFoundError(f"没有设定 {number} / override {number}: there is none")
    return row.scope_code


def _check_scope(caller: Caller, scope: str) -> None:
    if caller.scopes and not (scope and caller.sees(scope)):
        raise NotAllowedError(f"scope: 超出您的范围 / {scope or '(the organisation)'}: not yours to set")


def _out(row: PolicyOverride) -> OverrideOut:
    return OverrideOut(
        id=row.id or 0,
        scope=row.scope_code,
        rule=row.rule_id,
        parameter=row.parameter,
        value=msgspec.json.decode(row.value),
        reason=row.reason,
        set_by=row.set_by,
        set_at=row.set_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
