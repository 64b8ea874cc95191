"""What-if: what other numbers would have made of the past, played beside the hub."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.access.roles import Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.problems import FieldError, Problem
from hub.api.routes.policies import Name, ScopeCode, Value
from hub.domain.text import Text
from hub.replay.desk import Job, JobState, ReplayDesk
from hub.replay.run import Draft
from hub.store.audit import Audited, append_audit

router = APIRouter(tags=["replays"])

Seeing = Annotated[Caller, Depends(Allow(Right.SEE_POLICIES))]
Trying = Annotated[Caller, Depends(Allow(Right.SET_POLICIES))]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Verdict = Literal["same", "changed", "new", "vanishes"]


class DraftIn(BaseModel):
    """A number to try out for a scope ("" is the whole organisation)."""

    model_config = ConfigDict(extra="forbid")

    rule: Name
    parameter: Name
    value: Value
    scope: ScopeCode = ""


class ReplayIn(BaseModel):
    """Which alerts to compare (opened in that time; absent: all), and under which numbers. Without any draft, today's
    rules are played: then everything should be the same. `pack` is the YAML text of a rule pack.
    """

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    drafts: Annotated[list[DraftIn], Field(max_length=200)] = []
    pack: Annotated[str | None, Field(max_length=200_000, pattern=r"^[^\x00]*$")] = None


class ReplayOut(BaseModel):
    """A replay and how far it has come: `done` of `of` events."""

    id: int
    by: str
    state: JobState
    started_at: datetime
    ended_at: datetime | None
    since: datetime | None
    until: datetime | None
    drafts: list[DraftIn]
    has_pack: bool
    done: int
    of: int
    error: str


class ReplayLine(BaseModel):
    """What becomes of one alert. `alert` is the stored one; `events` are numbers of events that it rests on."""

    verdict: Verdict
    subject: str
    unit: str | None
    building: str | None
    alert: int | None
    opened_at: datetime | None
    would_open_at: datetime | None
    differs: list[str]
    severity: str
    explanation: Text
    events: list[int]


class RuleOutcomeOut(BaseModel):
    """One rule: how many alerts were raised, how many would be, and what is different."""

    rule: str
    title: Text
    raised: int
    would_be_raised: int
    same: int
    changed: int
    new: int
    vanishes: int
    lines: list[ReplayLine]


class ReplayDetail(ReplayOut):
    """A replay with its outcome: null until it is done. Figures and lines are of the caller's scope."""

    compared_since: datetime | None
    compared_until: datetime | None
    events: int | None
    failed: int | None
    rules: list[RuleOutcomeOut] | None


@router.get("/replays")
def list_replays(request: Request, _caller: Seeing) -> list[ReplayOut]:
    """The last replays, newest first."""
    return [_out(job) for job in _desk(request).jobs()]


@router.post("/replays", status_code=202)
def start_replay(body: ReplayIn, request: Request, caller: Trying) -> ReplayOut:
    """Play the past under other numbers, in the background. One at a time (409 while another runs)."""
    if body.since is not None and body.until is not None and body.since >= body.until:
        wrong = FieldError(field="since", code="range", message="must lie before until")
        raise Problem("invalid", f"since: {wrong.message}", [wrong])
    drafts = [Draft(item.rule, item.parameter, item.value, item.scope) for item in body.drafts]
    job = _desk(request).start(caller.name, since=body.since, until=body.until, drafts=drafts, pack=body.pack)
    services = services_of(request)
    detail = ", ".join(f"{item.rule}.{item.parameter} = {item.value} {item.scope}".strip() for item in drafts)
    with services.database.write() as session:
        entry = Audited(caller.name, caller.role, "replay.start", str(job.id), detail=detail[:2000])
        append_audit(session, entry, services.clock.now())
    return _out(job)


@router.get("/replays/{number}")
def one_replay(number: Number, request: Request, caller: Seeing) -> ReplayDetail:
    """How far a replay has come, and what it found."""
    job = _desk(request).job(number)
    found = job.outcome
    return ReplayDetail(
        **_out(job).model_dump(),
        compared_since=found.get("since"),
        compared_until=found.get("until"),
        events=found.get("events"),
        failed=found.get("failed"),
        rules=[_rule(rule, caller) for rule in found["rules"]] if found else None,
    )


@router.delete("/replays/{number}")
def stop_replay(number: Number, request: Request, _caller: Trying) -> ReplayOut:
    """Stop one that runs."""
    return _out(_desk(request).stop(number))


def _desk(request: Request) -> ReplayDesk:
    desk = request.app.state.replays
    assert isinstance(desk, ReplayDesk)
    return desk


def _out(job: Job) -> ReplayOut:
    return ReplayOut(
        id=job.id,
        by=job.by,
        state=job.state,
        started_at=job.started_at,
        ended_at=job.ended_at,
        since=job.since,
        until=job.until,
        drafts=[DraftIn(rule=d.rule, parameter=d.parameter, value=d.value, scope=d.scope) for d in job.drafts],
        has_pack=job.has_pack,
        done=job.done,
        of=job.of,
        error=job.error,
    )


def _rule(found: dict[str, Any], caller: Caller) -> RuleOutcomeOut:
    lines = [
        ReplayLine.model_validate(line)
        for line in found["lines"]
        if not caller.scopes or caller.sees(line["unit"]) or caller.sees(line["building"])
    ]
    counts = {verdict: sum(1 for line in lines if line.verdict == verdict) for verdict in _VERDICTS}
    return RuleOutcomeOut(
        rule=found["rule"],
        title=found["title"],
        raised=sum(1 for line in lines if line.verdict != "new"),
        would_be_raised=sum(1 for line in lines if line.verdict != "vanishes"),
        **counts,
        lines=[line for line in lines if line.verdict != "same"][:_MOST_LINES],
    )


_VERDICTS: tuple[Verdict, ...] = ("same", "changed", "new", "vanishes")
_MOST_LINES = 500
