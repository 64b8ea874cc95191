"""What silence says: gateways and smoke detectors that are not heard, with one alert for what one outage causes."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from hub.alerts.alert_writer import AlertWriter
from hub.domain.device_location import Place
from hub.evaluation.device_states import Watched, WatchTable
from hub.evaluation.unit_observations import dark_gateways
from hub.registry.snapshot import RegistrySnapshot
from hub.rules import l4_detector_lost, t1_gateway_silent
from hub.rules.on_event import judge_time, next_check
from hub.rules.policy import Policy
from hub.store.tables.alerts import AlertRow, DeviceWatch, Progress
from hub.store.tables.ingest import Gateway

LISTENING: Final = "listening"
DEAF: Final = "deaf:"
"""Begins the names of the rows that remember when this hub did not listen, for replay: from `cursor` until `at`."""
DEAF_AFTER: Final = timedelta(seconds=60)
"""Without a tick for so long, this hub did not listen: silence counts from its return."""
_GRACE: Final = timedelta(minutes=10)
_OUTAGE_STEP: Final = timedelta(hours=1)
_MOST_AT_ONCE: Final = 2000


def listening_since(session: Session, now: datetime) -> datetime:
    """Since when this hub has heard without a gap: what it did not hear while it was down, nobody has kept back."""
    row = session.get(Progress, LISTENING)
    if row is None or now - row.at > DEAF_AFTER:
        last = row.at.timestamp() if row is not None else 0.0
        session.merge(Progress(name=f"{DEAF}{last:.3f}", at=now, cursor=str(last)))
        row = row or Progress(name=LISTENING, at=now)
        row.cursor = str(now.timestamp())
    since = datetime.fromtimestamp(float(row.cursor), tz=now.tzinfo)
    row.at = now
    session.add(row)
    return since


def watch_gateways(
    session: Session, registry: RegistrySnapshot, book: AlertWriter, now: datetime, listening: datetime
) -> None:
    """T1 for every gateway of ours."""
    query = select(Gateway.id, Gateway.last_seen_at, Gateway.building_code).where(Gateway.state == "active")
    opened = select(AlertRow.subject, AlertRow.is_active).where(
        AlertRow.rule_id == "T1", col(AlertRow.resolved_at).is_(None)
    )
    told = dict(session.exec(opened).all())
    for gateway, seen_at, building in session.exec(query).all():
        last_seen_at = max(seen_at, listening)
        policy = book.policy(registry.building(session, building) if building else None)
        p = policy.of("T1", t1_gateway_silent.Parameters)
        is_silent = now - last_seen_at > timedelta(seconds=p.silent_s)
        # One that is silent still says nothing new: an outage of many is not read again at every tick.
        if told.get(f"gateway:{gateway}", False) is is_silent:
            continue
        devices, detectors, buttons = _behind(session, gateway) if is_silent else (0, 0, 0)
        finding = t1_gateway_silent.judge(
            gateway, building, last_seen_at, devices=devices, detectors=detectors, buttons=buttons, p=p, now=now
        )
        book.take(finding, policy)


def _behind(session: Session, gateway: str) -> tuple[int, int, int]:
    kinds = list(session.exec(select(DeviceWatch.kind).where(DeviceWatch.gateway_id == gateway)))
    return len(kinds), kinds.count("smoke"), kinds.count("help")


def watch_devices(
    session: Session, registry: RegistrySnapshot, book: AlertWriter, now: datetime, listening: datetime
) -> None:
    """The rules of single devices that time alone makes true. One L4 for a building whose gateway is silent."""
    table = WatchTable(session)
    due = table.load_due(now, _MOST_AT_ONCE)
    dark = dark_gateways(session) if due else set()
    lost: dict[str, list[Watched]] = defaultdict(list)
    for held in due:
        place = registry.place(session, held.gateway, held.device, held.unit)
        policy = book.policy(place.building)
        held.check_at = next_check(place, held.kind, held.seen, last_seen_at=held.last_seen_at, policy=policy, now=now)
        held.is_changed = True
        for found in judge_time(place, held.kind, held.seen, policy, now):
            book.take(found, policy)
        if held.kind != "smoke":
            continue
        if now - listening < _GRACE:
            held.check_at = now + _GRACE
            continue
        if held.gateway in dark:
            # Until its gateway is heard again, so that the building's one alert comes when it is due.
            held.check_at = min(held.check_at or now + _OUTAGE_STEP, now + _OUTAGE_STEP)
        p = policy.of("L4", l4_detector_lost.Parameters)
        finding = l4_detector_lost.on_silence(place, held.last_seen_at, held.last_event_id, p, now)
        is_told = book.open_alert("L4", place.device_subject().key) is not None
        if finding.active and held.gateway in dark and not is_told:
            lost[place.building_code or held.gateway].append(held)
        elif finding.active:
            book.take(finding, policy)
    for building, silent in lost.items():
        _one_for_building(session, registry, book, building, silent)
    table.flush()
    _end_outages(session, registry, book, now)


def _one_for_building(
    session: Session, registry: RegistrySnapshot, book: AlertWriter, building: str, lost: list[Watched]
) -> None:
    known = registry.building(session, building)
    gateways = sorted({held.gateway for held in lost})
    since = min(held.last_seen_at for held in lost)
    finding = l4_detector_lost.on_outage(building, known.name if known else building, gateways, len(lost), since)
    book.take(finding, book.policy(known))


def _end_outages(session: Session, registry: RegistrySnapshot, book: AlertWriter, now: datetime) -> None:
    """The one L4 of a building ends when its gateway is heard again; detectors still silent get their own."""
    query = select(AlertRow).where(
        AlertRow.rule_id == "L4",
        col(AlertRow.subject).startswith("building:"),
        col(AlertRow.resolved_at).is_(None),
        col(AlertRow.is_active),
    )
    outages = list(session.exec(query))
    if not outages:
        return
    dark = dark_gateways(session)
    for alert in outages:
        gateways = str(alert.facts.get("gateway", "")).split(", ")
        if not dark.intersection(gateways):
            book.clear_all("L4", alert.subject)
            _look_again(session, gateways, now)


def _look_again(session: Session, gateways: list[str], now: datetime) -> None:
    table = WatchTable(session)
    for held in table.load_gateways(gateways):
        if held.kind == "smoke":
            # An hour's grace: a detector that reports every few minutes is heard before that.
            held.check_at, held.is_changed = now + timedelta(hours=1), True
    table.flush()


def heard_again(place: Place, was_seen_at: datetime, held: Watched, policy: Policy) -> bool:
    """Whether a detector that had been given up has spoken: its silence is over."""
    p = policy.of("L4", l4_detector_lost.Parameters)
    heartbeat_s = place.known.heartbeat_s if place.known else None
    return held.last_seen_at - was_seen_at > l4_detector_lost.allowed_silence(p, heartbeat_s)
