"""Today at a glance: figures that are those of the inbox, and nobody's name."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.house import House, event

from hub.alerts.queries import count_alerts
from hub.alerts.views import AlertFilter
from hub.domain.subject import AlertClass
from hub.report.overview import Overview, overview
from hub.store.tables.alerts import DutyShift, Recipient
from hub.store.tables.ingest import Gateway

SEED = (Path(__file__).parents[2] / "e2e/registry.yaml").read_text(encoding="utf-8")
GATEWAY, UNIT, BUILDING = "gw-e2e-0001", "990000-0002-1-302", "990000-0002-1"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.load(SEED)
    made.alive(GATEWAY)
    made.send(event("smoke.state", made.now, "smoke-302", UNIT, alarm=True), gateway=GATEWAY)
    made.send(event("device.health", made.now, "lock-302", UNIT, battery_pct=8.0), gateway=GATEWAY)
    made.tick(minutes=10)
    yield made
    made.close()


def now(house: House, scope: str = "", prefix: str = "") -> Overview:
    with house.db.read() as session:
        return overview(session, scope, lambda code: not prefix or (code or "").startswith(prefix), house.now)


def test_counts_are_those_of_the_inbox(house: House) -> None:
    found = now(house)
    with house.db.read() as session:
        counts = count_alerts(session, AlertFilter(), house.now)
        late = count_alerts(session, AlertFilter(is_overdue=True), house.now)
    assert {c.alert_class: c.open for c in found.classes} == counts.by_class
    assert {c.alert_class: c.overdue for c in found.classes} == late.by_class
    assert sum(c.unacknowledged for c in found.classes) == counts.unacknowledged
    assert sum(sum(hour.by_class.values()) for hour in found.hours) == sum(c.opened_today for c in found.classes)
    assert len(found.hours) == 24
    assert len(found.days) == 30
    assert found.hours[-1].by_class[AlertClass.LIFE] >= 1


def test_a_building_is_one_line(house: House) -> None:
    [building] = now(house, "test").buildings
    assert (building.code, building.units, building.residents) == (BUILDING, 4, 2)
    assert building.states == {"vacant": 2, "let": 1, "expired": 1}
    assert building.worst == "P0"
    assert building.is_life_at_risk
    assert (building.places, building.missing, building.detectors_required) == (3, 2, False)
    assert (building.gateways, building.gateways_away) == (1, 0)
    assert now(house, prefix="elsewhere").buildings == ()


def test_devices_are_counted_by_how_they_fare(house: House) -> None:
    devices = now(house).devices
    assert (devices.gateways, devices.gateways_away, devices.devices) == (1, 0, 2)
    assert (devices.in_alarm, devices.low_battery, devices.faulty) == (1, 1, 0)


def test_a_gateway_whose_link_is_gone_is_away(house: House) -> None:
    with house.db.write() as session:
        session.get_one(Gateway, GATEWAY).link = "offline"
    found = now(house)
    assert (found.devices.gateways_away, found.buildings[0].gateways_away) == (1, 1)


def test_duty_of_the_next_day_of_this_scope_and_of_everywhere(house: House) -> None:
    with house.db.write() as session:
        session.add(Recipient(name="值班台", channel_sealed="x"))
        for scope, begin, end in (("", -1, 5), (BUILDING, 3, 9), ("elsewhere", -1, 5), ("", 30, 40), ("", -9, -1)):
            span = house.now + timedelta(hours=begin), house.now + timedelta(hours=end)
            session.add(DutyShift(scope_code=scope, recipient="值班台", from_at=span[0], to_at=span[1]))
    assert [(shift.scope, shift.is_now) for shift in now(house).duty] == [("", True), (BUILDING, False)]


def test_nobody_and_no_home_is_named(house: House) -> None:
    text = now(house).model_dump_json()
    for secret in ("张", "李", "138", UNIT, "302"):
        assert secret not in text
