"""Requests of households: correct this, erase that. A person answers each within its time; a refusal says why."""

from datetime import datetime, timedelta
from typing import Final, Literal

from sqlmodel import Session, col, func, select

from hub.domain.stored_event import Change
from hub.errors import NotFoundError, RegistryError
from hub.store.tables.household import HouseholdRequest

Kind = Literal["correction", "erasure", "other"]

ANSWER_WITHIN: Final = timedelta(days=30)
"""GB/T 35273-2020, 8.7: requests of the person are answered within thirty days."""
MOST_OPEN: Final = 10


def make(session: Session, unit: str, kind: Kind, words: str, now: datetime) -> tuple[HouseholdRequest, list[Change]]:
    """Enter a request. Raises RegistryError when too many wait already."""
    waiting = select(func.count()).where(HouseholdRequest.unit_code == unit, HouseholdRequest.state == "open")
    if session.exec(waiting).one() >= MOST_OPEN:
        raise RegistryError(
            f"已有 {MOST_OPEN} 项请求待答复，请稍候 / {MOST_OPEN} requests wait for their answer already"
        )
    row = HouseholdRequest(unit_code=unit, kind=kind, words=words, made_at=now, due_at=now + ANSWER_WITHIN)
    session.add(row)
    session.flush()
    return row, [Change("unit", unit, "request")]


def answer(
    session: Session, number: int, *, is_done: bool, words: str, by: str, now: datetime
) -> tuple[HouseholdRequest, list[Change]]:
    """Answer a request. Raises NotFoundError, and RegistryError for one that has its answer, or a refusal without."""
    row = session.get(HouseholdRequest, number)
    if row is None:
        raise NotFoundError(f"没有请求 {number} / request {number}: there is none")
    if row.state != "open":
        raise RegistryError(f"请求 {number} 已答复 / request {number} has its answer already")
    if not is_done and len(words) < 4:
        raise RegistryError("answer: 不予办理须写明理由 / a refusal says why")
    row.state, row.answer, row.answered_by, row.answered_at = "done" if is_done else "refused", words, by, now
    session.add(row)
    return row, [Change("unit", row.unit_code, "request")]


def of_unit(session: Session, unit: str, limit: int = 100) -> list[HouseholdRequest]:
    """A unit's requests, newest first."""
    query = select(HouseholdRequest).where(HouseholdRequest.unit_code == unit)
    return list(session.exec(query.order_by(col(HouseholdRequest.id).desc()).limit(limit)))
