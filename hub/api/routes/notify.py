"""Who is told of alerts: recipients and their channels, the duty roster, one's own wishes, and what was sent."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlmodel import col, select

from hub.access.roles import Right
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.paging import Cursor, Limit, Page, from_cursor, to_cursor
from hub.domain.scopes import within_any
from hub.domain.subject import Severity
from hub.errors import NotAllowedError, NotFoundError, NotifierError
from hub.notify import service
from hub.notify.channels import AppriseChannel
from hub.registry.personal_data.vault import Vault, load_vault
from hub.store.audit import Audited, append_audit
from hub.store.tables.alerts import AlertRow, DutyShift, Notification, Recipient

router = APIRouter(tags=["notify"])

Running = Annotated[Caller, Depends(Allow(Right.RUN_NOTIFICATIONS))]
Known = Annotated[Caller, Depends(Allow(Right.SEE_ALERTS))]
Name = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00/]+$")]
Clock = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$")]
Classes = Annotated[str, Field(pattern=r"^[LSCWT]{1,5}$", description="letters of LSCWT")]
Address = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00\s]+$")]


class WishesIn(BaseModel):
    """What somebody wants to hear of and by which channel; without `channel`, the one that is there stays.

    Quiet hours hold back compliance, welfare and technical messages alone.
    """

    model_config = ConfigDict(extra="forbid")

    channel: Annotated[Address | None, Field(description="an apprise address; it is sealed and never shown again")] = (
        None
    )
    language: Literal["zh", "en"] = "zh"
    classes: Classes = "LSCWT"
    least_severity: Severity = "P4"
    quiet_from: Clock = ""
    quiet_to: Clock = ""
    is_enabled: bool = True


class RecipientOut(BaseModel):
    """Somebody who is told. `service` is the kind of channel; its address is a secret."""

    name: str
    service: str
    language: str
    classes: str
    least_severity: str
    quiet_from: str
    quiet_to: str
    is_enabled: bool


class TestOut(BaseModel):
    """What came of a test message; `error` is the channel's own word."""

    is_sent: bool
    error: str


class ShiftIn(BaseModel):
    """Somebody's duty. Level 0 hears first, the next ones when nobody answers. `scope` "" is everywhere."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    begin: AwareDatetime
    end: AwareDatetime
    scope: Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")] = ""
    level: Annotated[int, Field(ge=0, le=9)] = 0


class ShiftOut(BaseModel):
    """One duty."""

    id: int
    recipient: str
    begin: datetime
    end: datetime
    scope: str
    level: int


class MessageOut(BaseModel):
    """One message and what became of it. Its text names a unit and a rule, never a person."""

    id: int
    recipient: str
    alert: int | None
    alert_class: str
    title: str
    created_at: datetime
    next_try_at: datetime
    tries: int
    state: Literal["waiting", "sent", "failed"]
    sent_at: datetime | None
    last_error: str


@router.get("/recipients")
def list_recipients(request: Request, _caller: Running) -> list[RecipientOut]:
    """Everybody who is told, by name."""
    services = services_of(request)
    vault = load_vault(services.data_dir)
    with services.database.read() as session:
        return [_out(row, vault) for row in service.list_recipients(session)]


@router.put("/recipients/{name}")
def save_recipient(name: Name, body: WishesIn, request: Request, caller: Running) -> RecipientOut:
    """Add somebody, or change what they are told of."""
    return _save(request, caller, name, body)


@router.delete("/recipients/{name}", status_code=204)
def remove_recipient(name: Name, request: Request, caller: Running) -> None:
    """Take somebody off; what waits for them is given up."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        service.remove_recipient(session, name)
        append_audit(session, Audited(caller.name, caller.role, "notify.remove", name), now)


@router.post("/recipients/{name}/test")
def try_recipient(name: Name, request: Request, _caller: Running) -> TestOut:
    """Send a test message now, and say what came of it."""
    return _try(request, name)


@router.get("/me/notifications")
def my_wishes(request: Request, caller: Known) -> RecipientOut | None:
    """What the signed-in user is told of; null when nothing is."""
    services = services_of(request)
    with services.database.read() as session:
        row = session.get(Recipient, _own_name(caller))
        return None if row is None else _out(row, load_vault(services.data_dir))


@router.put("/me/notifications")
def save_my_wishes(body: WishesIn, request: Request, caller: Known) -> RecipientOut:
    """Set one's own channel and wishes."""
    return _save(request, caller, _own_name(caller), body)


@router.post("/me/notifications/test")
def try_mine(request: Request, caller: Known) -> TestOut:
    """Send oneself a test message now."""
    return _try(request, _own_name(caller))


