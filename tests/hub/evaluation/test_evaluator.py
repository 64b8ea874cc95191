"""The brain, from stored events to alerts."""

from datetime import timedelta

import msgspec
import pytest
from sqlmodel import select
from support.house import GATEWAY, START, House, card_ref, count_queries, event

from hub.alerts.queries import get_alert
from hub.evaluation import silence_checks
from hub.store.tables.alerts import CredentialDay, DeviceWatch

REGISTRY = f"""
registry: 1
buildings:
  - {{code: B1, name: 一号楼, jurisdiction: "990000", land_type: state, gateways: [{GATEWAY}]}}
people:
  - {{code: p1, name: 张三}}
  - {{code: p2, name: 李四}}
units:
  - code: B1-101
    building: B1
    rooms: [{{name: 主卧, area_m2: 14, basis: usable}}]
    leases:
      - code: L1
        start: 2025-11-01
        end: 2026-10-20
        tenant: p1
        occupants: [{{person: p1, role: tenant}}]
    credentials: [{{card: 1001, person: p1, lease: L1}}]
    devices:
      - {{gateway: {GATEWAY}, device: lock-101, kind: lock}}
      - {{gateway: {GATEWAY}, device: smoke-101, kind: smoke, placement: room, heartbeat_s: 3600}}
  - code: B1-102
    building: B1
    leases:
      - {{code: L2, start: 2026-01-01, end: 2026-12-31, tenant: p2, occupants: [{{person: p2, role: tenant}}]}}
    credentials: [{{card: 1002, person: p2, lease: L2}}]
    devices:
      - {{gateway: {GATEWAY}, device: lock-102, kind: lock}}
      - {{gateway: {GATEWAY}, device: smoke-102, kind: smoke, placement: room}}
"""


def smoke(house: House, device: str, unit: str | None = None, *, alarm: bool, **more: bool) -> None:
    house.send(event("smoke.state", house.now, device, unit, alarm=alarm, **more))


def opens(house: House, card: int, device: str) -> None:
    house.send(
        event("lock.access", house.now, device, result="granted", credential={"type": "card", "ref": card_ref(card)})
    )


def test_smoke_in_a_known_unit_gives_one_p0_alert_with_heads_and_both_languages(house: House) -> None:
    house.load(REGISTRY)
    smoke(house, "smoke-101", alarm=True)
    smoke(house, "smoke-101", alarm=True)
    (alert,) = house.alerts()
    assert (alert.rule_id, alert.severity, alert.unit_code) == ("L1", "P0", "B1-101")
    assert "台账在住 1 人" in alert.explanation_zh
    with house.db.read() as session:
        detail = get_alert(session, alert.id or 0)
    assert detail.evidence[0].event_id == 1
    assert len(detail.evidence) == 2
    assert "B1-101" in detail.explanation.en
    assert detail.parameters


def test_smoke_where_nothing_is_known_names_gateway_and_device(house: House) -> None:
    house.send(event("smoke.state", house.now, "s-9", "nowhere-1", alarm=True), gateway="gw-stranger")
    (alert,) = house.alerts("L1")
    assert (alert.unit_code, alert.gateway_id, alert.device) == (None, "gw-stranger", "s-9")
    assert "gw-stranger" in alert.explanation_zh
    assert "s-9" in alert.explanation_zh


def test_a_test_button_raises_nothing(house: House) -> None:
    house.load(REGISTRY)
    smoke(house, "smoke-101", alarm=True, test=True)
    assert house.alerts() == []


def test_an_all_clear_that_comes_after_a_newer_alarm_clears_nothing(house: House) -> None:
    house.load(REGISTRY)
    late = house.skip()
    smoke(house, "smoke-101", alarm=True)
    house.send_late(event("smoke.state", house.now, "smoke-101", alarm=False), late)
    assert house.alerts("L1")[0].is_active
    smoke(house, "smoke-101", alarm=False)
    assert not house.alerts("L1")[0].is_active


