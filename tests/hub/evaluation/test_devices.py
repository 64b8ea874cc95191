"""Rules over single devices, buildings, packs and the audit trail, from events and time to alerts."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import delete, select, update
from support.house import GATEWAY, House, card_ref, count_queries, event

from hub.alerts.actions import contest, resolve, review_contest, shelve
from hub.alerts.queries import get_alert, list_alerts
from hub.alerts.views import AlertFilter
from hub.errors import NotAllowedError, RegistryError
from hub.evaluation import silence_checks
from hub.evaluation.evaluator import Evaluator
from hub.policies.changes import end_override, set_override
from hub.policies.packs import standard_packs
from hub.store.audit import Audited, append_audit
from hub.store.audit_tip import AuditTip
from hub.store.tables.access import AuditEntry
from hub.store.tables.alerts import AlertRow

REGISTRY = f"""
registry: 1
scopes: [{{code: E1, kind: estate, name: 小区}}]
buildings:
  - code: E1-1
    name: 一号楼
    scope: E1
    jurisdiction: "330106"
    land_type: state
    gateways: [{GATEWAY}]
    devices:
      - {{gateway: {GATEWAY}, device: exit, kind: lock, placement: exit_door}}
      - {{gateway: {GATEWAY}, device: door, kind: contact, placement: building_entrance}}
people: [{{code: p1, name: 张三}}, {{code: p2, name: 李四}}]
units:
  - code: E1-1-101
    building: E1-1
    leases: [{{code: L1, start: 2026-01-01, end: 2027-06-01, tenant: p1, contract_filed_on: 2026-01-05,
               occupants: [{{person: p1, role: tenant, registered_on: 2026-01-02}}]}}]
    credentials:
      - {{card: 1001, person: p1, lease: L1}}
      - {{card: 9001, person: p2, purpose: master}}
      - {{card: 1666, person: p1, revoked_at: 2026-02-01}}
    bookings: [{{purpose: repair, from: "2026-11-02T12:00:00+08:00", to: "2026-11-02T13:00:00+08:00"}}]
    devices:
      - {{gateway: {GATEWAY}, device: lock, kind: lock}}
      - {{gateway: {GATEWAY}, device: cam, kind: camera}}
      - {{gateway: {GATEWAY}, device: smoke, kind: smoke, placement: room, made_on: 2015-01-01}}
