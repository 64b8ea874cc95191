"""The monthly report's figures are what the stored rows say, and the same again whenever it is made."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlmodel import Session, col, func, select
from support.house import House, event

from hub.alerts import actions
from hub.errors import NotFoundError, RegistryError
from hub.report.month import Month, before, month_of
from hub.report.monthly import monthly_report
from hub.report.paper import write_pdf
from hub.report.sheet import write_xlsx
from hub.report.stored import event_range
from hub.report.views import MonthlyReport, RuleFigures
from hub.store.tables.alerts import AlertRow
from hub.store.tables.ingest import EventRow

SEED = (Path(__file__).parents[2] / "e2e/registry.yaml").read_text(encoding="utf-8")
GATEWAY, UNIT, BUILDING = "gw-e2e-0001", "990000-0002-1-302", "990000-0002-1"
OCTOBER = datetime(2026, 10, 30, 4, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, now=OCTOBER)
    made.load(SEED)
    yield made
    made.close()


def everything(_code: str | None) -> bool:
    return True


def made_at(house: House, month: str, scope: str = "") -> MonthlyReport:
    with house.db.read() as session:
        return monthly_report(session, month_of(month, house.now), scope, everything)


def hours(house: House, count: int) -> None:
    for _ in range(count):
        house.alive(GATEWAY)
        house.now += timedelta(hours=1)
    house.tick()


def smoke(house: House, device: str = "smoke-302", *, alarm: bool = True) -> None:
    house.send(event("smoke.state", house.now, device, UNIT, alarm=alarm), gateway=GATEWAY)


def settle(house: House, outcome: str, cause: str = "", wait: float = 60) -> None:
    house.now += timedelta(seconds=wait)
    with house.db.write() as session:
        [row] = session.exec(select(AlertRow).where(AlertRow.rule_id == "L1", col(AlertRow.resolved_at).is_(None)))
        actions.resolve(session, row.id or 0, "user:zhangsan", house.now, outcome=outcome, cause=cause)  # type: ignore[arg-type]


def november(house: House) -> None:
    """Two days of October, then a smoke alarm that is true, one that is false, and one that nobody answers."""
    hours(house, 60)
    for outcome, cause in (("true", ""), ("false", "cooking")):
        smoke(house)
        settle(house, outcome, cause)
        smoke(house, alarm=False)
        hours(house, 1)
    smoke(house)
    hours(house, 2)


def of(report: MonthlyReport, rule: str) -> RuleFigures:
    return next(found for found in report.rules if found.rule == rule)


def value(report: MonthlyReport, key: str) -> int | float | None:
    return next(f.value for f in (*report.houses, *report.devices, *report.process) if f.key == key)


def test_figures_equal_what_is_stored(house: House) -> None:
    november(house)
    report = made_at(house, "2026-11")
    month = month_of("2026-11", house.now)
    with house.db.read() as session:
        alerts = session.exec(select(AlertRow).where(col(AlertRow.opened_at) >= month.start)).all()
        kinds = select(EventRow.kind, func.count()).where(col(EventRow.received_at) >= month.start)
        stored = dict(session.exec(kinds.group_by(EventRow.kind)).all())
    assert {found.kind: found.stored for found in report.events} == stored
    assert value(report, "events") == sum(stored.values()) > 30
    by_class = Counter(row.alert_class for row in alerts)
    assert {str(f.alert_class): f.opened for f in report.classes if f.opened and f.alert_class} == dict(by_class)
    life = of(report, "L1")
    assert (life.opened, life.resolved, life.true, life.false) == (3, 2, 1, 1)
    assert life.open_at_end == len(house.alerts("L1")) == 1
    assert report.classes[0].open_at_end == len(house.alerts())
    assert life.false_share == 0.5
    assert life.answer_median_s == 60
    # Sixty seconds to answer, three minutes to act: the third alarm is late for both.
    assert (life.answer_late, life.settle_late) == (1, 1)
    assert value(report, "uptime_share") == 1
    assert value(report, "detector_share") == pytest.approx(1 / 3, abs=1e-4)


def test_a_closed_month_is_the_same_whatever_happens_after(house: House) -> None:
    november(house)
    house.tick(days=40)
    first = made_at(house, "2026-11")
    assert first.is_closed
    paper, sheet = write_pdf(first, "zh"), write_xlsx(first, "zh")
    settle(house, "false", "steam")
    house.load(SEED.replace("测试小区1幢", "新名"))
    hours(house, 3)
    again = made_at(house, "2026-11")
    assert again == first
    assert (write_pdf(again, "zh"), write_xlsx(again, "zh")) == (paper, sheet)
    assert made_at(house, "2026-12") != first


def test_what_was_kept_back_counts_for_the_month_in_which_it_came(house: House) -> None:
    hours(house, 60)
    old = house.now - timedelta(days=20)
    house.send(event("door.state", old, "lock-302", UNIT, open=True), gateway=GATEWAY)
    house.tick(minutes=1)
    report = made_at(house, "2026-11")
    [door] = [found for found in report.events if found.kind == "door.state"]
    assert (door.stored, door.earlier) == (1, 1)
    assert all(found.kind != "door.state" for found in made_at(house, "2026-10").events)


def test_hours_without_a_word_are_no_uptime(house: House) -> None:
    hours(house, 60)
    house.tick(hours=10)
    hours(house, 10)
    [gateway] = made_at(house, "2026-11").gateways
    assert gateway.hours_due - gateway.hours_heard == 10


def test_a_scope_holds_its_own_houses_alone(house: House) -> None:
    november(house)
    assert of(made_at(house, "2026-11", "test"), "L1").opened == 3
    assert of(made_at(house, "2026-11", BUILDING), "L1").opened == 3
    with house.db.read() as session:
        month = month_of("2026-11", house.now)
        nothing = monthly_report(session, month, "", lambda code: code == "elsewhere")
        assert nothing.rules == ()
        assert nothing.classes[0].opened == 0
        assert nothing.events == ()
        with pytest.raises(NotFoundError, match="scope 990000-0009"):
            monthly_report(session, month, "990000-0009", everything)
        with pytest.raises(NotFoundError):
            monthly_report(session, month, "990000-0002", lambda code: code == "elsewhere")


@pytest.mark.parametrize(("name", "why"), [("2026-13", "like 2026-11"), ("november", "like"), ("2027-01", "not begun")])
def test_a_wrong_month_is_told(name: str, why: str) -> None:
    with pytest.raises(RegistryError, match=why):
        month_of(name, datetime(2026, 11, 20, tzinfo=UTC))


def test_months_begin_and_end_at_midnight_in_china() -> None:
    month = month_of("2026-12", datetime(2027, 3, 1, tzinfo=UTC))
    assert (month.start, month.end) == (datetime(2026, 11, 30, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC))
    assert before(month_of("2027-01", datetime(2027, 3, 1, tzinfo=UTC))).name == "2026-12"


def test_the_sheet_holds_numbers_and_the_paper_is_a_pdf(house: House) -> None:
    november(house)
    report = made_at(house, "2026-11")
    book = load_workbook(io.BytesIO(write_xlsx(report, "zh")))
    heads, first, *_ = book["预警（按规则）"].iter_rows(values_only=True)
    line = dict(zip(heads, first, strict=True))
    assert line["规则"] == "L1 烟雾报警"
    assert (line["误报率"], line["新增预警"]) == (0.5, 3)
    assert "Alerts by class" in load_workbook(io.BytesIO(write_xlsx(report, "en"))).sheetnames
    assert write_pdf(report, "en").startswith(b"%PDF")


def test_the_range_of_numbers_misses_no_event(house: House) -> None:
    hours(house, 200)

    def within(session: Session, month: Month) -> set[int | None]:
        low, high = event_range(session, month.start, month.until)
        query = select(EventRow.id).where(col(EventRow.received_at) >= month.start)
        wanted = set(session.exec(query.where(col(EventRow.received_at) < month.until)))
        assert low is not None
        assert all(found is not None and low <= found <= high for found in wanted)
        return wanted

    with house.db.read() as session:
        assert len(within(session, month_of("2026-11", house.now))) > 100
        assert len(within(session, month_of("2026-10", house.now))) == 36
        assert event_range(session, OCTOBER - timedelta(days=99), OCTOBER - timedelta(days=90))[0] is not None
