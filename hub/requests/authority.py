"""Requests of authorities: entered by one person, decided by another. Nothing is ever handed over by itself (P12)."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from hub.domain.stored_event import Change
from hub.errors import NotFoundError, RegistryError
from hub.store.tables.authority import AuthorityRequest


@dataclass(frozen=True, slots=True)
class Asked:
    """What an authority's paper says. `scope`: whose data of which time; `unit`: when it is about one unit."""

    authority: str
    document_no: str
    asked_on: date
    legal_basis: str
    scope: str
    officer: str = ""
    unit: str | None = None


def record(session: Session, asked: Asked, by: str, now: datetime, today: date) -> AuthorityRequest:
    """Enter a request. Raises RegistryError for a paper of a day to come."""
    if asked.asked_on > today:
        raise RegistryError(f"asked_on: 日期晚于今天 / {asked.asked_on} is after today")
    row = AuthorityRequest(
        authority=asked.authority,
        document_no=asked.document_no,
        officer=asked.officer,
        asked_on=asked.asked_on,
        legal_basis=asked.legal_basis,
        scope=asked.scope,
        unit_code=asked.unit,
        recorded_by=by,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    return row


def decide(
    session: Session, number: int, *, is_given: bool, why: str, given: str, by: str, now: datetime
) -> tuple[AuthorityRequest, list[Change]]:
    """Give or refuse, once, by somebody else than who entered it; says why, and what exactly was given.

    Raises NotFoundError, and RegistryError for one that is decided, is one's own, or whose answer lacks its words.
    """
    row = session.get(AuthorityRequest, number)
    if row is None:
        raise NotFoundError(f"没有调取请求 {number} / authority request {number}: there is none")
    if row.state != "open":
        raise RegistryError(f"调取请求 {number} 已决定 / authority request {number} is decided already")
    if row.recorded_by == by:
        raise RegistryError("须由登记人以外的人决定 / somebody else than who entered it decides")
    if len(why) < 4:
        raise RegistryError("decision: 须写明理由 / say why")
    if is_given and len(given) < 4:
        raise RegistryError("given: 须写明提供了哪些内容 / say what exactly was given")
    row.state, row.decision, row.given = "given" if is_given else "refused", why, given if is_given else ""
    row.decided_by, row.decided_at = by, now
    session.add(row)
    return row, [Change("unit", row.unit_code, "authority")] if row.unit_code else []
