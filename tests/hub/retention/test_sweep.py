"""The sweep against a database: what is over its time goes, everything else stays, however often it runs."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import col, select
from support.house import House, card_ref, event

from hub.errors import RegistryError
from hub.registry.personal_data.erasure import FORGOTTEN, erase
from hub.retention import settings
from hub.retention.schedule import RULES, Period
from hub.retention.sweep import Sweeper
from hub.store.audit import Audited, append_audit, broken_links
from hub.store.tables.access import AuditEntry
from hub.store.tables.alerts import AlertAction, AlertEvidence, CredentialDay
from hub.store.tables.ingest import EventRow
from hub.store.tables.registry import LeaseRow, PersonRow
from wire.clock import FakeClock
from wire.events import PeopleCrossing
from wire.messages import decode_event

UNIT = "B1-1-101"
REGISTRY = """
registry: 1
buildings:
  - {code: B1, name: 一号楼, jurisdiction: "330106", land_type: state, gateways: [gw-test-0001]}
people:
  - {code: zhang, name: 张三, phone: "13800000000"}
units:
  - code: B1-1-101
    building: B1
    leases:
      - code: L1
        tenant: zhang
        start: 2026-01-01
        end: 2026-10-31
        occupants: [{person: zhang}]
"""
PLAIN_NAME, PLAIN_PHONE = "张三", "13800000000"


def sweeper(house: House, *, at_once: int = 3) -> Sweeper:
    return Sweeper(house.db, FakeClock(house.now), at_once=at_once)


def rows(house: House) -> list[EventRow]:
    with house.db.read() as session:
        return list(session.exec(select(EventRow).order_by(col(EventRow.id))).all())


def crossings(house: House, minutes: range, direction: str = "in") -> None:
    for minute in minutes:
        at = house.now + timedelta(minutes=minute)
        data = {"direction": direction, "count": 1, "line": "door", "confidence": 0.9}
        house.send(event("people.crossing", at, "cam", UNIT, **data))


def people(found: list[EventRow]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in found:
        seen = decode_event(row.body.encode())
        assert isinstance(seen, PeopleCrossing)
        counts[seen.data.direction] += seen.data.count
    return dict(counts)


def registry(ended: str | None) -> str:
    if ended is None:
        return REGISTRY
    return REGISTRY.replace("end: 2026-10-31", f"end: 2026-10-31\n        ended_on: {ended}").replace(
        "{person: zhang}", f"{{person: zhang, to: {ended}}}"
    )


def assert_nowhere(house: House, *words: str) -> None:
    """No file of the database holds the words, sealed or not: requirement P8."""
    house.db.close()
    for path in house.folder.iterdir():
        content = path.read_bytes()
        for word in words:
            assert word.encode() not in content, f"{word} in {path.name}"


def test_counts_become_quarters_after_a_week_and_days_after_a_month(house: House) -> None:
    crossings(house, range(0, 60, 4))
    crossings(house, range(1, 60, 20), "out")
    house.now += timedelta(days=6)
    assert not any(sweeper(house).sweep().taken.values())
    house.now += timedelta(days=2)
    sweeper(house).sweep()
    quarters = rows(house)
    assert all(row.observed_at.minute % 15 == 0 for row in quarters)
    assert all(row.received_at.minute % 15 == 0 and row.received_at.second == 0 for row in quarters)
    assert people(quarters) == {"in": 15, "out": 3}
    assert not any(sweeper(house).sweep().taken.values()), "the second sweep finds nothing more"
    house.now += timedelta(days=30)
    sweeper(house, at_once=500).sweep()
    days = rows(house)
    assert people(days) == {"in": 15, "out": 3}
    assert len(days) == 2
    house.now += timedelta(days=400)
    sweeper(house).sweep()
    assert rows(house) == []


def test_openings_lose_their_credential_after_90_days_and_go_after_a_year(house: House) -> None:
    house.load(registry(None))
    card = {"type": "card", "ref": card_ref(7)}
    house.send(event("lock.access", house.now, "lock", UNIT, result="granted", credential=card))
    house.send(event("door.state", house.now, "door", UNIT, open=True))
    house.tick(seconds=10)
    house.send(event("door.state", house.now, "door", UNIT, open=False))
    house.now += timedelta(days=91)
    taken = sweeper(house).sweep().taken
    assert (taken["doors_unnamed"], taken["credential_days_deleted"], len(rows(house))) == (1, 1, 3)
    assert "hmac" not in rows(house)[0].body
    with house.db.read() as session:
        assert session.exec(select(CredentialDay)).all() == []
    house.now += timedelta(days=300)
    assert sweeper(house).sweep().taken["events_deleted"] == 3


def test_smoke_stays_three_years_and_what_an_open_alert_rests_on_stays_with_it(house: House) -> None:
    house.send(event("smoke.state", house.now, "smoke", UNIT, alarm=True))
    house.send(event("device.health", house.now, "smoke", UNIT, battery_pct=50.0))
    house.now += timedelta(days=400)
    assert sweeper(house).sweep().taken["events_deleted"] == 1
    assert [row.kind for row in rows(house)] == ["smoke.state"]
    house.now += timedelta(days=800)
    sweeper(house).sweep()
    assert [row.kind for row in rows(house)] == ["smoke.state"], "its alert is still open"


def test_nothing_of_a_unit_that_is_held_goes(house: House) -> None:
    house.send(event("door.state", house.now, "door", UNIT, open=True))
    house.send(event("door.state", house.now, "door", "B1-1-102", open=True))
    # Their alerts (a door open for long) would keep them.
    house.send(event("door.state", house.now, "door", UNIT, open=False))
    house.send(event("door.state", house.now, "door", "B1-1-102", open=False))
    with house.db.write() as session:
        until = house.now + timedelta(days=1000)
        held = settings.hold(session, UNIT, reason="案号 1", until=until, by="user:li", now=house.now)
    house.now += timedelta(days=500)
    sweeper(house).sweep()
    assert [row.unit for row in rows(house)] == [UNIT, UNIT]
    with house.db.write() as session:
        settings.end_hold(session, held.id or 0, by="user:li", now=house.now)
    sweeper(house).sweep()
    assert rows(house) == []


def test_it_sweeps_once_a_day(house: House) -> None:
    clock = FakeClock(house.now)
    daily = Sweeper(house.db, clock)
    assert daily.sweep_if_due() is not None
    assert daily.sweep_if_due() is None
    assert Sweeper(house.db, FakeClock(house.now + timedelta(days=1))).sweep_if_due() is not None


def test_who_moved_out_a_month_ago_is_forgotten_and_the_lease_stays(house: House) -> None:
    house.load(registry("2026-09-30"))
    assert sweeper(house).sweep().taken["people_forgotten"] == 1
    assert sweeper(house).sweep().taken["people_forgotten"] == 0
    with house.db.read() as session:
        person = session.exec(select(PersonRow)).one()
        assert person.name_mask == FORGOTTEN
        assert {person.name_sealed, person.name_index, person.phone_sealed, person.phone_index} == {None}
        assert session.exec(select(LeaseRow)).one().tenant_code == "zhang"
    house.now += timedelta(days=1200)
    assert sweeper(house).sweep().taken["leases_deleted"] == 1
    assert_nowhere(house, PLAIN_NAME, PLAIN_PHONE)


def test_who_left_last_week_is_forgotten_only_when_the_month_is_over(house: House) -> None:
    house.load(registry("2026-10-25"))
    assert sweeper(house).sweep().taken["people_forgotten"] == 0
    house.now += timedelta(days=40)
    assert sweeper(house).sweep().taken["people_forgotten"] == 1


def test_a_term_that_is_over_is_nobodys_move(house: House) -> None:
    house.load(registry(None))
    house.now += timedelta(days=300)
    assert sweeper(house).sweep().taken["people_forgotten"] == 0


def test_erasure_takes_the_words_out_of_free_text_too(house: House) -> None:
    house.load(registry("2026-10-30"))
    house.send(event("smoke.state", house.now, "smoke", UNIT, alarm=True))
    alert = house.alerts("L1")[0]
    with house.db.write() as session:
        session.add(
            AlertAction(alert_id=alert.id, at=house.now, actor="user:li", action="comment", reason="已致电张三")
        )
    with house.db.write() as session:
        assert erase(session, house.vault, "zhang", house.now, "user:li") == 1
    with house.db.read() as session:
        assert session.exec(select(AlertAction.reason).where(AlertAction.action == "comment")).one() == "已致电已匿名"
    assert_nowhere(house, PLAIN_NAME, PLAIN_PHONE)


def test_the_audit_trail_stays_whole_when_its_oldest_part_goes(house: House) -> None:
    with house.db.write() as session:
        for day in range(10):
            entry = Audited("user:li", "admin", "unit.read", str(day))
            append_audit(session, entry, house.now + timedelta(days=day))
    house.now += timedelta(days=1095 + 5)
    assert sweeper(house).sweep().taken["audit_lines_deleted"] == 5
    with house.db.read() as session:
        assert list(broken_links(session)) == []
        trail = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        assert trail[-1].action == "retention.sweep"
    with house.db.write() as session:
        session.delete(trail[0])
    with house.db.read() as session:
        assert list(broken_links(session)) != [], "a line that somebody took away shows"


def test_every_default_lies_in_its_bounds_and_every_period_has_a_rule() -> None:
    assert {rule.period for rule in RULES} == set(Period)
    assert all(rule.least <= rule.days <= rule.most for rule in RULES)


def test_erasure_takes_the_mask_out_of_evidence_and_waits_for_a_hold(house: House) -> None:
    house.load(registry("2026-10-30"))
    house.send(event("smoke.state", house.now, "smoke", UNIT, alarm=True))
    alert = house.alerts("L1")[0]
    with house.db.write() as session:
        session.add(
            AlertEvidence(
                alert_id=alert.id or 0, n=900, kind="record", at=house.now, note_zh="台账：张* 自", note_en="张*"
            )
        )
    with house.db.write() as session, pytest.raises(RegistryError, match="hold"):
        erase(session, house.vault, "zhang", house.now, "user:li", held={UNIT})
    with house.db.write() as session:
        erase(session, house.vault, "zhang", house.now, "user:li", held={"B1-1-102"})
    with house.db.read() as session:
        notes = session.exec(select(AlertEvidence.note_zh).where(AlertEvidence.n == 900)).one()
    assert notes == f"台账：{FORGOTTEN} 自"


def test_who_owns_a_unit_is_not_erased(house: House) -> None:
    house.load(registry("2026-10-30").replace("    building: B1\n", "    building: B1\n    owner: zhang\n"))
    with house.db.write() as session, pytest.raises(RegistryError, match="owner"):
        erase(session, house.vault, "zhang", house.now, "user:li")