@router.get("/duty")
def list_duty(
    request: Request, _caller: Known, *, after: Annotated[AwareDatetime | None, Query(description="now")] = None
) -> list[ShiftOut]:
    """Duties that end after an instant, in their order."""
    services = services_of(request)
    with services.database.read() as session:
        return [_shift(row) for row in service.list_shifts(session, after or services.clock.now())]


@router.post("/duty", status_code=201)
def add_duty(body: ShiftIn, request: Request, caller: Running) -> ShiftOut:
    """Put somebody on duty."""
    if caller.scopes and not caller.sees(body.scope or None):
        raise NotAllowedError(f"scope: 超出您的范围 / {body.scope or '(everywhere)'}: not yours to staff")
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        row = service.add_shift(session, body.recipient, body.begin, body.end, scope=body.scope, level=body.level)
        detail = f"{body.begin.isoformat()} {body.end.isoformat()} level {body.level}"
        append_audit(session, Audited(caller.name, caller.role, "duty.add", body.recipient, detail=detail), now)
        return _shift(row)


@router.delete("/duty/{shift_id}", status_code=204)
def remove_duty(shift_id: Annotated[int, Path(ge=1, le=2**63 - 1)], request: Request, caller: Running) -> None:
    """Take somebody off duty."""
    services = services_of(request)
    now = services.clock.now()
    with services.database.write() as session:
        row = session.get(DutyShift, shift_id)
        if row is None or (caller.scopes and not caller.sees(row.scope_code or None)):
            raise NotFoundError(f"没有排班 {shift_id} / duty {shift_id}: there is none")
        session.delete(row)
        append_audit(session, Audited(caller.name, caller.role, "duty.remove", row.recipient), now)


@router.get("/notifications")
def list_messages(
    *,
    request: Request,
    caller: Running,
    state: Annotated[Literal["waiting", "sent", "failed"] | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[MessageOut]:
    """What was told to whom, newest first; of alerts of the caller's scope."""
    before = from_cursor(cursor, int)
    query = select(Notification).order_by(col(Notification.id).desc()).limit(limit + 1)
    if before is not None:
        query = query.where(col(Notification.id) < before)
    if state is not None:
        query = query.where(Notification.state == state)
    if caller.scopes:
        here = within_any(caller.scopes, AlertRow.unit_code, AlertRow.building_code)
        query = query.join(AlertRow, col(AlertRow.id) == Notification.alert_id).where(here)
    with services_of(request).database.read() as session:
        rows = list(session.exec(query))
    items = [
        MessageOut.model_validate({**row.model_dump(), "alert": row.alert_id}, from_attributes=True)
        for row in rows[:limit]
    ]
    return Page(items=items, next=to_cursor(items[-1].id) if rows[limit:] else None)


def _own_name(caller: Caller) -> str:
    if caller.user_id is None:
        raise NotFoundError("请以用户身份登录 / me: programs have no wishes; sign in")
    return caller.name.partition(":")[2]


def _save(request: Request, caller: Caller, name: str, body: WishesIn) -> RecipientOut:
    services = services_of(request)
    now = services.clock.now()
    vault = load_vault(services.data_dir)
    wishes = service.Wishes(**body.model_dump(exclude={"channel"}))
    with services.database.write() as session:
        row = service.save_recipient(session, vault, name, body.channel, wishes)
        detail = f"{body.classes} {body.least_severity}{'' if body.is_enabled else ' off'}"
        append_audit(session, Audited(caller.name, caller.role, "notify.set", name, detail=detail), now)
        return _out(row, vault)


def _try(request: Request, name: str) -> TestOut:
    services = services_of(request)
    vault = load_vault(services.data_dir)
    with services.database.read() as session:
        message = service.test_message(session, vault, name)
    try:
        # Outside of the session: a server that hangs must not hold a connection to the database.
        AppriseChannel().send(*message)
    except NotifierError as error:
        return TestOut(is_sent=False, error=str(error))
    return TestOut(is_sent=True, error="")


def _out(row: Recipient, vault: Vault) -> RecipientOut:
    return RecipientOut(
        **row.model_dump(exclude={"channel_sealed"}),
        service=vault.open("channel", row.channel_sealed).partition(":")[0],
    )


def _shift(row: DutyShift) -> ShiftOut:
    return ShiftOut(
        id=row.id or 0,
        recipient=row.recipient,
        begin=row.from_at,
        end=row.to_at,
        scope=row.scope_code,
        level=row.level,
    )
