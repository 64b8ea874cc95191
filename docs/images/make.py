"""Takes the pictures of the pages from a hub that is filled with invented data: `python docs/images/make.py`."""

import random
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import yaml
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.browser import PHONE, WIDE, chromium, window  # noqa: E402 - the folder above has to be known first
from support.site import Site, running_site  # noqa: E402 - as above
from support.wait import until  # noqa: E402 - as above
from town import GATEWAYS, neighbours  # noqa: E402 - as above

from wire.clock import SystemClock  # noqa: E402 - as above

CLOCK = SystemClock()
HERE = Path(__file__).resolve().parent
BUILDING = "990000-0003-1"
GATEWAY = "gw-picture-01"
SURNAMES = "张李王赵钱孙周吴郑冯陈褚卫蒋沈韩"
ALARM = f"{BUILDING}-302"
BROKEN = """楼栋,房号,房间,面积,姓名,身份证号,电话,起租日,到租日,民族
1幢,601,主卧,14,张三,990000199001010017,13800001234,2026-01-01,不定期,汉
1幢,602,主卧,1O,李四,990000199001010018,1380000,明天,,
"""


def registry() -> str:
    """A building of five floors among others; nobody in them exists."""
    today = CLOCK.now().date()
    lines = [
        "registry: 1",
        "scopes:",
        "  - {code: picture, kind: organisation, name: 示例物业}",
        "  - {code: 990000-0003, kind: estate, name: 示范小区, parent: picture}",
        "buildings:",
        f"  - {{code: {BUILDING}, name: 示范小区1幢, scope: 990000-0003, gateways: [{GATEWAY}]}}",
        "people:",
        *(f"  - {{code: p-{n}, name: {sign}某}}" for n, sign in enumerate(SURNAMES)),
        "units:",
    ]
    for number, (floor, door) in enumerate((floor, door) for floor in range(5, 0, -1) for door in range(1, 5)):
        lines += [f"  - code: {BUILDING}-{floor}0{door}", f"    building: {BUILDING}", f"    floor: {floor}"]
        lines += [f'    door: "{floor}0{door}"', "    rooms: [{name: 主卧, type: bedroom, area_m2: 14, basis: usable}]"]
        lines += [
            "    devices:",
            f"      - {{gateway: {GATEWAY}, device: lock-{floor}0{door}, kind: lock}}",
            f"      - {{gateway: {GATEWAY}, device: smoke-{floor}0{door}, kind: smoke, placement: room}}",
        ]
        if number < len(SURNAMES):
            end = today + timedelta(days=(-12 if number == 5 else 14 if number % 6 == 1 else 200))
            start = today - timedelta(days=200)
            lines += [
                "    leases:",
                f"      - {{code: lease-{number}, start: {start}, end: {end}, tenant: p-{number},",
                f"         occupants: [{{person: p-{number}, role: tenant, registered_on: {start}}}]}}",
                "    credentials:",
                f'      - {{card: "25,{20000 + number}", person: p-{number}, lease: lease-{number}}}',
            ]
        else:
            lines.append("    vacant: true")
    whole = yaml.safe_load("\n".join(lines))
    for part, found in neighbours(today, SURNAMES).items():
        whole[part] += found
    return yaml.safe_dump(whole, allow_unicode=True)


