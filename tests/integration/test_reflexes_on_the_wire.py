"""The reflexes with real drivers and devices on two protocols, and no hub: smoke on any detector sounds every siren of
the building; a test, a duress code and a detector silenced by hand do not change what they may not change."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import osdp
import pytest
from support.drivers import agent_config
from support.servers import mosquitto
from support.wait import until_async

from edge_agent.drivers import build_drivers
from edge_agent.intake import Devices, Intake
from edge_agent.outbox import Outbox
from edge_agent.ports import DriverContext
from edge_agent.reflexes import ReflexRules
from simulators.devices.modbus_sensor import ModbusHost, ModbusSmoke
from simulators.devices.osdp_reader import OsdpReader
from simulators.devices.serial_line import SerialLine
from simulators.devices.zigbee2mqtt import FakeZigbee2Mqtt
from wire.clock import SystemClock
from wire.events import KnownEvent, Lane, LocalAction
from wire.messages import decode_event

pytestmark = pytest.mark.integration

PROFILE = "calectro/ug-3-o-mb-r"
LOCK = """\
profile: 1
vendor: Acme
model: Z9
family: lock
source: invented for this test
transport: {kind: zigbee2mqtt}
fields: {alarm: {json: action, enum: {hijack: duress, pry: forced}, otherwise: null}}
events: [{kind: lock.alarm, from: {alarm: alarm}, emit: each}]
examples:
  - {name: duress, input: {json: {action: hijack}}, events: [{lock.alarm: {alarm: duress}}]}
  - {name: none, input: {json: {action: [1]}}, fails: alarm}
