"""One browser for all, one site for each module, one window for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.browser import Watched, chromium, window
from support.site import Site, running_site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)
            # One worker for all: two browsers on a small machine make each other's seconds longer.
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site"), Path(__file__).with_name("registry.yaml")) as running:
        yield running


@pytest.fixture
def watched(browser: Browser, site: Site) -> Iterator[Watched]:
    """A window whose manager is signed in and looks at the inbox."""
    with window(browser, site.address) as opened:
        opened.page.goto(site.link("zhangsan", "manager"))
        opened.page.wait_for_url("**/alerts")
        yield opened
