"""Devices and gateways are looked up among many."""

from playwright.sync_api import expect
from support.browser import Watched
from support.site import Site


def test_devices_are_narrowed_by_what_is_typed_and_by_kind(site: Site, watched: Watched) -> None:
    site.smoke("gw-seek-01", "smoke-302")
    site.publish("gw-seek-02", {"device": "help-301", "kind": "help.call", "data": {}})
    page = watched.page
    page.goto("/devices")
    smoke, button = (page.get_by_role("row", name=name) for name in ("smoke-302 gw-seek-01", "help-301 gw-seek-02"))
    expect(smoke).to_be_visible()
    expect(button).to_be_visible()
    page.get_by_label("类型").select_option("求助按钮")
    expect(smoke).to_have_count(0)
    expect(button).to_be_visible()
    page.get_by_label("类型").select_option("全部")
    page.get_by_test_id("seek-device").fill("SEEK-01")
    expect(button).to_have_count(0)
    expect(smoke).to_be_visible()
