"""A person's own desk: the filters of the inbox that they named, and the colleagues to whom an alert can be given."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, func, select

from hub.access.roles import RIGHTS, Right, Role
from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.errors import ConfigError, NotFoundError
from hub.store.tables.access import SavedView, User

router = APIRouter(tags=["desk"])
Reader = Annotated[Caller, Depends(Allow(Right.SEE_ALERTS))]
Acting = Annotated[Caller, Depends(Allow(Right.ACT_ON_ALERTS))]
ViewName = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[^\x00]*\S[^\x00]*$")]
ViewId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_MOST_VIEWS = 30


class ViewIn(BaseModel):
    """A filter under a name; one of that name is replaced. `query` is an address's query, as the page writes it."""

    model_config = ConfigDict(extra="forbid")

    name: ViewName
    query: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]


class ViewOut(BaseModel):
    """One of the caller's own views."""

    id: int
    name: str
    query: str


class Colleague(BaseModel):
    """Somebody to whom an alert can be given."""

    name: str
    display_name: str
    role: Role


@router.get("/views")
def list_views(request: Request, caller: Reader) -> list[ViewOut]:
    """The caller's saved views of the inbox, in the order in which they were made."""
    query = select(SavedView).where(SavedView.user_id == caller.user_id).order_by(col(SavedView.id))
    with services_of(request).database.read() as session:
        return [ViewOut.model_validate(row, from_attributes=True) for row in session.exec(query)]


@router.post("/views", status_code=201)
def save_view(body: ViewIn, request: Request, caller: Reader) -> ViewOut:
    """Keep a view. Views are a person's: a program has none."""
    if caller.user_id is None:
        raise ConfigError("请以用户身份登录 / views: sign in as a user; a token has no desk")
    mine = SavedView.user_id == caller.user_id
    with services_of(request).database.write() as session:
        row = session.exec(select(SavedView).where(mine, SavedView.name == body.name.strip())).first()
        if row is None:
            if session.exec(select(func.count()).where(mine)).one() >= _MOST_VIEWS:
                raise ConfigError(
                    f"name: 最多保存 {_MOST_VIEWS} 个视图，请先删除一个 / "
                    f"views: {_MOST_VIEWS} are kept at most; delete one first"
                )
            row = SavedView(user_id=caller.user_id, name=body.name.strip(), query=body.query)
        row.query = body.query
        session.add(row)
        session.flush()
        return ViewOut.model_validate(row, from_attributes=True)


@router.delete("/views/{view_id}", status_code=204)
def delete_view(view_id: ViewId, request: Request, caller: Reader) -> None:
    """Forget a view."""
    with services_of(request).database.write() as session:
        row = session.get(SavedView, view_id)
        if row is None or row.user_id != caller.user_id:
            raise NotFoundError(f"没有视图 {view_id} / view {view_id}: you have none of that number")
        session.delete(row)


@router.get("/colleagues")
def list_colleagues(request: Request, _caller: Acting) -> list[Colleague]:
    """Everybody who may act on alerts, by name."""
    acting = [role.value for role in Role if Right.ACT_ON_ALERTS in RIGHTS[role]]
    query = select(User).where(col(User.disabled_at).is_(None), col(User.role).in_(acting)).order_by(User.name)
    with services_of(request).database.read() as session:
        return [Colleague.model_validate(row, from_attributes=True) for row in session.exec(query)]
