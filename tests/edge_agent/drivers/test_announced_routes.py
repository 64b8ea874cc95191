"""Devices of Home Assistant's discovery as time passes and availability topics speak; the clock is the test's."""

import json
from pathlib import Path

import pytest
from support.drivers import MemorySink, agent_config

from edge_agent.drivers.announced_routes import AnnouncedRoutes
from edge_agent.drivers.station import stations_of
from edge_agent.ports import DriverContext
from wire.clock import FakeClock


class Site:
    """One configured device and what it announces."""

    def __init__(self, folder: Path) -> None:
        device = {"id": "dev", "profile": "generic/home-assistant", "address": "d1"}
        loaded = agent_config(folder, mqtt={"url": "mqtt://127.0.0.1:1"}, device=[device])
        self.sink = MemorySink()
        self.clock = FakeClock()
        self.topics: list[str] = []
        context = DriverContext(self.clock, self.sink, lambda: None)
        self.stations = stations_of(loaded, loaded.device, context, ["home-assistant"])
        self.routes = AnnouncedRoutes("homeassistant", self.stations, self.topics.append, self.clock.monotonic)

    async def announce(self, name: str, **config: object) -> None:
        body = {"dev_cla": "smoke", "stat_t": f"d1/{name}", "uniq_id": name, "dev": {"ids": ["d1"]}, **config}
        topic = f"homeassistant/binary_sensor/d1/{name}/config"
        await self.routes.take(topic, json.dumps(body).encode(), is_retained=True)

    async def hear(self, topic: str, payload: str, *, is_retained: bool = False) -> None:
        await self.routes.take(topic, payload.encode(), is_retained=is_retained)

    async def after(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.routes.tick()

    def alarms(self) -> list[bool]:
        return [data.alarm for data in self.sink.of("dev", "smoke.state")]

    def online(self) -> list[bool]:
        return [data.online for data in self.sink.of("dev", "device.health") if data.online is not None]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_detector_that_only_says_on_is_off_again_after_its_delay(site):
    await site.announce("smoke", off_dly=30)
    await site.hear("d1/smoke", "ON")
    await site.after(29)
    assert site.alarms() == [True]
    await site.hear("d1/smoke", "ON")
    await site.after(29)
    assert site.alarms() == [True]
    await site.after(2)
    assert site.alarms() == [True, False]


async def test_a_device_whose_every_expiring_entity_is_silent_is_gone_and_comes_back(site):
    await site.announce("smoke", exp_aft=60)
    await site.announce("gas", dev_cla="gas", exp_aft=100)
    await site.hear("d1/smoke", "OFF")
    await site.after(70)
    assert site.online() == [True]
    await site.after(40)
    await site.after(1)
    assert site.online() == [True, False]
    await site.hear("d1/smoke", "OFF")
    assert site.online() == [True, False, True]


async def test_what_a_broker_kept_does_not_renew_a_life(site):
    await site.announce("smoke", exp_aft=60)
    await site.after(50)
    await site.hear("d1/smoke", "OFF", is_retained=True)
    await site.after(20)
    assert site.online() == [False]


@pytest.mark.parametrize(
    ("mode", "states"),
    [("latest", [True, False, True]), ("all", [False, True]), ("any", [True, False])],
)
async def test_the_three_modes_of_availability(site, mode, states):
    await site.announce("smoke", avty=[{"t": "bridge"}, {"t": "d1/avail"}], avty_mode=mode)
    for topic, word in (("bridge", "online"), ("d1/avail", "offline"), ("d1/avail", "online"), ("bridge", "online")):
        await site.hear(topic, word)
    if mode == "any":
        for topic in ("bridge", "d1/avail"):
            await site.hear(topic, "offline")
    assert site.online() == states


async def test_a_device_that_nobody_configured_counts_for_nothing(site):
    await site.announce("smoke", dev={"ids": ["stranger"]}, exp_aft=1, off_dly=1)
    await site.hear("d1/smoke", "ON")
    await site.after(10)
    assert site.sink.events == []
    assert site.topics == []


@pytest.mark.parametrize("value", [True, -1, 0, "60", None, [], 1e12])
async def test_a_duration_that_is_none_is_passed_over(site, value):
    await site.announce("smoke", expire_after=value, off_delay=value)
    await site.hear("d1/smoke", "ON")
    await site.after(100)
    assert (site.alarms(), site.online()) == ([True], [True])


async def test_a_press_is_a_call_for_help_each_time_and_a_kept_one_is_none(site: Site) -> None:
    trigger = {"automation_type": "trigger", "type": "action", "subtype": "emergency", "payload": "emergency"}
    body = {**trigger, "topic": "d1/action", "device": {"identifiers": ["d1"], "sw_version": "7"}}
    await site.routes.take("homeassistant/device_automation/d1/x/config", json.dumps(body).encode(), is_retained=True)
    assert "d1/action" in site.topics
    await site.hear("d1/action", "emergency", is_retained=True)
    assert site.sink.of("dev", "help.call") == []
    await site.hear("d1/action", "emergency")
    await site.hear("d1/action", "emergency")
    assert len(site.sink.of("dev", "help.call")) == 1, "a frame that came twice"
    await site.clock.advance(10)
    await site.hear("d1/action", "emergency")
    await site.hear("d1/action", "single")
    assert len(site.sink.of("dev", "help.call")) == 2


async def test_what_is_passed_over_is_kept_for_whoever_asks(site: Site) -> None:
    await site.announce("smoke", json_attr_t="d1/more")
    [named] = site.routes.ignored.values()
    assert "json_attributes_topic" in named[0]
    await site.routes.take("homeassistant/binary_sensor/d1/smoke/config", b"", is_retained=True)
    assert site.routes.ignored == {}
