"""One unit's evidence on one time axis: doors and counters, belief, the registry, and when nobody could see."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.store.tables.alerts import AlertRow, NightRow
from hub.store.tables.ingest import EventRow
from hub.store.tables.registry import DevicePlacementRow, OccupantRow
from wire.errors import ContractError
from wire.events import AnyEvent, CameraState, DoorState, HelpCall, LockAccess, LockAlarm, PeopleCrossing, SmokeState
from wire.messages import decode_event

MOST_MARKS: Final = 4000
_LOCAL: Final = ZoneInfo("Asia/Shanghai")
Lane = Literal["lock", "door", "crossing", "smoke", "help"]


class Mark(BaseModel):
    """One event. `what` is a word of its lane: granted, denied, forced, …; open, closed; in, out; alarm; call, …"""

    at: datetime
    lane: Lane
    what: str
    count: int
    device: str
    event_id: int


class Night(BaseModel):
    """How many people the evidence of one night speaks for; none of it when it was too thin."""

    start: datetime
    end: datetime
    mean: float
    lower: int
    upper: int
    coverage: float
    abstained: str


class Step(BaseModel):
    """From `at` on, so many are registered as living there."""

    at: datetime
    registered: int


class Outage(BaseModel):
    """A time in which nobody could see, and the word for why: gateway or camera."""

    start: datetime
    end: datetime | None
    why: Literal["gateway", "camera"]


class Timeline(BaseModel):
    """`is_whole` is false when there were more marks than are shown; the newest are."""

    start: datetime
    end: datetime
    marks: list[Mark]
    nights: list[Night]
    registered: list[Step]
    outages: list[Outage]
    is_whole: bool


def unit_timeline(session: Session, unit: str, start: datetime, end: datetime) -> Timeline:
    """What the store holds of `unit` between the two instants."""
    query = (
        select(EventRow)
        .where(EventRow.unit == unit, col(EventRow.observed_at) >= start, col(EventRow.observed_at) <= end)
        .order_by(col(EventRow.observed_at).desc())
        .limit(MOST_MARKS + 1)
    )
    rows = session.exec(query).all()
    events = [(row, event) for row in reversed(rows[:MOST_MARKS]) if (event := _opened(row)) is not None]
    return Timeline(
        start=start,
        end=end,
        marks=[mark for row, event in events if (mark := to_mark(row.id or 0, event)) is not None],
        nights=[_night(row) for row in session.exec(_nights(unit, start, end))],
        registered=registered_steps(session.exec(_occupants(unit)).all(), start, end),
        outages=[*_gateway_outages(session, unit, start, end), *camera_outages(event for _, event in events)],
        is_whole=len(rows) <= MOST_MARKS,
    )


def to_mark(event_id: int, event: AnyEvent) -> Mark | None:
    """An event as a mark, or None for kinds that have no lane."""
    lane: Lane
    what: str
    count = 1
    match event:
        case LockAccess(data=data):
            lane, what = "lock", data.result
        case LockAlarm(data=data):
            lane, what = "lock", data.alarm
        case DoorState(data=data):
            lane, what = "door", "open" if data.open else "closed"
        case PeopleCrossing(data=data):
            lane, what, count = "crossing", data.direction, data.count
        case SmokeState(data=data) if data.alarm or data.test:
            lane, what = "smoke", "test" if data.test else "alarm"
        case HelpCall(data=data):
            lane, what = "help", "cancelled" if data.cancelled else "call"
        case _:
            return None
    return Mark(at=event.observed_at, lane=lane, what=what, count=count, device=event.device, event_id=event_id)


def registered_steps(rows: Sequence[OccupantRow], start: datetime, end: datetime) -> list[Step]:
    """Return how many live there by the registry, without guests: at `start` and at each local midnight of a change."""
    living = [row for row in rows if row.role != "guest"]

    def how_many(day: date) -> int:
        return sum(row.from_on <= day and (row.to_on is None or day <= row.to_on) for row in living)

    first, last = start.astimezone(_LOCAL).date(), end.astimezone(_LOCAL).date()
    steps = [Step(at=start, registered=how_many(first))]
    edges = {row.from_on for row in living} | {row.to_on + timedelta(days=1) for row in living if row.to_on is not None}
    for day in sorted(edge for edge in edges if first < edge <= last):
        if (number := how_many(day)) != steps[-1].registered:
            steps.append(Step(at=datetime.combine(day, time.min, _LOCAL).astimezone(UTC), registered=number))
    return steps


def camera_outages(events: Iterable[AnyEvent]) -> list[Outage]:
    """From each loss of a camera to its return. `events` in the order of their time."""
    open_since: dict[str, datetime] = {}
    outages: list[Outage] = []
    for event in events:
        if not isinstance(event, CameraState):
            continue
        if event.data.state == "ok":
            began = open_since.pop(event.device, None)
            if began is not None:
                outages.append(Outage(start=began, end=event.observed_at, why="camera"))
        else:
            open_since.setdefault(event.device, event.observed_at)
    return outages + [Outage(start=began, end=None, why="camera") for began in open_since.values()]


def _gateway_outages(session: Session, unit: str, start: datetime, end: datetime) -> list[Outage]:
    gateways = select(DevicePlacementRow.gateway_id).where(
        DevicePlacementRow.unit_code == unit, col(DevicePlacementRow.known_to).is_(None)
    )
    query = select(AlertRow).where(
        AlertRow.rule_id == "T1",
        col(AlertRow.gateway_id).in_(gateways),
        col(AlertRow.observed_at) <= end,
        or_(col(AlertRow.cleared_at).is_(None), col(AlertRow.cleared_at) >= start),
    )
    return [Outage(start=row.observed_at, end=row.cleared_at, why="gateway") for row in session.exec(query)]


def _nights(unit: str, start: datetime, end: datetime) -> SelectOfScalar[NightRow]:
    first, last = start.astimezone(_LOCAL).date(), end.astimezone(_LOCAL).date()
    return (
        select(NightRow)
        .where(NightRow.place == unit, col(NightRow.night) >= first, col(NightRow.night) <= last)
        .order_by(col(NightRow.night))
    )


def _occupants(unit: str) -> SelectOfScalar[OccupantRow]:
    return select(OccupantRow).where(OccupantRow.unit_code == unit, col(OccupantRow.known_to).is_(None))


def _night(row: NightRow) -> Night:
    # A night is judged from two to five in the morning, local time.
    return Night(
        start=datetime.combine(row.night, time(2), _LOCAL).astimezone(UTC),
        end=datetime.combine(row.night, time(5), _LOCAL).astimezone(UTC),
        mean=row.mean,
        lower=row.lower,
        upper=row.upper,
        coverage=row.coverage,
        abstained=row.abstained,
    )


def _opened(row: EventRow) -> AnyEvent | None:
    try:
        return decode_event(row.body.encode())
    except ContractError:
        return None  # a kind of a later contract: stored as it came, shown elsewhere as unknown