"""


@dataclass
class House:
    outbox: Outbox
    intake: Intake
    bridge: FakeZigbee2Mqtt
    relay: ModbusHost
    duct: ModbusSmoke
    reader: OsdpReader

    def sounding(self) -> tuple[bool, bool]:
        """Whether the Zigbee siren was told to sound last, and whether the relay is closed."""
        told = [body["warning"]["mode"] for name, body in self.bridge.commands if name == "siren"]
        return told[-1:] == ["emergency"], self.relay.get(2, "holding", 2) == 567

    async def events(self) -> list[KnownEvent]:
        return [decode_event(row.body) for row in await self.outbox.read(Lane.URGENT, 0, 500, 1 << 20)]

    async def has(self, kind: str, device: str) -> bool:
        return any(event.kind == kind and event.device == device for event in await self.events())


@contextlib.asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    (folder / "lock.yaml").write_text(LOCK)
    names = {
        "room/smoke": "heiman/hs1sa",
        "hall/smoke": "bosch/bsd-2",
        "siren": "heiman/hs2wd-e",
        "lock": "yale/yrd226",
    }
    clock = SystemClock()
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(mosquitto(folder))
        bridge = FakeZigbee2Mqtt(broker.url, names)
        stack.callback(bridge.close)
        line, door = SerialLine(folder / "by-id" / "fire"), SerialLine(folder / "by-id" / "door")
        stack.callback(line.close)
        stack.callback(door.close)
        from firmware_profiles.loader import find_profile, load_profile

        relay = ModbusHost(line, [1, 2], load_profile(find_profile(PROFILE)))
        stack.callback(relay.close)
        sensors = [ModbusSmoke(line, address, host=relay) for address in (1, 2)]
        reader = OsdpReader(door, 5)
        stack.callback(reader.close)
        config = agent_config(
            folder,
            mqtt={"url": broker.url},
            bus=[
                {"name": "fire", "kind": "modbus", "port": str(line.path)},
                {"name": "door", "kind": "osdp", "port": str(door.path)},
            ],
            device=[
                {"id": "duct", "profile": PROFILE, "bus": "fire", "address": 1},
                {"id": "relay", "profile": PROFILE, "bus": "fire", "address": 2},
                {"id": "reader", "profile": "generic/osdp-reader", "bus": "door", "address": 5},
                {"id": "room", "profile": "heiman/hs1sa", "address": "room/smoke", "unit": "302"},
                {"id": "hall", "profile": "bosch/bsd-2", "address": "hall/smoke"},
                {"id": "siren", "profile": "heiman/hs2wd-e", "address": "siren"},
                {"id": "lock", "profile": str(folder / "lock.yaml"), "address": "lock"},
            ],
        )
        outbox = await Outbox.open(folder / "o.db", gateway_id="gw-test", max_bytes=1 << 26, clock=clock)
        devices = Devices()
        intake = Intake(outbox, devices, ReflexRules(("siren", "relay")), clock, "gw-test")
        drivers = build_drivers(config, lambda name: DriverContext(clock, intake, lambda: None))
        for driver in drivers:
            devices.add(driver)
        tasks = [asyncio.create_task(driver.run()) for driver in drivers]
        try:
            for driver in drivers:
                await until_async(lambda d=driver: d.health().state == "running", deadline_s=40, what=driver.name)
            yield House(outbox, intake, bridge, relay, sensors[0], reader)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await intake.close()
            await outbox.close()


async def test_smoke_sounds_every_siren_until_the_last_detector_is_clear_and_is_journaled(tmp_path: Path):
    async with house(tmp_path) as site:
        site.bridge.publish_state("room/smoke", {"smoke": True, "test": False})
        await until_async(lambda: site.sounding() == (True, True), deadline_s=20, what="both sirens")
        site.duct.alarm(True)
        await until_async(lambda: "duct" in site.intake.reflexes.alarming, deadline_s=20, what="the second detector")
        site.bridge.publish_state("room/smoke", {"smoke": False, "test": False})
        await until_async(lambda: site.intake.reflexes.alarming == {"duct"}, deadline_s=20, what="the first one clear")
        assert site.sounding() == (True, True)
        site.duct.alarm(False)
        await until_async(lambda: site.sounding() == (False, False), deadline_s=20, what="silence")
        await until_async(lambda: site.has("local.action", "gw-test"), deadline_s=20, what="the journal")

        async def journaled() -> bool:
            done = [event.data for event in await site.events() if isinstance(event, LocalAction)]
            return {(data.action, data.target) for data in done if data.ok and data.because} >= {
                (action, target) for action in ("siren_on", "siren_off") for target in ("siren", "relay")
            }

        await until_async(journaled, deadline_s=20, what="every action with its cause")


async def test_a_test_and_a_duress_code_make_no_sound(tmp_path: Path):
    async with house(tmp_path) as site:
        site.bridge.publish_state("room/smoke", {"smoke": True, "test": True})
        site.bridge.publish_state("lock", {"action": "hijack"})
        site.reader.tamper(True)
        await until_async(lambda: site.has("lock.alarm", "lock"), deadline_s=20, what="the duress alarm")
        await until_async(lambda: site.has("smoke.state", "room"), deadline_s=20, what="the test")
        await until_async(lambda: site.has("lock.alarm", "reader"), deadline_s=20, what="the tampered reader")
        assert site.sounding() == (False, False)
        assert site.bridge.commands == []
        # It was asked how it is, and told neither to beep nor to light.
        assert {command["command"] for command in site.reader.commands} <= {osdp.Command.Status}
        assert not await site.has("local.action", "gw-test")


async def test_a_detector_that_was_silenced_by_hand_is_not_clear(tmp_path: Path):
    async with house(tmp_path) as site:
        site.bridge.publish_state("hall/smoke", {"smoke": True, "test_mode": "OFF"})
        await until_async(lambda: site.sounding() == (True, True), deadline_s=20, what="both sirens")
        site.bridge.publish_state("hall/smoke", {"smoke": False, "smoke_alarm_silenced": True, "test_mode": "OFF"})

        async def silenced() -> bool:
            return any(event.kind == "smoke.state" and event.data.silenced for event in await site.events())

        await until_async(silenced, deadline_s=20, what="the silenced state")
        assert site.intake.reflexes.alarming == {"hall"}
        assert site.sounding() == (True, True)
        site.bridge.publish_state("hall/smoke", {"smoke": False, "smoke_alarm_silenced": False, "test_mode": "OFF"})
        await until_async(lambda: site.sounding() == (False, False), deadline_s=20, what="silence when it is clear")
