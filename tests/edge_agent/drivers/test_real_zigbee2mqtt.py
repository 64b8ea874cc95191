"""The MQTT driver against the real Zigbee2MQTT: raw Zigbee frames in, our events out, commands back to the radio."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.drivers import MemorySink, agent_config, running
from support.servers import Mosquitto, mosquitto
from support.wait import until_async
from support.zigbee2mqtt import Zigbee2Mqtt, ZigbeeDevice, zigbee2mqtt

from edge_agent.config import AgentConfig

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("zigbee2mqtt")]

LOCK = ZigbeeDevice("0x000d6f0010fa0510", 4660, "room-1202/lock", "YRD226/246 TSDB", "Yale", (0, 1, 3, 10, 257))
SMOKE = ZigbeeDevice("0x00158d0001a2b3c4", 4661, "room-1202/smoke", "SmokeSensor-EM", "HEIMAN", (0, 1, 3, 1280))
DOOR = ZigbeeDevice("0x00124b0022334455", 4662, "room-1202/door", "DS01", "eWeLink", (0, 1, 3, 1280))
SIREN = ZigbeeDevice("0x00158d0001a2b3c5", 4663, "hall/siren", "WarningDevice", "Heiman", (0, 1, 3, 1280, 1282))
BUTTON = ZigbeeDevice(
    "0x00158d0001a2b3c6", 4664, "room-1202/help", "TS0215A", "_TZ3000_ssp0maqm", (0, 1, 3, 1280, 1281)
)
PENDANT = ZigbeeDevice("0x00158d0001a2b3c7", 4665, "room-1202/pendant", "SOS-EM", "HEIMAN", (0, 1, 3, 1280))
DOOR_LOCK, IAS_ZONE, IAS_ACE, POWER = 0x0101, 0x0500, 0x0501, 0x0001


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as made:
        yield made


@pytest.fixture(scope="module")
def bridge(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zigbee2Mqtt]:
    with zigbee2mqtt(
        tmp_path_factory.mktemp("zigbee2mqtt"), broker.url, [LOCK, SMOKE, DOOR, SIREN, BUTTON, PENDANT]
    ) as made:
        yield made


@pytest.fixture
def config(tmp_path: Path, broker: Mosquitto) -> AgentConfig:
    return agent_config(
        tmp_path,
        mqtt={"url": broker.url},
        device=[
            {"id": "lock", "profile": "yale/yrd226", "address": LOCK.ieee, "unit": "1202"},
            {"id": "smoke", "profile": "heiman/hs1sa", "address": SMOKE.name, "unit": "1202"},
            {"id": "door", "profile": "sonoff/snzb-04", "address": DOOR.ieee, "unit": "1202"},
            {"id": "button", "profile": "tuya/ts0215a-sos", "address": BUTTON.ieee, "unit": "1202"},
            {"id": "pendant", "profile": "heiman/hs1eb", "address": PENDANT.ieee, "unit": "1202"},
            {"id": "siren", "profile": "heiman/hs2wd-e", "address": SIREN.ieee},
        ],
    )


async def test_zigbee_frames_become_our_events(config, bridge):
    sink = MemorySink()
    async with running(config, sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the bridge")
        bridge.hear(LOCK, DOOR_LOCK, "18070a00003002")
        bridge.hear(LOCK, DOOR_LOCK, "1909200002030000ffffffff00")
        bridge.hear(LOCK, DOOR_LOCK, "1909200302050000ffffffff00")
        bridge.hear(LOCK, DOOR_LOCK, "1909200005ffff00ffffffff00")
        await until_async(lambda: len(sink.of("lock", "lock.access")) == 3, what="three uses of the lock")
        bridge.hear(SMOKE, IAS_ZONE, "190900010000000000")
        bridge.hear(SMOKE, IAS_ZONE, "190900040100000000")
        bridge.hear(DOOR, IAS_ZONE, "190900010000000000")
        bridge.hear(LOCK, POWER, "18070a210020b2")
        await until_async(lambda: sink.of("door", "door.state"), what="the door")
        await until_async(
            lambda: [data.battery_pct for data in sink.of("lock", "device.health")][-1:] == [89.0], what="the battery"
        )
    assert [said.firmware for said in sink.of("lock", "device.health") if said.firmware] == ["1"]
    uses = [(use.result, use.credential.type, use.credential.slot) for use in sink.of("lock", "lock.access")]
    assert uses == [("granted", "pin", 3), ("granted", "card", 5), ("denied", "pin", None)]
    assert sink.of("lock", "lock.state")[-1].state == "unlocked"
    smoke = [(state.alarm, state.test) for state in sink.of("smoke", "smoke.state")]
    assert smoke == [(True, False), (False, True)]
    assert [state.open for state in sink.of("door", "door.state")] == [True]


async def test_a_press_of_a_help_button_is_a_call_and_one_frame_twice_is_one(config, bridge):
    sink = MemorySink()
    async with running(config, sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the bridge")
        bridge.hear(BUTTON, IAS_ACE, "010b02")
        bridge.hear(BUTTON, IAS_ACE, "010b02")
        bridge.hear(PENDANT, IAS_ZONE, "19110001000000ff0000")
        bridge.hear(PENDANT, IAS_ZONE, "19120000000000ff0000")
        bridge.hear(BUTTON, POWER, "180c0a210020b2")
        await until_async(lambda: sink.of("pendant", "help.call"), what="the pendant's call")
        await until_async(lambda: sink.of("button", "device.health")[-1].battery_pct == 89.0, what="the battery")
    assert len(sink.of("button", "help.call")) == 1
    assert len(sink.of("pendant", "help.call")) == 1


async def test_a_command_reaches_the_radio_and_the_lock_confirms(config, bridge):
    sink = MemorySink()
    async with running(config, sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the bridge")
        await drivers[0].actuate("lock", "lock", {})
    assert {"sent": "lockDoor", "cluster": "closuresDoorLock", "to": LOCK.ieee} in bridge.sent
    assert sink.of("lock", "lock.state")[-1].state == "locked"


async def test_the_siren_is_told_to_sound(config, bridge):
    async with running(config, MemorySink()) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the bridge")
        await drivers[0].actuate("siren", "siren_on", {})
        wanted = {"sent": "startWarning", "cluster": "ssIasWd", "to": SIREN.ieee}
        await until_async(lambda: wanted in bridge.sent, what="the warning on the air")


async def test_what_zigbee2mqtt_announces_needs_no_profile(tmp_path, broker, bridge):
    devices = [
        {"id": f"any-{device.name.rpartition('/')[2]}", "profile": "generic/home-assistant", "address": f"zigbee2mqtt_{device.ieee}"}
        for device in (LOCK, SMOKE, DOOR, BUTTON)
    ]  # fmt: skip
    sink = MemorySink()
    async with running(agent_config(tmp_path, mqtt={"url": broker.url}, device=devices), sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the broker")
        # Zigbee2MQTT collects for some seconds before it announces.
        await until_async(
            lambda: all(sink.of(f"any-{name}", "device.health") for name in ("lock", "smoke", "door")),
            what="all announced and available",
        )
        bridge.hear(LOCK, DOOR_LOCK, "18070a00003001")
        bridge.hear(SMOKE, IAS_ZONE, "190900010000000000")
        bridge.hear(DOOR, IAS_ZONE, "190900000000000000")
        await until_async(lambda: sink.of("any-door", "door.state"), what="the door")
        numbers = itertools.cycle(range(0x21, 0x7F))

        def is_called() -> bool:
            # Zigbee2MQTT announces a trigger with its first press: who knows the button no other way misses that one.
            bridge.hear(BUTTON, IAS_ACE, f"01{next(numbers):02x}02")
            return bool(sink.of("any-help", "help.call"))

        await until_async(is_called, what="the call")
    assert [said.firmware for said in sink.of("any-lock", "device.health") if said.firmware] == ["1"]
    assert [state.alarm for state in sink.of("any-smoke", "smoke.state")] == [True]
    assert [state.open for state in sink.of("any-door", "door.state")] == [False]
    assert [state.state for state in sink.of("any-lock", "lock.state")] == ["locked"]
