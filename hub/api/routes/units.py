"""Units: what the ledger and the devices say, and their evidence on a time axis. Names only as masks."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime

from hub.api.access.caller import Caller
from hub.api.access.guard import Allow, services_of
from hub.api.access.reads import remember_look
from hub.api.access.roles import Purpose, Right
from hub.api.problems import FieldError, Problem
from hub.api.timeline import Timeline, unit_timeline
from hub.errors import NotFoundError

router = APIRouter(tags=["units"])

_PURPOSES = (
    Purpose.COMPLIANCE,
    Purpose.LIFE_SAFETY,
    Purpose.SECURITY,
    Purpose.WELFARE,
    Purpose.MAINTENANCE,
    Purpose.LEASE,
)
Seeing = Annotated[Caller, Depends(Allow(Right.SEE_UNITS, *_PURPOSES))]
UnitCode = Annotated[str, Path(max_length=128, pattern=r"^[^\x00]+$")]
MOST_DAYS: Final = 92


@router.get("/units/{code}/timeline")
def timeline(
    code: UnitCode,
    request: Request,
    caller: Seeing,
    start: Annotated[AwareDatetime | None, Query(description="without it, a day before the end")] = None,
    end: Annotated[AwareDatetime | None, Query(description="without it, now")] = None,
) -> Timeline:
    """The unit's evidence between two instants, at most a quarter apart."""
    if not caller.sees(code):
        raise NotFoundError(f"unit {code}: there is none here")
    services = services_of(request)
    end = end or services.clock.now()
    start = start or end - timedelta(days=1)
    if not timedelta(0) < end - start <= timedelta(days=MOST_DAYS):
        wrong = FieldError(field="start", code="range", message=f"before the end, and at most {MOST_DAYS} days")
        raise Problem("invalid", f"start: {wrong.message}", [wrong])
    with services.database.read() as session:
        found = unit_timeline(session, code, start, end)
    remember_look(request, caller, "unit.timeline", code)
    return found
