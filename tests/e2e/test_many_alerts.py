"""The inbox with ten thousand open alerts."""

import time
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, expect
from support.browser import window
from support.site import Site

from hub.store.database import Database, database_url
from hub.store.tables.alerts import AlertRow

MANY = 10_000


def fill(site: Site) -> None:
    """Straight into the database: raising them one by one is not what is looked at here."""
    database = Database(database_url(site.data_dir, None))
    now = datetime.now(UTC)
    try:
        with database.write() as session:
            session.add_all(
                AlertRow(
                    rule_id="C2",
                    rule_version="1",
                    alert_class="C",
                    severity="P2",
                    subject=f"unit:many-{number}",
                    unit_code=f"many-{number:05d}",
                    opened_at=now - timedelta(seconds=MANY - number),
                    observed_at=now,
                    last_evidence_at=now,
                    explanation_zh="许多",
                    explanation_en="many",
                    known_at=now,
                )
                for number in range(MANY)
            )
    finally:
        database.close()


def test_ten_thousand_open_alerts_stay_light(browser: Browser, site: Site) -> None:
    fill(site)
    with window(browser, site.address) as opened:
        page = opened.page
        page.goto(site.link("zhangsan", "manager"))
        page.wait_for_url("**/alerts")
        expect(page.get_by_test_id("counts")).to_contain_text("10000")
        assert page.locator(".line").count() < 80
        began = time.monotonic()
        for _ in range(300):
            page.keyboard.press("j")
        expect(page.locator(".line[aria-current]")).to_be_visible()
        each_ms = (time.monotonic() - began) / 300 * 1000
        assert each_ms < 100, f"{each_ms:.0f} ms for a key"
        assert page.locator(".line").count() < 80
        began = time.monotonic()
        site.smoke("gw-many-01", "smoke")
        expect(page.get_by_test_id("life-banner")).to_be_visible()
        assert time.monotonic() - began < 2