def test_an_all_clear_that_comes_late_clears_where_nothing_newer_was_said(house: House) -> None:
    house.load(REGISTRY)
    smoke(house, "smoke-101", alarm=True)
    late = house.skip()
    smoke(house, "smoke-102", alarm=False)
    house.send_late(event("smoke.state", house.now, "smoke-101", alarm=False), late)
    assert not house.alerts("L1")[0].is_active


def test_an_alarm_that_comes_after_its_all_clear_is_raised_and_is_over(house: House) -> None:
    house.load(REGISTRY)
    late = house.skip()
    smoke(house, "smoke-101", alarm=False)
    house.send_late(event("smoke.state", house.now, "smoke-101", alarm=True), late)
    (alert,) = house.alerts("L1")
    assert not alert.is_active


_OPENED = START - timedelta(hours=9)
_WORDS: list[tuple[str, dict[str, object], dict[str, object]]] = [
    ("lock.state", {"state": "unlocked"}, {"state": "locked"}),
    ("door.state", {"open": True}, {"open": False}),
    ("camera.state", {"state": "covered"}, {"state": "ok"}),
    ("device.health", {"battery_pct": 90.0, "online": False}, {"battery_pct": 20.0, "online": True}),
    ("smoke.state", {"alarm": True}, {"alarm": False}),
]


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize(("kind", "old", "new"), _WORDS)
def test_whatever_comes_late_the_last_word_of_a_device_is_its_state(
    house: House, kind: str, old: dict[str, object], new: dict[str, object], *, is_turned: bool
) -> None:
    house.load(REGISTRY)
    first, last = (new, old) if is_turned else (old, new)
    said = [event(kind, _OPENED + timedelta(minutes=n), "thing", **data) for n, data in enumerate((first, last))]
    house.send(*said)
    (house.folder / "again").mkdir()
    again = House(house.folder / "again")
    try:
        again.load(REGISTRY)
        late = again.skip()
        again.send(said[1])
        again.send_late(said[0], late)
        assert _state(again) == _state(house)
    finally:
        again.close()


def _state(house: House) -> dict[str, object]:
    """What is held of the device, but for the events that said so, and for past charges: a history, no state."""
    with house.db.read() as session:
        text = session.exec(select(DeviceWatch.state).where(DeviceWatch.device == "thing")).one()
    return {
        name: value for name, value in msgspec.json.decode(text).items() if not name.endswith(("event_id", "charges"))
    }


def test_a_late_number_at_the_end_of_all_numbers_is_folded_like_any_other(house: House) -> None:
    house.load(REGISTRY)
    house.send_late(event("door.state", house.now, "thing", open=True), 2**63 - 1)


def test_a_silenced_detector_is_not_clear_and_a_clear_one_waits_for_a_person(house: House) -> None:
    house.load(REGISTRY)
    smoke(house, "smoke-101", alarm=True)
    smoke(house, "smoke-101", alarm=False, silenced=True)
    assert house.alerts("L1")[0].is_active
    smoke(house, "smoke-101", alarm=False)
    (alert,) = house.alerts("L1")
    assert not alert.is_active


def test_a_second_detector_of_the_building_confirms(house: House) -> None:
    house.load(REGISTRY)
    smoke(house, "smoke-101", alarm=True)
    smoke(house, "smoke-102", alarm=True)
    first, second = house.alerts("L1")
    assert "119" not in first.explanation_zh
    assert "119" in second.explanation_zh


def test_tamper_of_a_detector_is_l4_and_of_a_lock_is_s1(house: House) -> None:
    house.load(REGISTRY)
    house.send(event("device.health", house.now, "smoke-101", tamper=True))
    house.send(event("device.health", house.now, "lock-101", tamper=True))
    house.send(event("lock.alarm", house.now, "lock-101", alarm="forced"))
    assert [alert.rule_id for alert in house.alerts()] == ["L4", "S1"]
    house.send(event("device.health", house.now, "smoke-101", tamper=False))
    assert not house.alerts("L4")[0].is_active


