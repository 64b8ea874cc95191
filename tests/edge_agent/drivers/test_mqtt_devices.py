"""The MQTT driver over a real broker: routing, availability, retained messages, commands, secrets."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.drivers import MemorySink, agent_config, built, running
from support.servers import Mosquitto, mosquitto
from support.wait import until_async

from edge_agent.config import AgentConfig
from edge_agent.errors import CommandError, ConfigError, LinkError
from simulators.devices.zigbee2mqtt import FakeZigbee2Mqtt

pytestmark = pytest.mark.integration

DEVICES = {
    "room-1202/lock": "yale/yrd226",
    "room-1202/smoke": "heiman/hs1sa",
    "room-1202/door": "sonoff/snzb-04",
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as running_broker:
        yield running_broker


@pytest.fixture
def bridge(broker: Mosquitto) -> Iterator[FakeZigbee2Mqtt]:
    made = FakeZigbee2Mqtt(broker.url, DEVICES)
    yield made
    made.close()


def config_for(folder: Path, broker: Mosquitto, *devices: dict[str, object]) -> AgentConfig:
    listed = list(devices) or [
        {"id": name.replace("/", "-"), "profile": profile, "address": name, "unit": "1202"}
        for name, profile in DEVICES.items()
    ]
    return agent_config(folder, mqtt={"url": broker.url}, device=listed)


async def test_lock_smoke_and_contact_become_our_events(tmp_path, broker, bridge):
    sink = MemorySink()
    async with running(config_for(tmp_path, broker), sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the bridge")
        bridge.publish_state("room-1202/lock", {"lock_state": "locked"})
        bridge.publish_state(
            "room-1202/lock",
            {"action": "unlock", "action_source_name": "keypad", "action_user": 3, "lock_state": "unlocked"},
        )
        bridge.publish_state("room-1202/smoke", {"smoke": True, "test": False})
        bridge.publish_state("room-1202/door", {"contact": False})
        await until_async(lambda: sink.of("room-1202-door", "door.state"), what="the door")
    [access] = sink.of("room-1202-lock", "lock.access")
    assert (access.result, access.credential.type, access.credential.slot) == ("granted", "pin", 3)
    assert [data.state for data in sink.of("room-1202-lock", "lock.state")] == ["locked", "unlocked"]
    assert [data.alarm for data in sink.of("room-1202-smoke", "smoke.state")] == [True]
    assert [data.open for data in sink.of("room-1202-door", "door.state")] == [True]
    assert {event.unit for event in sink.events} == {"1202"}


async def test_a_state_that_repeats_what_is_known_is_no_event(tmp_path, broker, bridge):
    sink = MemorySink()
    async with running(config_for(tmp_path, broker), sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the bridge")
        for _ in range(5):
            bridge.publish_state("room-1202/smoke", {"smoke": True})
        bridge.publish_state("room-1202/smoke", {"smoke": False})
        await until_async(lambda: len(sink.of("room-1202-smoke", "smoke.state")) == 2, what="alarm and end")
    assert [data.alarm for data in sink.of("room-1202-smoke", "smoke.state")] == [True, False]


async def test_availability_and_the_end_of_the_bridge_are_health(tmp_path, broker):
    bridge = FakeZigbee2Mqtt(broker.url, DEVICES)
    sink = MemorySink()

    def online(device: str) -> list[bool | None]:
        return [data.online for data in sink.of(device, "device.health") if data.online is not None]

    async with running(config_for(tmp_path, broker), sink) as drivers:
        await until_async(lambda: online("room-1202-lock") == [True], what="the lock online")
        bridge.availability("room-1202/lock", False)
        await until_async(lambda: online("room-1202-lock") == [True, False], what="the lock offline")
        bridge.close()
        await until_async(lambda: online("room-1202-smoke") == [True, False], what="all offline")
        assert drivers[0].health().detail == "zigbee2mqtt is offline"


async def test_a_command_goes_out_and_is_confirmed_by_the_state(tmp_path, broker, bridge):
    sink = MemorySink()
    async with running(config_for(tmp_path, broker), sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the bridge")
        await drivers[0].actuate("room-1202-lock", "lock", {})
        assert bridge.commands == [("room-1202/lock", {"state": "LOCK"})]
        with pytest.raises(CommandError, match="no command 'siren_on'"):
            await drivers[0].actuate("room-1202-smoke", "siren_on", {})


async def test_a_command_without_a_broker_is_a_link_error(tmp_path, broker):
    [driver] = built(config_for(tmp_path, broker))
    with pytest.raises(LinkError, match="no connection to the local broker"):
        await driver.actuate("room-1202-lock", "lock", {})


async def test_what_the_broker_kept_is_a_state_and_no_news(tmp_path, broker, bridge):
    import paho.mqtt.publish as publish

    kept = json.dumps({"action": "unlock", "action_source_name": "keypad", "lock_state": "unlocked"})
    topic = "zigbee2mqtt/room-1202/lock"
    publish.single(topic, kept, qos=1, retain=True, hostname="127.0.0.1", port=broker.port)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, broker), sink):
            await until_async(lambda: sink.of("room-1202-lock", "lock.state"), what="the kept state")
            assert sink.of("room-1202-lock", "lock.access") == []
    finally:
        publish.single(topic, None, retain=True, hostname="127.0.0.1", port=broker.port)


async def test_a_lorawan_device_of_a_profile_of_its_own_works_with_raw_bytes(tmp_path, broker):
    import paho.mqtt.publish as publish

    profile = tmp_path / "gs524n.yaml"
    profile.write_text(
        "profile: 1\nvendor: Milesight\nmodel: GS524N\nfamily: smoke\nsource: vendor's decoder\n"
        "transport:\n  kind: mqtt\n  topics: {up: 'application/+/device/{address}/event/up'}\n"
        "decoder: {json: data, encoding: base64, length: 6, checksum: {kind: sum8-zero, at: -1}}\n"
        "fields:\n"
        "  event: {at: 1, mask: 0x0f, enum: {1: alarm, 7: normal, 14: test, 15: test}, otherwise: null}\n"
        "  alarm: {at: 1, mask: 0x0f, enum: {1: true, 7: false, 14: false, 15: false}, otherwise: null}\n"
        "  test: {at: 1, mask: 0x0f, enum: {14: true, 15: true, 1: false, 7: false}, otherwise: null}\n"
        "  battery: {at: 2}\n"
        "events:\n  - {kind: smoke.state, from: {alarm: alarm, test: test}}\n"
        "  - {kind: device.health, from: {battery_pct: battery}}\n"
        "examples:\n"
        "  - {name: test, input: {json: {data: Ih5kABxA}}, fields: {event: test, battery: 100},"
        " events: [{smoke.state: {alarm: false, test: true}}, {device.health: {battery_pct: 100}}]}\n"
        "  - {name: broken, input: {json: {data: Ih5kABxB}}, fails: checksum}\n"
    )
    sink = MemorySink()
    config = config_for(tmp_path, broker, {"id": "smoke", "profile": str(profile), "address": "24e124713d490001"})
    async with running(config, sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the broker")
        up = "application/7/device/24e124713d490001/event/up"
        publish.single(up, json.dumps({"data": "IhFkABxN"}), qos=1, hostname="127.0.0.1", port=broker.port)
        await until_async(lambda: sink.of("smoke", "smoke.state"), what="the alarm")
    assert [data.alarm for data in sink.of("smoke", "smoke.state")] == [True]


async def test_messages_that_are_no_json_are_survived(tmp_path, broker, bridge):
    import paho.mqtt.publish as publish

    sink = MemorySink()
    async with running(config_for(tmp_path, broker), sink) as drivers:
        await until_async(lambda: drivers[0].health().state == "running", what="the bridge")
        for payload in (b"\xff\xfe", b"{", b"[" * 100_000, b"[]", b"null", b'{"smoke": {"a": 1}}'):
            publish.single("zigbee2mqtt/room-1202/smoke", payload, hostname="127.0.0.1", port=broker.port)
        bridge.publish_state("room-1202/smoke", {"smoke": True})
        await until_async(lambda: sink.of("room-1202-smoke", "smoke.state"), what="the good one")


async def test_the_broker_may_go_and_come_back(tmp_path):
    with mosquitto(tmp_path / "mosquitto") as broker:
        sink = MemorySink()
        config = config_for(tmp_path, broker)
        async with running(config, sink) as drivers:
            await until_async(lambda: "zigbee2mqtt has not been heard" in drivers[0].health().detail, what="up")
            broker.kill()
            await until_async(lambda: drivers[0].health().state == "backing_off", what="down")
            broker.start()
            bridge = FakeZigbee2Mqtt(broker.url, DEVICES)
            await until_async(lambda: drivers[0].health().state == "running", what="up again")
            bridge.publish_state("room-1202/smoke", {"smoke": True})
            await until_async(lambda: sink.of("room-1202-smoke", "smoke.state"), what="an event")
            bridge.close()


def test_an_mqtt_address_that_would_hear_everybody_is_refused(tmp_path, broker):
    profile = tmp_path / "p.yaml"
    profile.write_text(
        "profile: 1\nvendor: A\nmodel: B\nfamily: smoke\nsource: test\n"
        "transport: {kind: mqtt, payload: text, topics: {state: 'home/{address}'}}\n"
        "fields: {smoke: {text: true, enum: {'ON': true, 'OFF': false}}}\n"
        "events: [{kind: smoke.state, from: {alarm: smoke}}]\n"
        "examples: [{name: a, input: {text: 'ON'}, events: [{smoke.state: {alarm: true}}]},"
        " {name: b, input: {text: maybe}, fails: not listed}]\n"
    )
    with pytest.raises(ConfigError, match=r"\+ and # have no place"):
        built(config_for(tmp_path, broker, {"id": "s", "profile": str(profile), "address": "#"}))


def test_devices_without_a_broker_are_a_configuration_error(tmp_path):
    config = agent_config(tmp_path, device=[{"id": "s", "profile": "heiman/hs1sa"}])
    with pytest.raises(ConfigError, match=r"an \[mqtt\] table"):
        built(config)


async def test_an_announced_device_counts_when_it_is_configured_and_not_otherwise(tmp_path, broker):
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    def config(name: str) -> str:
        return json.dumps(
            {
                "dev": {"ids": name}, "avty_t": f"esp/{name}/status",
                "cmps": {"s": {"p": "binary_sensor", "dev_cla": "smoke", "stat_t": f"esp/{name}/smoke"}},
            }
        )  # fmt: skip

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for name in ("hall", "stranger"):
        client.publish(f"homeassistant/device/{name}/config", config(name), qos=1, retain=True).wait_for_publish(5)
        client.publish(f"esp/{name}/status", "online", qos=1, retain=True).wait_for_publish(5)
    sink = MemorySink()
    devices = [{"id": "smoke-hall", "profile": "generic/home-assistant", "address": "hall"}]
    try:
        async with running(config_for(tmp_path, broker, *devices), sink):
            await until_async(lambda: sink.of("smoke-hall", "device.health"), what="the announcement and availability")
            for name in ("stranger", "hall"):
                client.publish(f"esp/{name}/smoke", "ON", qos=1).wait_for_publish(5)
            await until_async(lambda: sink.of("smoke-hall", "smoke.state"), what="the alarm")
            client.publish("esp/hall/status", "offline", qos=1, retain=True).wait_for_publish(5)
            await until_async(lambda: sink.of("smoke-hall", "device.health")[-1].online is False, what="offline")
    finally:
        for name in ("hall", "stranger"):
            client.publish(f"homeassistant/device/{name}/config", b"", qos=1, retain=True).wait_for_publish(5)
        client.disconnect()
        client.loop_stop()
    assert {event.device for event in sink.events} == {"smoke-hall"}


async def test_devices_that_share_a_topic_are_told_apart_by_what_names_them(tmp_path, broker):
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    profile = str(Path(__file__).parents[2] / "firmware_profiles" / "strangers" / "radio-gateway.yaml")
    tags = [{"id": f"tag-{number}", "profile": profile, "address": f"C4:0{number}"} for number in (1, 2)]
    sink = MemorySink()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        async with running(config_for(tmp_path, broker, *tags), sink) as [driver]:
            await until_async(lambda: driver.health().state == "running", what="the broker")
            heard = [
                {"mac": "C4:01", "alarms": ["SMOKE"]},
                {"mac": "C4:02", "alarms": []},
                {"mac": "C4:03", "alarms": 7},
            ]
            client.publish("gw/9/tags", json.dumps({"tags": heard}), qos=1)
            await until_async(lambda: sink.of("tag-2", "smoke.state"), what="the second tag")
    finally:
        client.loop_stop()
        client.disconnect()
    assert [data.alarm for data in sink.of("tag-1", "smoke.state")] == [True]
    assert [data.alarm for data in sink.of("tag-2", "smoke.state")] == [False]
