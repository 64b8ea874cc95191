"""Lists of alerts in their three orders, page by page, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import delete
from support.servers import postgres

from hub.alerts.queries import NEVER_DUE, Place, list_alerts
from hub.alerts.views import AlertFilter, AlertOrder
from hub.store.database import Database
from hub.store.migrate import open_database
from hub.store.tables.alerts import AlertRow

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
hours = st.one_of(st.none(), st.integers(-3, 3))
lines = st.lists(st.tuples(st.sampled_from(["P0", "P1", "P2", "P3"]), hours, hours, st.booleans()), max_size=9)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = open_database(tmp_path_factory.mktemp("alerts"), None)
    yield database
    database.close()


def at(hour: int | None) -> datetime | None:
    return None if hour is None else NOW + timedelta(hours=hour)


def row(n: int, severity: str, ack: int | None, act: int | None, *, is_acknowledged: bool) -> AlertRow:
    return AlertRow(
        rule_id="C1", rule_version="1", alert_class="C", severity=severity, subject=f"unit:{n}", opened_at=NOW,
        observed_at=NOW, last_evidence_at=NOW, due_ack_at=at(ack), due_act_at=at(act), known_at=NOW,
        acknowledged_at=NOW if is_acknowledged else None, explanation_zh="", explanation_en="",
    )  # fmt: skip


def is_paged_in_order(database: Database, found: list[tuple[str, int | None, int | None, bool]]) -> None:
    with database.write() as session:
        session.exec(delete(AlertRow))
        session.add_all(row(n, s, k, a, is_acknowledged=done) for n, (s, k, a, done) in enumerate(found))
    keys = {
        "newest": lambda line: -line.id,
        "urgent": lambda line: (line.severity, -line.id),
        "due": lambda line: (
            (None if line.is_acknowledged else line.due_ack_at) or line.due_act_at or NEVER_DUE,
            -line.id,
        ),
    }
    orders: tuple[AlertOrder, ...] = ("newest", "urgent", "due")
    for order in orders:
        with database.read() as session:
            whole, end = list_alerts(session, AlertFilter(), NOW, order=order, limit=100)
            paged, after = list_alerts(session, AlertFilter(), NOW, order=order, limit=2)
            while after is not None and len(paged) <= len(found):
                page, after = list_alerts(session, AlertFilter(), NOW, order=order, after=after, limit=2)
                paged += page
        assert end is None
        assert len(whole) == len(found)
        assert whole == sorted(whole, key=keys[order]) == paged


@given(lines)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_pages_make_the_whole_list_in_each_order(
    sqlite: Database, found: list[tuple[str, int | None, int | None, bool]]
) -> None:
    is_paged_in_order(sqlite, found)


@pytest.mark.integration
def test_postgresql_orders_alike(tmp_path: Path) -> None:
    with postgres(tmp_path / "pg") as url:
        database = open_database(tmp_path, url)
        try:
            is_paged_in_order(
                database, [("P1", 1, 2, False), ("P0", None, None, True), ("P1", 2, 1, True), ("P3", None, -1, False)]
            )
        finally:
            database.close()


def test_a_place_of_another_order_is_refused(sqlite: Database) -> None:
    with sqlite.read() as session, pytest.raises(ValueError, match="ordered by due"):
        list_alerts(session, AlertFilter(), NOW, order="due", after=Place(3, severity="P1"))
