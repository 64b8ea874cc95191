"""What is looked at once a day and when the registry changed: buildings, detectors never heard, packs, audit."""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from hub.alerts.alert_writer import AlertWriter
from hub.domain.entities import Device, Unit
from hub.domain.local_time import local_day
from hub.evaluation.unit_evaluation import settle_verdict
from hub.registry.snapshot import RegistrySnapshot, held_at
from hub.rules import c13_many_rooms, l4_detector_lost, l6_no_detector, t7_pack_expired, t8_audit_broken
from hub.rules.building import BuildingContents
from hub.rules.policy import PackSet
from hub.store.audit import broken_links
from hub.store.audit_tip import AuditTip
from hub.store.tables.alerts import DeviceWatch, Progress
from hub.store.tables.registry import DevicePlacementRow


class HouseWatch:
    """Evaluates buildings, and finds detectors that the registry has and nobody ever heard."""

    def __init__(self, registry: RegistrySnapshot) -> None:
        self._registry = registry

    def look(self, session: Session, book: AlertWriter, now: datetime) -> None:
        """Look at all of them now."""
        units: dict[str, list[Unit]] = defaultdict(list)
        for unit in self._registry.units(session).values():
            units[unit.building.code].append(unit)
        devices: dict[str, list[Device]] = defaultdict(list)
        for device in self._registry.devices(session):
            if device.building_code is not None and device.unit_code is None:
                devices[device.building_code].append(device)
        for building in self._registry.buildings(session):
            policy = book.policy(building)
            seen = BuildingContents(building, units[building.code], devices[building.code])
            l6 = l6_no_detector.evaluate(seen, policy.of("L6", l6_no_detector.Parameters), now)
            c13 = c13_many_rooms.evaluate(seen, policy.of("C13", c13_many_rooms.Parameters), now)
            for rule_id, verdict in (("L6", l6), ("C13", c13)):
                if policy.base(rule_id).enabled:
                    settle_verdict(session, book, rule_id, f"building:{building.code}", verdict, policy=policy, now=now)

    def never_heard(self, session: Session, book: AlertWriter, now: datetime) -> None:
        """L4 for detectors that were placed long enough ago and never said anything."""
        query = select(DevicePlacementRow).where(
            held_at(DevicePlacementRow, None),
            DevicePlacementRow.kind == "smoke",
            ~select(DeviceWatch.key).where(col(DeviceWatch.key) == DevicePlacementRow.code).exists(),
        )
        for row in session.exec(query.order_by(col(DevicePlacementRow.code))).all():
            place = self._registry.place(session, row.gateway_id, row.device, row.unit_code)
            policy = book.policy(place.building)
            p = policy.of("L4", l4_detector_lost.Parameters)
            finding = l4_detector_lost.on_silence(place, row.known_from, 0, p, now)
            if finding.active:
                book.take(finding, policy)


def look_daily(session: Session, book: AlertWriter, packs: PackSet, now: datetime, tip: AuditTip | None = None) -> None:
    """Packs and the audit trail. `tip`: what was seen of its end."""
    policy = book.policy(None)
    p = policy.of("T7", t7_pack_expired.Parameters)
    for finding in t7_pack_expired.judge(packs.packs, p, now, local_day(now)):
        book.take(finding, policy)
    broken = list(broken_links(session))
    if tip is not None:
        lost = tip.lost(session)
        broken += [] if lost is None else [lost]
        if not broken:
            tip.remember(session, now)
    book.take(t8_audit_broken.judge(broken, now), policy)


def is_due(session: Session, name: str, every: timedelta, now: datetime) -> bool:
    """Whether a recurring task is due; notes that it is done now."""
    row = session.get(Progress, name)
    if row is not None and now - row.at < every:
        return False
    row = row or Progress(name=name, at=now)
    row.at = now
    session.add(row)
    return True