def live_a_day(site: Site) -> None:
    """Doors of one day, and then what needs somebody."""
    chance = random.Random(7)  # noqa: S311 - a drawing, not a secret
    now = CLOCK.now()

    def at(minutes: float) -> str:
        return (now - timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    day = sorted((chance.uniform(20, 1400) for _ in range(26)), reverse=True)
    for way, minutes in enumerate(day):
        place = {"device": "lock-302", "unit": ALARM}
        access = {"result": "granted", "credential": {"type": "card", "ref": "hmac:0302"}, "direction": "in"}
        direction = "in" if way % 2 == 0 else "out"
        site.publish(
            GATEWAY,
            {**place, "observed_at": at(minutes), "kind": "lock.access", "data": access},
            {**place, "observed_at": at(minutes - 0.1), "kind": "door.state", "data": {"open": True}},
            {
                **place,
                "observed_at": at(minutes - 0.2),
                "kind": "people.crossing",
                "data": {"direction": direction, "count": 1, "line": "door", "confidence": 0.9},
            },
            {**place, "observed_at": at(minutes - 0.5), "kind": "door.state", "data": {"open": False}},
        )
    for door, alarm in (("204", "forced"), ("103", "lockout")):
        data = {"device": f"lock-{door}", "unit": f"{BUILDING}-{door}", "kind": "lock.alarm", "data": {"alarm": alarm}}
        site.publish(GATEWAY, data)
    for door, health in (("401", {"battery_pct": 9}), ("403", {"tamper": True}), ("501", {"battery_pct": 84})):
        data = {"device": f"smoke-{door}", "unit": f"{BUILDING}-{door}", "kind": "device.health", "data": health}
        site.publish(GATEWAY, data)
    site.publish(GATEWAY, {"device": GATEWAY, "kind": "gateway.health", "data": {"uptime_s": 86000, "outbox_depth": 0}})
    live_around(site)
    site.smoke(GATEWAY, "smoke-302", ALARM)
    until(lambda: site.alerts(rule="L1"), what="the smoke alarm")


def live_around(site: Site) -> None:
    """What the neighbours' devices said, and who is on duty."""
    now = CLOCK.now()
    for code, gateway in GATEWAYS.items():
        health = {"uptime_s": 86000, "outbox_depth": 0}
        site.publish(gateway, {"device": gateway, "kind": "gateway.health", "data": health})
        for door, pct in (("101", 71), ("203", 12 if code.endswith("5") else 88)):
            where = {"device": f"smoke-{door}", "unit": f"{code}-{door}"}
            said = {"battery_pct": pct, "rssi_dbm": -71, "profile": "heiman/hs1sa"}
            site.publish(gateway, {**where, "kind": "device.health", "data": said})
    forced = {"device": "lock-102", "unit": "990000-0004-12-102", "kind": "lock.alarm", "data": {"alarm": "forced"}}
    site.publish(GATEWAYS["990000-0004-12"], forced)
    for name in ("值班台", "巡逻岗"):
        site.api.put(f"/api/v1/recipients/{name}", json={"channel": "json://127.0.0.1:9"}).raise_for_status()
    for name, level, begin in (("值班台", 0, -3), ("巡逻岗", 0, 9), ("值班台", 0, 21), ("巡逻岗", 1, -3)):
        span = {"begin": now + timedelta(hours=begin), "end": now + timedelta(hours=begin + 12)}
        shift = {"recipient": name, "level": level, **{key: at.isoformat() for key, at in span.items()}}
        site.api.post("/api/v1/duty", json=shift).raise_for_status()


def try_out(page: Page) -> None:
    """Have the page of what-if play another number."""
    page.locator("#draft-0-value").fill("7")
    page.get_by_test_id("run").click()
    page.get_by_test_id("outcome").wait_for(timeout=120_000)


def main() -> None:
    """Write the pictures beside this file."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        seed = Path(folder) / "registry.yaml"
        seed.write_text(registry(), encoding="utf-8")
        broken = Path(folder) / "台账.csv"
        broken.write_text(BROKEN, encoding="utf-8")
        with running_site(Path(folder), seed) as site:
            live_a_day(site)
            [smoke] = site.alerts(rule="L1")
            pages = {
                "inbox": "/alerts",
                "alert": f"/alerts/{smoke['id']}",
                "houses": "/units",
                "unit": f"/units/{ALARM}",
                "devices": "/devices",
                "import": "/registry/import",
                "home": site.api.post(f"/api/v1/units/{ALARM}/tenant-link").json()["path"],
                "overview": "/overview",
                "wall": "/wall",
                "rules": "/policies",
                "what-if": "/policies/try?rule=C7&parameter=before_days",
                "report": "/report",
            }
            for suffix, size, theme, language, wanted in (
                ("zh", WIDE, "light", "zh-CN", set(pages) - {"wall"}),
                ("en-dark", WIDE, "dark", "en", {"inbox", "unit"}),
                ("dark", (1920, 1080), "dark", "zh-CN", {"wall"}),
                ("phone", PHONE, "light", "zh-CN", {"inbox", "alert", "home", "overview"}),
            ):
                with window(browser, site.address, size=size, theme=theme, language=language) as opened:
                    page = opened.page
                    page.goto(site.link("zhangsan", "manager"))
                    page.wait_for_url("**/alerts")
                    for name in sorted(wanted):
                        page.goto(pages[name])
                        page.wait_for_selector("h1")
                        if name == "import":
                            page.locator("#import-estate").fill("990000-0003")
                            page.get_by_test_id("file").set_input_files(broken)
                            page.get_by_test_id("faults").wait_for(timeout=60_000)
                        expect(page.get_by_text("加载中").or_(page.get_by_text("Loading…"))).to_have_count(
                            0, timeout=30_000
                        )
                        page.wait_for_timeout(700)
                        if name == "rules":
                            page.get_by_test_id("rule-C5").locator("summary").click()
                        if name == "what-if":
                            try_out(page)
                        page.screenshot(path=HERE / f"{name}-{suffix}.png", full_page=name not in {"inbox", "wall"})


if __name__ == "__main__":
    main()
