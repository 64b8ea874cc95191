"""Days that calendars, clocks and registries get wrong, lived through by the brain: New Year, 调休, leap days, moves."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from support.house import GATEWAY, House, card_ref, event

from hub.domain.local_time import at_local, local_day
from hub.evaluation import silence_checks
from hub.store.tables.alerts import CredentialDay, NightRow

COUNTER = "cam-101"
FLAT = "B1-101"


def registry(
    people: int = 1, *, start: str = "2025-01-01", end: str = "null", counters: str = FLAT, extra: str = ""
) -> str:
    """A flat of two rooms in Hangzhou with so many residents, and a second one; counters at `counters`."""
    persons = "\n".join(f"  - {{code: p{n}, name: 测{n}, hukou: '522121'}}" for n in range(1, 6))
    roles = ", ".join(
        f"{{person: p{n}, role: {'tenant' if n == 1 else 'co_occupant'}, registered_on: {start}}}"
        for n in range(1, people + 1)
    )
    flats = "\n".join(
        f"""
  - code: {code}
    building: B1
    rooms: [{{name: 主卧, area_m2: 14, basis: usable}}]
    leases: [{{code: L-{code}, start: {start}, end: {end}, tenant: p1, occupants: [{who}]}}]
    devices: [{devices}]"""
        for code, who, devices in (
            (FLAT, roles, f"{{gateway: {GATEWAY}, device: {COUNTER}, kind: camera}}" if counters == FLAT else ""),
            (
                "B1-102",
                f"{{person: p5, role: tenant, registered_on: {start}}}",
                f"{{gateway: {GATEWAY}, device: {COUNTER}, kind: camera}}" if counters == "B1-102" else "",
            ),
        )
    )
    return f"""
registry: 1
buildings: [{{code: B1, name: 一号楼, jurisdiction: "330106", land_type: state, gateways: [{GATEWAY}]}}]
people:
{persons}
units:{flats}
{extra}"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    # Tests let time pass in strides; this hub was never down.
    monkeypatch.setattr(silence_checks, "DEAF_AFTER", timedelta(days=2))
    made = House(tmp_path)
    yield made
    made.close()


def go_to(house: House, day: date, clock: time) -> None:
    house.now = at_local(day, clock)


def crossing(house: House, direction: str, off: timedelta = timedelta(0)) -> None:
    house.send(
        event(
            "people.crossing", house.now + off, COUNTER,
            direction=direction, count=1, line="door", confidence=0.9, window_s=60.0,
        )
    )  # fmt: skip


def look(house: House, day: date, clock: time, off: timedelta = timedelta(0)) -> None:
    go_to(house, day, clock)
    house.send(event("gateway.health", house.now + off, GATEWAY))
    house.tick()


def live(house: House, first: date, days: int, people: int, off: timedelta = timedelta(0)) -> date:
    """So many people leave one by one each morning and are back each evening; the day after the last."""
    for n in range(days):
        day = first + timedelta(days=n)
        look(house, day, time(5, 10), off)
        for person in range(people):
            go_to(house, day, time(7, 30 + 7 * person))
            crossing(house, "out", off)
        look(house, day, time(12), off)
        for person in range(people):
            go_to(house, day, time(18, 11 * person))
            crossing(house, "in", off)
        look(house, day, time(23), off)
    return first + timedelta(days=days)


def nights(house: House, place: str = FLAT) -> list[NightRow]:
    with house.db.read() as session:
        found = list(session.exec(select(NightRow).where(NightRow.place == place).order_by(NightRow.night)))  # type: ignore[arg-type]
        session.expunge_all()
        return found


def begin(house: House, day: date, text: str) -> None:
    go_to(house, day, time(0, 30))
    house.load(text)
    house.send(event("camera.state", house.now, COUNTER, state="ok"))
    house.tick()


@pytest.mark.parametrize("first", [date(2026, 12, 26), date(2028, 2, 24)], ids=["new year", "leap day"])
def test_nights_follow_each_other_over_new_year_and_a_leap_day(house: House, first: date) -> None:
    begin(house, first, registry(1))
    after = live(house, first, 10, people=4)
    look(house, after, time(5, 10))
    found = nights(house)
    assert [row.night for row in found] == [first + timedelta(days=n) for n in range(11)]
    assert all(row.lower >= 3 for row in found[3:])
    assert len(house.alerts("C3")) == 1
    (over,) = house.alerts("C2")
    assert (over.severity, over.unit_code) == ("P2", FLAT)
    assert "超过上限 2 人" in over.explanation_zh


def test_a_household_as_the_registry_has_it_is_left_alone(house: House) -> None:
    begin(house, date(2026, 12, 26), registry(2))
    live(house, date(2026, 12, 26), 12, people=2)
    assert [alert.rule_id for alert in house.alerts() if alert.rule_id in {"C2", "C3", "C9"}] == []