"""


@pytest.fixture
def ours(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(silence_checks, "DEAF_AFTER", timedelta(hours=30))
    house.load(REGISTRY)
    house.tick()
    return house


def say(house: House, kind: str, device: str, **data: object) -> None:
    house.send(event(kind, house.now, device, **data))


def card(house: House, number: int, result: str = "granted", reason: str = "ok") -> None:
    held = {"type": "card", "ref": card_ref(number)}
    say(house, "lock.access", "lock", result=result, reason=reason, credential=held)


def ids(house: House, *, active: bool = True) -> list[str]:
    return [alert.rule_id for alert in house.alerts() if alert.is_active or not active]


def test_five_wrong_cards_in_five_minutes_are_s2_and_four_are_not(ours: House) -> None:
    for _ in range(4):
        card(ours, 5555, "denied", "unknown_credential")
        ours.now += timedelta(seconds=20)
    assert ids(ours) == []
    card(ours, 5555, "denied", "unknown_credential")
    assert ids(ours) == ["S2"]
    ours.alive()
    ours.tick(minutes=6)
    assert "S2" not in ids(ours)


def test_five_wrong_tries_over_an_hour_or_a_right_one_between_are_nothing(ours: House) -> None:
    for _ in range(6):
        card(ours, 5555, "denied", "unknown_credential")
        ours.now += timedelta(minutes=10)
    for number in (5555, 5555, 5555, 1001, 5555, 5555, 5555):
        card(ours, number, "granted" if number == 1001 else "denied", "x")
    assert ids(ours) == []


def test_a_lock_that_locks_itself_out_is_s2_and_duress_is_l3(ours: House) -> None:
    say(ours, "lock.alarm", "lock", alarm="lockout")
    say(ours, "lock.alarm", "lock", alarm="duress")
    assert ids(ours) == ["S2", "L3"]
    assert ours.alerts("L3")[0].severity == "P0"


def test_a_door_held_open_clears_when_it_closes_and_gets_worse_after_two_hours(ours: House) -> None:
    say(ours, "door.state", "door", open=True)
    ours.tick(seconds=119)
    assert "S3" not in ids(ours)
    ours.tick(seconds=2)
    assert ours.alerts("S3")[0].severity == "P3"
    ours.alive()
    ours.tick(hours=2)
    assert ours.alerts("S3")[0].severity == "P2"
    say(ours, "door.state", "door", open=False)
    assert "S3" not in ids(ours)


def test_a_door_that_closes_in_time_is_nothing(ours: House) -> None:
    say(ours, "door.state", "door", open=True)
    ours.tick(seconds=60)
    say(ours, "door.state", "door", open=False)
    ours.tick(seconds=120)
    assert ids(ours) == []


def test_a_master_card_in_an_occupied_unit_is_always_told_and_says_whether_it_was_booked(ours: House) -> None:
    card(ours, 9001)
    assert "有预约" in ours.alerts("S4")[0].explanation_zh
    ours.now += timedelta(hours=3)
    card(ours, 9001)
    assert "无预约" in ours.alerts("S4")[0].explanation_zh
    card(ours, 1001)
    assert ids(ours) == ["S4"]


def test_a_remote_opening_is_s4_too(ours: House) -> None:
    say(ours, "lock.access", "lock", result="granted", credential={"type": "remote"})
    assert ids(ours) == ["S4"]


def test_a_covered_camera_is_s5_after_a_minute_and_a_dark_one_never(ours: House) -> None:
    say(ours, "camera.state", "cam", state="dark")
    ours.tick(minutes=3)
    assert ids(ours) == []
    say(ours, "camera.state", "cam", state="covered")
    ours.tick(seconds=61)
    assert ids(ours) == ["S5"]
    say(ours, "camera.state", "cam", state="ok")
    assert ids(ours) == []


def test_a_revoked_card_tried_three_times_is_s6_and_not_s2(ours: House) -> None:
    for _ in range(2):
        card(ours, 1666, "denied", "unknown_credential")
    assert ids(ours) == []
    card(ours, 1666, "denied", "unknown_credential")
    assert ids(ours) == ["S6"]


def test_an_emergency_exit_that_is_locked_is_l8_until_it_is_not(ours: House) -> None:
    say(ours, "lock.state", "exit", state="locked")
    assert ids(ours) == ["L8"]
    say(ours, "lock.state", "exit", state="unlocked")
    assert ids(ours) == []
    say(ours, "lock.state", "lock", state="locked")
    assert ids(ours) == []


def test_a_lock_battery_is_t3_worse_below_ten_and_over_when_changed(ours: House) -> None:
    for charge in (35.0, 21.0):
        say(ours, "device.health", "lock", battery_pct=charge)
    assert ids(ours) == []
    say(ours, "device.health", "lock", battery_pct=19.0)
    assert ours.alerts("T3")[0].severity == "P3"
    say(ours, "device.health", "lock", battery_pct=9.0)
    assert ours.alerts("T3")[0].severity == "P2"
    say(ours, "device.health", "lock", battery_pct=22.0)
    assert ids(ours) == ["T3"]
    say(ours, "device.health", "lock", battery_pct=100.0)
    assert ids(ours) == []


def test_an_old_detector_is_l5_and_so_is_one_with_a_low_battery(ours: House) -> None:
    say(ours, "device.health", "smoke", battery_pct=90.0)
    (alert,) = ours.alerts("L5")
    assert "年" in alert.explanation_zh
    say(ours, "device.health", "smoke", battery_low=True)
    assert len(ours.alerts("L5")) == 1
    assert len(ours.alerts("L5")[0].sources) == 2


def test_a_clock_that_is_off_and_a_backlog_are_t4_and_t2(ours: House) -> None:
    say(ours, "gateway.health", GATEWAY, clock_offset_s=61.0, outbox_depth=9000)
    assert sorted(ids(ours)) == ["T2", "T4"]
    say(ours, "gateway.health", GATEWAY, clock_offset_s=0.4, outbox_depth=0)
    assert ids(ours) == []


def test_a_device_that_the_registry_lacks_is_t5_until_it_has_it(ours: House) -> None:
    say(ours, "door.state", "stranger", open=False)
    assert ids(ours) == ["T5"]
    ours.load(REGISTRY.replace("device: cam,", "device: stranger,"))
    say(ours, "door.state", "stranger", open=False)
    assert "T5" not in ids(ours)


def test_an_unknown_device_is_one_piece_of_evidence_however_much_it_says(ours: House) -> None:
    for _ in range(20):
        say(ours, "door.state", "stranger", open=True)
    assert [alert.evidence_count for alert in ours.alerts("T5")] == [1]


def test_a_hub_that_was_started_again_still_clears_t5(ours: House) -> None:
    say(ours, "door.state", "stranger", open=False)
    ours.brain = Evaluator()
    ours.load(REGISTRY.replace("device: cam,", "device: stranger,"))
    say(ours, "door.state", "stranger", open=False)
    assert "T5" not in ids(ours)


def test_a_transaction_that_was_rolled_back_leaves_t5_to_be_raised(ours: House) -> None:
    with ours.db.write() as session:
        ours.brain.fold(session, ours.store(session, [event("door.state", ours.now, "stranger", open=False)]), ours.now)
        session.rollback()
    say(ours, "door.state", "stranger", open=False)
    assert ids(ours) == ["T5"]


@pytest.mark.parametrize("is_adopted", [True, False])
def test_many_devices_in_one_transaction_ask_the_registry_together(house: House, *, is_adopted: bool) -> None:
    """Rules must not cost a query for each device: 300 of them in one batch, twice."""
    if is_adopted:
        devices = "".join(f"      - {{gateway: {GATEWAY}, device: d{n}, kind: lock}}\n" for n in range(300))
        house.load(REGISTRY[: REGISTRY.rindex("    devices:")] + "    devices:\n" + devices)
    house.tick()
    ref = [card_ref(n) for n in range(300)]
    openings = [
        event("lock.access", house.now, f"d{n}", result="granted", credential={"type": "card", "ref": ref[n]})
        for n in range(300)
    ]
    with house.db.write() as session:
        stored = house.store(session, openings)
    asked: list[str] = []
    count_queries(house, asked)
    for _ in range(2):
        with house.db.write() as session:
            house.brain.fold(session, stored, house.now)
        house.tick(seconds=1)
    assert len(asked) < 150


def test_a_belief_is_read_once_also_by_a_clock_of_microseconds(ours: House) -> None:
    """The column keeps milliseconds: what is compared with it must too, or each tick reads everything again."""
    ours.now += timedelta(microseconds=137)
    asked: list[str] = []
    for n in range(3):
        say(ours, "people.crossing", "cam", direction="in", count=1, line="door", confidence=1.0)
        if n == 1:
            count_queries(ours, asked)
        ours.tick(seconds=1)
    assert asked
    assert not [text for text in asked if text.startswith("SELECT") and "place_belief.state" in text]


def test_a_unit_named_by_the_event_makes_its_device_known(ours: House) -> None:
    ours.send(event("door.state", ours.now, "new", "E1-1-101", open=False))
    assert ids(ours) == []


def test_a_detector_that_was_never_heard_is_l4_after_a_day(ours: House) -> None:
    ours.tick(hours=1)
    assert "L4" not in ids(ours)
    ours.alive()
    ours.tick(hours=26)
    (alert,) = ours.alerts("L4")
    assert alert.device == "smoke"


def test_ten_rooms_without_manager_are_c13_and_without_detectors_l6(house: House) -> None:
    rooms = ", ".join(f"{{name: R{n}, area_m2: 12, basis: usable}}" for n in range(10))
    house.load(f"""
