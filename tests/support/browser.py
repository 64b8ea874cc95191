"""Debian's Chromium, driven by Playwright, that tolerates no complaint on its console and no foreign request."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

WIDE = (1440, 900)
TABLET = (768, 1024)
PHONE = (360, 740)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """One browser for many tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("chromium is missing: `make packages` installs Debian's chromium")
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-test")
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A browser window and what it complained of."""

    context: BrowserContext
    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)
    tolerated: tuple[str, ...] = ()

    def check(self) -> None:
        """No error or warning on the console, and nothing asked of anybody else."""
        found = [text for text in self.complaints if not any(part in text for part in self.tolerated)]
        assert not found, found


@contextlib.contextmanager
def window(
    browser: Browser, origin: str, *, size: tuple[int, int] = WIDE, theme: str = "light", language: str = "zh-CN"
) -> Iterator[Watched]:
    """A window of its own, with nobody signed in. Complaints fail the test when it closes well."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=language,
        timezone_id="Asia/Shanghai",
        color_scheme="dark" if theme == "dark" else "light",
        base_url=origin,
    )
    context.add_init_script(
        f"localStorage.getItem('anfang.language') ?? localStorage.setItem('anfang.language', '{language}')"
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    watched = Watched(context, page, origin)
    host = urlsplit(origin).netloc
    page.on(
        "console",
        lambda message: (
            watched.complaints.append(f"console {message.type}: {message.text}")
            if message.type in {"error", "warning"}
            else None
        ),
    )
    page.on("pageerror", lambda error: watched.complaints.append(f"page: {error}"))
    page.on(
        "request",
        lambda request: (
            watched.complaints.append(f"foreign: {request.url}")
            if urlsplit(request.url).scheme in {"http", "https"} and urlsplit(request.url).netloc != host
            else None
        ),
    )
    try:
        yield watched
        watched.check()
    finally:
        context.close()