@pytest.mark.parametrize("hours", [-13, -5, 5, 11])
def test_a_gateway_whose_clock_is_hours_off_makes_nobody_suspect(house: House, hours: int) -> None:
    off = timedelta(hours=hours)
    first = date(2026, 11, 2)
    go_to(house, first, time(0, 30))
    house.load(registry(1))
    house.send(event("camera.state", house.now + off, COUNTER, state="ok"))
    house.tick()
    for n in range(10):
        day = first + timedelta(days=n)
        look(house, day, time(5, 10), off)
        # One lives there; three come each day for some hours and go again.
        for hour, direction, people in ((10, "in", 3), (16, "out", 3)):
            for person in range(people):
                go_to(house, day, time(hour, 7 * person))
                crossing(house, direction, off)
        house.send(event("gateway.health", house.now + off, GATEWAY, clock_offset_s=off.total_seconds()))
        look(house, day, time(23), off)
    assert [alert.rule_id for alert in house.alerts(is_open=False) if alert.rule_id in {"C2", "C3"}] == []


def test_a_counter_that_moves_tells_of_its_new_home_only(house: House) -> None:
    first = date(2026, 11, 2)
    begin(house, first, registry(1))
    moved = live(house, first, 9, people=3)
    assert len(house.alerts("C3")) == 1
    go_to(house, moved, time(0, 30))
    house.load(registry(1, counters="B1-102"))
    house.tick()
    after = live(house, moved, 10, people=1)
    look(house, after, time(5, 10))
    assert nights(house)[-1].night <= moved
    assert {row.night for row in nights(house, "B1-102")} >= {moved + timedelta(days=n) for n in range(2, 10)}
    # What the counter saw in the old home says nothing of the new one.
    assert [alert.unit_code for alert in house.alerts("C3") if alert.unit_code == "B1-102"] == []


def test_an_occupant_who_was_entered_late_ends_the_question(house: House) -> None:
    first = date(2026, 11, 2)
    begin(house, first, registry(1))
    day = live(house, first, 9, people=2)
    (alert,) = house.alerts("C3")
    go_to(house, day, time(9))
    house.load(registry(2))
    house.tick(seconds=10)
    house.tick(seconds=10)
    assert house.alerts("C3") == []
    (was,) = [found for found in house.alerts("C3", is_open=False) if found.id == alert.id]
    assert was.resolved_at is not None
    live(house, day + timedelta(days=1), 8, people=2)
    assert house.alerts("C3") == []


def test_a_lease_that_is_corrected_is_judged_by_what_it_says_now(house: House) -> None:
    first = date(2026, 11, 9)
    begin(house, first, registry(1, end="2026-11-01"))
    assert [alert.severity for alert in house.alerts("C7") if alert.unit_code == FLAT] == ["P3"]
    go_to(house, first, time(10))
    house.load(registry(1, end="2027-10-31"))
    house.tick(seconds=10)
    house.tick(seconds=10)
    assert house.alerts("C7") == []
    assert house.alerts("C6") == []


def test_the_clock_of_registration_counts_working_days_through_a_holiday_and_its_working_saturday(house: House) -> None:
    """Moved in on Wednesday 30 September 2026; 1 to 7 October are free, Saturday the 10th is worked: due that day."""
    unregistered = registry(1, start="2026-09-30").replace("registered_on: 2026-09-30", "registered_on: null")
    go_to(house, date(2026, 9, 30), time(9))
    house.load(unregistered)
    house.tick()
    for day, expected in (
        (date(2026, 9, 30), []), (date(2026, 10, 7), []), (date(2026, 10, 8), ["P3"]),
        (date(2026, 10, 10), ["P3"]), (date(2026, 10, 11), ["P2"]),
    ):  # fmt: skip
        go_to(house, day, time(12))
        house.tick()
        house.tick(seconds=5)
        found = [alert.severity for alert in house.alerts("C5") if alert.unit_code == FLAT]
        assert found == expected, day


def test_a_local_midnight_parts_two_days_whatever_the_day_in_utc(house: House) -> None:
    vacant = f"""
registry: 1
buildings: [{{code: B1, name: 一号楼, jurisdiction: "330106", land_type: state, gateways: [{GATEWAY}]}}]
units:
  - code: {FLAT}
    building: B1
    vacant: true
    devices: [{{gateway: {GATEWAY}, device: lock-101, kind: lock}}]
"""
    first = date(2026, 11, 2)
    go_to(house, first, time(0, 30))
    house.load(vacant)
    house.tick()

    def opened(day: date, clock: time) -> None:
        go_to(house, day, clock)
        card = {"type": "card", "ref": card_ref(77)}
        house.send(event("lock.access", house.now, "lock-101", FLAT, result="granted", credential=card))
        house.tick(seconds=5)

    # 07:59:30 and 08:00:30 are two days in UTC, and one here.
    opened(first, time(7, 59, 30))
    opened(first, time(8, 0, 30))
    assert house.alerts("C9") == []
    opened(first, time(23, 59, 30))
    assert house.alerts("C9") == []
    opened(first + timedelta(days=1), time(0, 0, 30))
    assert len(house.alerts("C9")) == 1
    with house.db.read() as session:
        days = {row.day: row.opens for row in session.exec(select(CredentialDay))}
    assert days == {first: 3, first + timedelta(days=1): 1}


def test_the_wall_clock_of_a_test_is_the_hubs(house: House) -> None:
    go_to(house, date(2026, 11, 2), time(0, 0, 1))
    assert local_day(house.now) == date(2026, 11, 2)
    assert house.now == datetime.fromisoformat("2026-11-01T16:00:01+00:00")
