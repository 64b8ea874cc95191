"""The monthly report (平安月报) of a scope, from what is stored: the same month gives the same figures again."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, cast
from sqlmodel import Session, col, func, select

from hub.domain.entities import Unit
from hub.domain.local_time import local_day
from hub.domain.text import Text
from hub.policies.packs import standard_packs
from hub.read_models.detector_coverage import Covered, buildings_covered
from hub.read_models.scopes import Houses, Sees, as_seen, find_houses, gateways_of, units_of
from hub.report import figures
from hub.report.definitions import DEFINITIONS, EVENT_KINDS
from hub.report.lives import Act, Life
from hub.report.month import Month, before
from hub.report.stored import event_range
from hub.report.views import EventFigures, Figure, GatewayFigures, MonthlyReport, PackUsed
from hub.rules.policy import PackSet
from hub.store.base import to_ms
from hub.store.tables.access import AuditEntry
from hub.store.tables.alerts import AlertAction, AlertRow, NightRow
from hub.store.tables.ingest import EventRow, Gateway, RejectedBatch, Stream

_HOUR: Final = timedelta(hours=1)
_HOUR_MS: Final = 3_600_000
_CHUNK: Final = 500
_MERGED: Final = ("people.crossing", "people.present")


def monthly_report(
    session: Session,
    month: Month,
    scope: str,
    sees: Sees,
    *,
    kept_since: datetime | None = None,
    packs: PackSet | None = None,
) -> MonthlyReport:
    """The report. Raises NotFoundError for a scope that is not there or may not be seen.

    `kept_since`: what is older may have been deleted by its age already, and the report says so.
    """
    packs = packs or standard_packs()
    houses = find_houses(session, scope, sees, month.until)
    units = units_of(session, houses, month.until)
    seen = as_seen(session, houses, units)
    gateways = gateways_of(session, houses, month.until)
    lives = _lives(session, houses, month)
    events, heard = _events(session, gateways, month)
    uptime = _uptime(gateways, heard, month)
    return MonthlyReport(
        month=month.name,
        scope=houses.code,
        scope_name=houses.name,
        start=month.start,
        until=month.until,
        is_closed=month.is_closed,
        is_whole=kept_since is None or month.start >= kept_since,
        houses=_figures(_of_houses(houses, units, local_day(month.until - timedelta(milliseconds=1)))),
        devices=_figures(
            {
                **_coverage(buildings_covered(session, houses, seen, packs, month.until)),
                "gateways": len(uptime),
                "uptime_share": figures.share(sum(g.hours_heard for g in uptime), sum(g.hours_due for g in uptime)),
                "nights_share": _nights(session, {unit.code for unit in units} | set(houses.buildings), month),
                "events": sum(found.stored for found in events),
                "rejected": _rejected(session, gateways, month),
            }
        ),
        process=_figures(_due_process(session, houses, {unit.code for unit in units}, month)),
        classes=figures.of_classes(lives, month, before(month)),
        rules=figures.of_rules(lives, month, before(month)),
        gateways=uptime,
        events=events,
        packs=_packs(houses, packs),
        definitions=DEFINITIONS,
    )


def _figures(values: dict[str, Any]) -> tuple[Figure, ...]:
    return tuple(Figure(key=key, value=value) for key, value in values.items())


def _of_houses(houses: Houses, units: list[Unit], day: date) -> dict[str, Any]:
    people = [(unit, who) for unit in units for who in unit.people_on(day) if who.role != "guest"]
    registered = sum(
        any(
            f.kind == "residence" and f.person_code == who.person.code and f.filed_on <= day for f in unit.registrations
        )
        for unit, who in people
    )
    leases = [(unit, lease) for unit in units for lease in unit.leases if lease.runs_on(day)]
    filed = sum(
        any(f.kind == "contract" and f.lease_code == lease.code and f.filed_on <= day for f in unit.registrations)
        for unit, lease in leases
    )
    return {
        "buildings": len(houses.buildings),
        "units": len(units),
        "let_units": sum(unit.is_let_on(day) for unit in units),
        "residents": sum(len(unit.people_on(day)) for unit in units),
        "registered_share": figures.share(registered, len(people)),
        "filed_share": figures.share(filed, len(leases)),
        "without_grid_worker": sum(not unit.grid_worker for unit in units),
    }


def _coverage(covered: list[Covered]) -> dict[str, Any]:
    needed = sum(found.places for found in covered)
    missing = {found.code: sum(gap.missing for gap in found.gaps) for found in covered}
    return {
        "detector_places": needed,
        "detector_share": figures.share(needed - sum(missing.values()), needed),
        "detectors_required_missing": sum(missing[found.code] for found in covered if found.is_required),
    }


def _lives(session: Session, houses: Houses, month: Month) -> list[Life]:
    """Alerts of the houses that were open at some time since the month before began."""
    rows = [
        row
        for row in session.exec(
            select(AlertRow)
            .where(col(AlertRow.opened_at) < month.until)
            .where(col(AlertRow.resolved_at).is_(None) | (col(AlertRow.resolved_at) >= before(month).start))
            .order_by(col(AlertRow.id))
        )
        if houses.holds(row.building_code)
    ]
    acts: dict[int, list[Act]] = {row.id or 0: [] for row in rows}
    ids = list(acts)
    for start in range(0, len(ids), _CHUNK):
        query = select(AlertAction).where(
            col(AlertAction.alert_id).in_(ids[start : start + _CHUNK]), col(AlertAction.at) < month.until
        )
        for act in session.exec(query.order_by(col(AlertAction.id))):
            acts[act.alert_id].append(Act(act.at, act.action, act.detail if act.action == "shelve" else ""))
    return [
        Life(
            row.rule_id,
            row.alert_class,
            row.building_code,
            row.opened_at,
            row.resolved_at if row.resolved_at is not None and row.resolved_at < month.until else None,
            row.outcome,
            _limit(row, "ack_within_s"),
            _limit(row, "act_within_s"),
            acts[row.id or 0],
        )
        for row in rows
    ]


def _limit(row: AlertRow, name: str) -> timedelta | None:
    found = next((item.get("value") for item in row.parameters if item.get("name") == name), None)
    return timedelta(seconds=found) if found else None


def _events(
    session: Session, gateways: dict[str, Gateway], month: Month
) -> tuple[tuple[EventFigures, ...], dict[str, int]]:
    """Stored events by kind, and in how many hours of the month each gateway was heard."""
    streams = {
        row.id: row.gateway_id
        for row in session.exec(select(Stream))
        if row.gateway_id in gateways
    }  # fmt: skip
    first, last = event_range(session, month.start, month.until)
    if not streams or first is None:
        return (), {}
    within = (
        col(EventRow.id).between(first, last),
        col(EventRow.received_at) >= month.start,
        col(EventRow.received_at) < month.until,
        # Head counts are merged as they grow old: their number would be another one each week.
        col(EventRow.kind).not_in(_MERGED),
    )
    earlier = col(EventRow.observed_at) < month.start
    kinds = select(EventRow.stream_id, EventRow.kind, earlier, func.count()).where(*within)
    stored: Counter[str] = Counter()
    before_it: Counter[str] = Counter()
    for stream, kind, is_earlier, count in session.exec(
        kinds.group_by(col(EventRow.stream_id), col(EventRow.kind), earlier)
    ):
        if stream in streams:
            stored[kind] += count
            before_it[kind] += count if is_earlier else 0
    hour = (cast(col(EventRow.observed_at), BigInteger) - to_ms(month.start)) / _HOUR_MS
    hours: dict[str, set[int]] = {gateway: set() for gateway in gateways}
    query = select(EventRow.stream_id, hour).where(
        *within,
        col(EventRow.observed_at) >= month.start,
        col(EventRow.observed_at) < month.start + _whole_hours(month) * _HOUR,
    )
    for stream, n in session.exec(query.distinct()):
        if stream in streams:
            hours[streams[stream]].add(int(n))
    found = tuple(
        EventFigures(kind=kind, title=EVENT_KINDS.get(kind, Text(kind, kind)), stored=count, earlier=before_it[kind])
        for kind, count in sorted(stored.items())
    )
    return found, {gateway: len(held) for gateway, held in hours.items()}


def _whole_hours(month: Month) -> int:
    """The hour that runs is not judged yet."""
    return (month.until - month.start) // _HOUR


def _uptime(gateways: dict[str, Gateway], heard: dict[str, int], month: Month) -> tuple[GatewayFigures, ...]:
    found = []
    for code, row in gateways.items():
        since = max(month.start, row.first_seen_at)
        if since >= month.until:
            continue
        first = (since - month.start) // _HOUR
        found.append(
            GatewayFigures(
                gateway=code,
                building=row.building_code,
                hours_due=_whole_hours(month) - first,
                # A gateway may tell of what happened before it was first heard.
                hours_heard=min(heard.get(code, 0), _whole_hours(month) - first),
            )
        )
    return tuple(found)


def _rejected(session: Session, gateways: dict[str, Gateway], month: Month) -> int:
    query = select(RejectedBatch.gateway_id).where(
        col(RejectedBatch.received_at) >= month.start, col(RejectedBatch.received_at) < month.until
    )
    return sum(1 for gateway in session.exec(query) if gateway in gateways)


def _nights(session: Session, places: set[str], month: Month) -> float | None:
    query = select(NightRow.place, NightRow.abstained).where(
        col(NightRow.at) >= month.start, col(NightRow.at) < month.until
    )
    nights = [abstained for place, abstained in session.exec(query) if place in places]
    return figures.share(sum(not abstained for abstained in nights), len(nights))


def _due_process(session: Session, houses: Houses, units: set[str], month: Month) -> dict[str, int]:
    within = (col(AlertAction.at) >= month.start, col(AlertAction.at) < month.until)
    done: Counter[str] = Counter()
    query = (
        select(AlertAction.action, AlertAction.detail, AlertRow.building_code)
        .join(AlertRow, col(AlertRow.id) == AlertAction.alert_id)
        .where(*within, col(AlertAction.action).in_(["contest", "review"]))
    )
    for action, detail, building in session.exec(query):
        if houses.holds(building):
            done[detail if action == "review" else action] += 1
    reveals = select(AuditEntry.unit_code).where(
        AuditEntry.action == "pii.reveal", col(AuditEntry.at) >= month.start, col(AuditEntry.at) < month.until
    )
    return {
        "contests": done["contest"],
        "upheld": done["upheld"],
        "stands": done["stands"],
        "reveals": sum(1 for unit in session.exec(reveals) if unit in units),
    }


def _packs(houses: Houses, packs: PackSet) -> tuple[PackUsed, ...]:
    kinds = {(found.jurisdiction, found.land_type) for found in houses.buildings.values()}
    return tuple(
        PackUsed(pack=pack.id, version=pack.version, title=pack.title)
        for pack in packs.packs
        if any(pack.weight(jurisdiction, land_type) is not None for jurisdiction, land_type in kinds)
    )