def test_a_card_used_after_its_lease_prompts_once(house: House) -> None:
    house.load(REGISTRY)
    house.tick()
    opens(house, 1001, "lock-101")
    house.tick(seconds=5)
    assert house.alerts("C8") == []
    house.now += timedelta(hours=5)
    opens(house, 1001, "lock-101")
    opens(house, 1002, "lock-102")
    house.tick(seconds=5)
    opens(house, 1001, "lock-101")
    house.tick(seconds=5)
    (alert,) = house.alerts("C8")
    assert alert.unit_code == "B1-101"
    assert "请核对" in alert.explanation_zh
    assert "张" not in alert.explanation_zh
    with house.db.read() as session:
        assert session.get(CredentialDay, ("B1-101", card_ref(1001), house.now.date())) is not None


def test_a_renewal_clears_the_prompt(house: House) -> None:
    test_a_card_used_after_its_lease_prompts_once(house)
    house.load(REGISTRY.replace("end: 2026-10-20", "end: 2027-10-20"))
    house.tick(seconds=5)
    assert house.alerts("C8") == []
    assert house.alerts("C8", is_open=False)[0].outcome == "cleared"


def test_an_unadopted_gateway_raises_no_compliance_alert_until_it_is_adopted(house: House) -> None:
    house.load(REGISTRY)
    house.tick()
    for _ in range(3):
        house.send(
            event(
                "lock.access", house.now, "lock-x", "B1-101",
                result="granted", credential={"type": "card", "ref": card_ref(1001)},
            ),
            gateway="gw-stranger",
        )  # fmt: skip
    house.tick(seconds=5)
    assert house.alerts("C8") == []
    house.load("registry: 1\nbuildings: [{code: B1, name: 一号楼, gateways: [gw-stranger]}]")
    house.tick(seconds=5)
    assert len(house.alerts("C8")) == 1


def test_a_silent_gateway_is_one_alert_and_one_l4_for_its_building(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence_checks, "DEAF_AFTER", timedelta(hours=2))
    house.load(REGISTRY)
    for device in ("smoke-101", "smoke-102"):
        house.send(event("device.health", house.now, device, battery_pct=90.0))
    for _ in range(10):
        house.tick(seconds=60)
    assert [alert.rule_id for alert in house.alerts() if alert.alert_class != "C"] == ["T1"]
    assert house.alerts("T1")[0].severity == "P1"
    for _ in range(30):
        house.tick(hours=1)
    assert sorted(alert.rule_id for alert in house.alerts() if alert.alert_class != "C") == ["L4", "T1"]
    assert house.alerts("L4")[0].subject == "building:B1"
    house.alive()
    for device in ("smoke-101", "smoke-102"):
        house.send(event("device.health", house.now, device, battery_pct=90.0))
    house.tick(seconds=5)
    house.tick(seconds=5)
    assert not [alert for alert in house.alerts() if alert.alert_class != "C" and alert.is_active]


def test_a_gateway_that_stays_silent_is_not_counted_again_and_one_that_falls_silent_again_is(house: House) -> None:
    house.load(REGISTRY)
    house.send(event("device.health", house.now, "smoke-101", battery_pct=90.0))
    for _ in range(10):
        house.tick(seconds=60)
    assert [alert.is_active for alert in house.alerts("T1")] == [True]
    asked: list[str] = []
    count_queries(house, asked)
    house.tick(seconds=60)
    assert not [text for text in asked if "FROM device_watch" in text and "gateway_id = " in text]
    house.alive()
    house.tick(seconds=5)
    assert [alert.is_active for alert in house.alerts("T1")] == [False]
    for _ in range(10):
        house.tick(seconds=60)
    assert [alert.is_active for alert in house.alerts("T1")] == [True]


def test_one_silent_detector_is_l4_and_its_word_ends_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence_checks, "DEAF_AFTER", timedelta(hours=2))
    house.load(REGISTRY)
    house.send(event("device.health", house.now, "smoke-101", battery_pct=90.0))
    for _ in range(28):
        house.now += timedelta(minutes=59)
        house.alive()
        house.send(event("device.health", house.now, "smoke-102", battery_pct=90.0))
        house.tick(minutes=1)
    (alert,) = house.alerts("L4")
    assert alert.device == "smoke-101"
    house.send(event("device.health", house.now, "smoke-101", battery_pct=89.0))
    (alert,) = house.alerts("L4")
    assert not alert.is_active