registry: 1
buildings: [{{code: B, name: 大楼, jurisdiction: "330106", land_type: state, has_manager: true, keeps_register: false}}]
people: [{{code: p1, name: 张三}}]
units:
  - {{code: B-1, building: B, rooms: [{rooms}], leases: [{{code: L, start: 2026-01-01, tenant: p1}}]}}
""")
    house.tick()
    assert {"C13", "L6"} <= set(ids(house))
    assert "登记簿" in house.alerts("C13")[0].explanation_zh
    assert "管理人员" not in house.alerts("C13")[0].explanation_zh
    house.load(
        'registry: 1\nbuildings: [{code: B, name: 大楼, jurisdiction: "330106", land_type: state, has_manager: true, keeps_register: true}]'
    )
    house.tick(seconds=5)
    assert "C13" not in ids(house)


def test_a_changed_line_of_the_audit_trail_is_t8_within_a_day(ours: House) -> None:
    with ours.db.write() as session:
        append_audit(session, Audited("user:a", "admin", "x"), ours.now)
        append_audit(session, Audited("user:b", "admin", "y"), ours.now)
    ours.tick(hours=24)
    assert "T8" not in ids(ours)
    with ours.db.write() as session:
        session.exec(update(AuditEntry).where(AuditEntry.actor == "user:a").values(actor="user:c"))
    ours.alive()
    ours.tick(hours=24)
    assert "T8" in ids(ours)


def test_an_audit_trail_that_lost_its_end_is_t8(ours: House, tmp_path: Path) -> None:
    ours.brain = Evaluator(ours.packs, tip=AuditTip(tmp_path))
    with ours.db.write() as session:
        append_audit(session, Audited("user:a", "admin", "x"), ours.now)
        append_audit(session, Audited("user:b", "admin", "y"), ours.now)
    ours.alive()
    ours.tick(hours=24)
    assert "T8" not in ids(ours)
    with ours.db.write() as session:
        session.exec(delete(AuditEntry).where(AuditEntry.actor == "user:b"))
    ours.alive()
    ours.tick(hours=24)
    assert "T8" in ids(ours)


def lease_over(house: House) -> AlertRow:
    house.load(REGISTRY.replace("end: 2027-06-01", "end: 2026-10-20"))
    for _ in range(2):
        card(house, 1001)
    house.tick(seconds=5)
    return house.alerts("C8")[0]


def test_a_false_compliance_alert_keeps_quiet_for_a_month_and_then_comes_back(ours: House) -> None:
    alert = lease_over(ours)
    with ours.db.write() as session:
        resolve(session, alert.id or 0, "user:wang", ours.now, outcome="false", cause="renewed_by_word")
    card(ours, 1001)
    ours.tick(hours=24)
    assert ours.alerts("C8") == []
    for _ in range(31):
        ours.now += timedelta(hours=24)
        ours.alive()
        card(ours, 1001)
        ours.tick(seconds=10)
    assert len(ours.alerts("C8")) == 1


def test_a_false_smoke_alarm_keeps_nothing_quiet(ours: House) -> None:
    say(ours, "smoke.state", "smoke", alarm=True)
    with ours.db.write() as session:
        resolve(session, ours.alerts("L1")[0].id or 0, "user:wang", ours.now, outcome="false", cause="cooking")
    say(ours, "smoke.state", "smoke", alarm=True)
    assert len(ours.alerts("L1")) == 1


def test_an_objection_stops_escalation_until_a_second_person_has_looked(ours: House) -> None:
    alert = lease_over(ours)
    with ours.db.write() as session:
        contest(session, alert.id or 0, "tenant:E1-1-101", ours.now, reason="续租了")
    for _ in range(6):
        ours.alive()
        ours.tick(hours=24)
    assert ours.alerts("C8")[0].escalation == 0
    with ours.db.write() as session:
        review_contest(session, alert.id or 0, "user:li", ours.now, upheld=False, reason="合同未见")
    ours.tick(days=4)
    assert ours.alerts("C8")[0].escalation == 1


def test_smoke_cannot_be_shelved(ours: House) -> None:
    say(ours, "smoke.state", "smoke", alarm=True)
    with pytest.raises(NotAllowedError), ours.db.write() as session:
        shelve(
            session, ours.alerts("L1")[0].id or 0, "user:a", ours.now, until=ours.now + timedelta(days=1), reason="x"
        )


def test_an_override_changes_the_rule_shows_on_the_alert_and_is_audited(ours: House) -> None:
    def put(value: int, scope: str = "E1") -> None:
        with ours.db.write() as session:
            set_override(
                session, standard_packs(), scope=scope, rule_id="C8", parameter="opens", value=value,
                reason="少打扰", by="user:wang", role="manager", now=ours.now,
            )  # fmt: skip

    put(3)
    ours.load(REGISTRY.replace("end: 2027-06-01", "end: 2026-10-20"))
    for _ in range(2):
        card(ours, 1001)
    ours.tick(seconds=5)
    assert ours.alerts("C8") == []
    card(ours, 1001)
    ours.tick(seconds=5)
    with ours.db.read() as session:
        detail = get_alert(session, ours.alerts("C8")[0].id or 0)
        assert session.exec(select(AuditEntry.action)).all() == ["policy.set"]
    (found,) = (item for item in detail.parameters if item.name == "opens")
    assert (found.value, found.overridden_by) == (3, "user:wang")
    with ours.db.write() as session:
        end_override(session, 1, reason="x", by="user:wang", role="manager", now=ours.now)


@pytest.mark.parametrize("rule_id", ["L1", "L3", "W2"])
def test_life_safety_cannot_be_switched_off(ours: House, rule_id: str) -> None:
    with ours.db.write() as session, pytest.raises(RegistryError, match="switched off"):
        set_override(
            session, standard_packs(), scope="", rule_id=rule_id, parameter="enabled", value=False,
            reason="zu laut", by="user:wang", role="manager", now=ours.now,
        )  # fmt: skip


def test_lists_are_paged_by_cursor_and_narrowed_by_scope(ours: House) -> None:
    say(ours, "smoke.state", "smoke", alarm=True)
    say(ours, "device.health", "lock", battery_pct=5.0)
    with ours.db.read() as session:
        page, more = list_alerts(session, AlertFilter(), ours.now, limit=1)
        rest, end = list_alerts(session, AlertFilter(), ours.now, after=more, limit=9)
        assert more is not None
        assert end is None
        assert len({alert.id for alert in (*page, *rest)}) == len(page) + len(rest)
        assert list_alerts(session, AlertFilter(scopes=("E1-2",)), ours.now)[0] == []
        assert list_alerts(session, AlertFilter(scopes=("E1-1",)), ours.now)[0]
        assert [a.rule for a in list_alerts(session, AlertFilter(classes=("L",)), ours.now)[0]][-1] == "L1"
