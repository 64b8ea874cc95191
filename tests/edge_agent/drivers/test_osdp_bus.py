"""The OSDP driver against libosdp's peripheral device, over a pseudo-terminal."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.drivers import ORGANISATION_KEY, MemorySink, agent_config, running
from support.wait import until_async

from simulators.devices.osdp_reader import OsdpReader
from simulators.devices.serial_line import SerialLine
from wire.ids import credential_ref

pytestmark = pytest.mark.integration

KEY = bytes(range(16))


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    made = SerialLine(tmp_path / "by-id" / "rs485")
    yield made
    made.close()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "reader.key"
    path.write_text(KEY.hex())
    path.chmod(0o600)
    return path


def config_for(folder: Path, line: SerialLine, *readers: dict[str, object]) -> object:
    devices = [
        {"profile": "generic/osdp-reader", "bus": "doors", "unit": f"unit-{reader['address']}", **reader}
        for reader in readers
    ]
    return agent_config(folder, bus=[{"name": "doors", "kind": "osdp", "port": str(line.path)}], device=devices)


async def test_a_card_becomes_an_access_event_with_the_reference_that_the_registry_knows(tmp_path, line, key_file):
    reader = OsdpReader(line, 101, key=KEY)
    sink = MemorySink()
    config = config_for(tmp_path, line, {"id": "lock-302", "address": 101, "key_file": key_file})
    try:
        async with running(config, sink) as drivers:
            await until_async(lambda: reader.is_online, what="the secure channel")
            reader.present_card("25,63159")
            await until_async(lambda: sink.of("lock-302", "lock.access"), what="the access event")
            await until_async(lambda: drivers[0].health().state == "running", what="all well")
    finally:
        reader.close()
    said = sink.of("lock-302", "device.health")
    assert [item.profile.partition("@")[0] for item in said if item.profile] == ["generic/osdp-reader"]
    assert [item.firmware for item in said if item.firmware] == ["1.2.3"]
    [access] = sink.of("lock-302", "lock.access")
    assert access.result == "granted"
    assert access.credential.type == "card"
    assert access.credential.ref == credential_ref(ORGANISATION_KEY, "card", "1701559")
    assert [event.unit for event in sink.events if event.kind == "lock.access"] == ["unit-101"]


async def test_keypad_tamper_and_power_are_reported(tmp_path, line):
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, {"id": "door", "address": 5}), sink) as drivers:
            await until_async(lambda: reader.is_online, what="the reader online")
            reader.press_keys("12345#")
            reader.tamper(True)
            await until_async(lambda: sink.of("door", "lock.alarm") and sink.of("door", "lock.access"), what="events")
            assert "without secure channel" in drivers[0].health().detail
    finally:
        reader.close()
    [access] = sink.of("door", "lock.access")
    assert access.credential.type == "pin"
    assert access.credential.ref == credential_ref(ORGANISATION_KEY, "pin", "12345")
    assert "12345" not in str(sink.events)
    assert [alarm.alarm for alarm in sink.of("door", "lock.alarm")] == ["tamper"]


async def test_a_misread_card_opens_nothing_and_is_no_access(tmp_path, line):
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, {"id": "door", "address": 5}), sink):
            await until_async(lambda: reader.is_online, what="the reader online")
            reader.present_bits(bytes.fromhex("8cb2c100"), 26)
            reader.present_card("25,63159")
            await until_async(lambda: sink.of("door", "lock.access"), what="the good card")
    finally:
        reader.close()
    assert len(sink.of("door", "lock.access")) == 1


async def test_identify_reaches_the_reader_as_light_and_sound(tmp_path, line):
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, {"id": "door", "address": 5}), sink) as drivers:
            await until_async(lambda: sink.of("door", "device.health"), what="online")
            await drivers[0].actuate("door", "identify", {})
    finally:
        reader.close()
    assert [command["command"] for command in reader.commands if command["command"] in (2, 3)] != []


async def test_a_reader_with_another_key_is_a_security_fault_and_not_just_gone(tmp_path, line, key_file):
    reader = OsdpReader(line, 9, key=bytes(reversed(KEY)))
    sink = MemorySink()
    config = config_for(tmp_path, line, {"id": "door", "address": 9, "key_file": key_file})
    try:
        async with running(config, sink) as drivers:
            await until_async(lambda: sink.of("door", "lock.alarm"), what="the alarm")
            assert "wrong key" in drivers[0].health().detail
            assert drivers[0].health().state == "degraded"
            reader.close()
            reader = OsdpReader(line, 9, key=KEY)
            await until_async(lambda: drivers[0].health().state == "running", what="the right key")
    finally:
        reader.close()


async def test_a_reader_that_was_cut_off_comes_back_within_seconds(tmp_path, line, key_file):
    reader = OsdpReader(line, 9, key=KEY)
    sink = MemorySink()
    config = config_for(tmp_path, line, {"id": "door", "address": 9, "key_file": key_file})
    try:
        async with running(config, sink) as drivers:
            await until_async(lambda: reader.is_online, what="online")
            await until_async(lambda: sink.of("door", "device.health"), what="online")
            reader.power_off()
            await until_async(lambda: sink.of("door", "device.health")[-1].online is False, what="offline")
            reader.power_on()
            await until_async(lambda: drivers[0].health().state == "running", what="online again")
    finally:
        reader.close()


async def test_unplugging_the_adapter_loses_no_accepted_event_and_it_recovers_by_itself(tmp_path, line):
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, {"id": "door", "address": 5}), sink) as drivers:
            await until_async(lambda: reader.is_online, what="online")
            reader.present_card("25,1")
            await until_async(lambda: sink.of("door", "lock.access"), what="the first card")
            line.unplug()
            await until_async(lambda: drivers[0].health().state == "backing_off", what="the port gone")
            await until_async(lambda: sink.of("door", "device.health")[-1].online is False, what="offline")
            line.plug_in()
            await until_async(lambda: drivers[0].health().state == "running", what="the port back")
            reader.present_card("25,2")
            await until_async(lambda: len(sink.of("door", "lock.access")) == 2, what="the second card")
    finally:
        reader.close()


async def test_a_port_that_is_not_there_is_waited_for(tmp_path, line):
    line.unplug()
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, {"id": "door", "address": 5}), sink) as drivers:
            await until_async(lambda: "is not there" in drivers[0].health().detail, what="the reason")
            line.plug_in()
            await until_async(lambda: drivers[0].health().state == "running", what="the port")
    finally:
        reader.close()


async def test_two_readers_with_keys_of_their_own_stay_online_side_by_side(tmp_path, line):
    keys = {}
    for address in (1, 2):
        path = tmp_path / f"{address}.key"
        path.write_text(bytes([address] * 16).hex())
        path.chmod(0o600)
        keys[address] = path
    readers = [OsdpReader(line, address, key=bytes([address] * 16)) for address in keys]
    sink = MemorySink()
    config = config_for(
        tmp_path, line, *({"id": f"door-{at}", "address": at, "key_file": path} for at, path in keys.items())
    )
    try:
        async with running(config, sink) as drivers:
            await until_async(lambda: drivers[0].health().state == "running", what="both online")
            for number in range(1, 11):
                for at, reader in zip(keys, readers, strict=True):
                    reader.present_card(f"{at},{number}")
                await until_async(
                    lambda number=number: all(len(sink.of(f"door-{at}", "lock.access")) == number for at in keys),
                    what=f"card {number} of both",
                )
    finally:
        for reader in readers:
            reader.close()
    for at in keys:
        assert [event.online for event in sink.of(f"door-{at}", "device.health") if event.online is not None] == [True]


async def test_a_reader_that_refuses_to_tell_its_inputs_is_asked_twice_and_then_left_in_peace(tmp_path, line):
    reader = OsdpReader(line, 3, inputs=2)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, {"id": "door", "address": 3}), sink) as drivers:
            await until_async(
                lambda: [event.online for event in sink.of("door", "device.health")].count(True) == 3,
                deadline_s=30,
                what="online for the third time",
            )
            for number in range(1, 11):
                reader.present_card(f"25,{number}")
                await until_async(
                    lambda number=number: len(sink.of("door", "lock.access")) == number, what=f"card {number}"
                )
            assert drivers[0].health().state == "running"
    finally:
        reader.close()
    assert [event.online for event in sink.of("door", "device.health")].count(True) == 3


async def test_noise_on_the_line_is_survived_and_shown(tmp_path, line):
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    source = random.Random(485)
    try:
        async with running(config_for(tmp_path, line, {"id": "door", "address": 5}), sink) as drivers:
            await until_async(lambda: drivers[0].health().state == "running", what="the reader online")
            for _ in range(40):
                line.noise(b"\x53" + source.randbytes(source.randint(1, 20)))
                await asyncio.sleep(0.02)
            await until_async(lambda: drivers[0].health().state == "running", what="the reader online")
            reader.present_card("25,63159")
            await until_async(lambda: sink.of("door", "lock.access"), what="the card")
            assert "stray bytes" in drivers[0].health().detail
    finally:
        reader.close()
    assert [access.credential.ref for access in sink.of("door", "lock.access")] == [
        credential_ref(ORGANISATION_KEY, "card", "1701559")
    ]


async def test_a_reader_that_asks_opens_for_the_list_and_for_nobody_else(tmp_path, line):
    access_file = tmp_path / "access"
    access_file.write_text(credential_ref(ORGANISATION_KEY, "card", "1701559") + "\n")
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    device = {"id": "door", "address": 5, "profile": "hid/signo-20", "access_file": access_file}
    try:
        async with running(config_for(tmp_path, line, device), sink) as drivers:
            await until_async(lambda: drivers[0].health().state == "running", what="the reader online")
            reader.present_card("25,63159")
            await until_async(lambda: sink.of("door", "lock.access"), what="the first card")
            await until_async(lambda: any(c.get("output_no") == 0 for c in reader.commands), what="the door's relay")
            relays = len([c for c in reader.commands if "output_no" in c])
            reader.present_card("25,1")
            await until_async(lambda: len(sink.of("door", "lock.access")) == 2, what="the second card")
            await until_async(lambda: any("rep_count" in c for c in reader.commands), what="the sounder")
            assert len([c for c in reader.commands if "output_no" in c]) == relays
    finally:
        reader.close()
    assert [access.result for access in sink.of("door", "lock.access")] == ["granted", "denied"]


async def test_vendor_data_is_asked_for_and_read_by_a_profile_that_was_written_for_it(tmp_path, line):
    from edge_agent.profile_starts import start_of

    profile = tmp_path / "acme.yaml"
    profile.write_text(start_of("osdp", "Acme", "R1").replace("vendor_poll_s: 10", "vendor_poll_s: 0.5"))
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    device = {"id": "door", "address": 5, "profile": str(profile)}
    try:
        async with running(config_for(tmp_path, line, device), sink) as drivers:
            await until_async(lambda: drivers[0].health().state == "running", what="the reader online")
            await until_async(lambda: any("vendor_code" in c for c in reader.commands), what="the vendor's command")
            reader.vendor_reply(0x00B514, bytes.fromhex("0157"))
            await until_async(
                lambda: [d.battery_pct for d in sink.of("door", "device.health")][-1:] == [87.0], what="the battery"
            )
    finally:
        reader.close()
    asked = next(command for command in reader.commands if "vendor_code" in command)
    assert (asked["vendor_code"], asked["data"]) == (0x14B500, b"\x01")


async def test_two_readers_with_one_address_are_noticed_and_the_bus_is_well_when_one_is_gone(tmp_path, line):
    first, second = OsdpReader(line, 5), OsdpReader(line, 5, serial_number=2)
    other = OsdpReader(line, 6)
    sink = MemorySink()
    devices = ({"id": "door", "address": 5}, {"id": "gate", "address": 6})
    try:
        async with running(config_for(tmp_path, line, *devices), sink) as drivers:
            await until_async(
                lambda: "two readers with one address" in drivers[0].health().detail,
                deadline_s=30,
                what="the clash said",
            )
            # The neighbour is not disturbed for good.
            await until_async(lambda: other.is_online, deadline_s=20, what="the neighbour online")
            other.present_card("25,9")
            await until_async(lambda: sink.of("gate", "lock.access"), deadline_s=20, what="the neighbour's card")
            second.close()
            await until_async(lambda: drivers[0].health().state == "running", deadline_s=40, what="all well")
            first.present_card("25,1")
            await until_async(
                lambda: sink.of("door", "lock.access"), deadline_s=20, what="a card of the one that stayed"
            )
    finally:
        for reader in (first, second, other):
            reader.close()


async def test_a_siren_is_told_though_a_reader_is_dead_and_that_one_still_comes_back(tmp_path, line):
    profile = tmp_path / "siren.yaml"
    profile.write_text(
        "profile: 1\nvendor: A\nmodel: B\nfamily: siren\nsource: test\ntransport: {kind: osdp}\n"
        "fields: {tamper: {item: tamper}}\nevents: [{kind: device.health, from: {tamper: tamper}}]\n"
        "commands: {siren_on: {osdp: [{output: 0}]}}\n"
        "examples: [{name: a, input: {items: {tamper: true}}, fields: {tamper: true}},"
        ' {name: b, input: {frames: ["00"]}, fails: frame}]\n'
    )
    siren, dead = OsdpReader(line, 5), OsdpReader(line, 9)
    dead.power_off()
    sink = MemorySink()
    config = config_for(
        tmp_path, line, {"id": "siren", "address": 5, "profile": str(profile)}, {"id": "door", "address": 9}
    )
    try:
        async with running(config, sink) as [driver]:
            await until_async(lambda: any(said.online for said in sink.of("siren", "device.health")), what="the siren")
            await until_async(lambda: "door (address 9)" in driver.health().detail, what="the dead reader")
            for _ in range(8):
                await driver.actuate("siren", "siren_on", {})
            dead.power_on()
            await until_async(lambda: driver.health().state == "running", what="the reader back")
    finally:
        siren.close()
        dead.close()


async def test_what_a_reader_runs_goes_with_its_coming_online_whoever_tells_of_it_first(tmp_path, line):
    reader = OsdpReader(line, 5)
    sink = MemorySink()
    try:
        async with running(config_for(tmp_path, line, {"id": "door", "address": 5}), sink) as [driver]:
            for _ in range(3):
                told = len(sink.of("door", "device.health"))
                await until_async(lambda: driver.health().state == "running", what="the reader online")
                reader.power_off()
                await until_async(
                    lambda told=told: any(said.online is False for said in sink.of("door", "device.health")[told:]),
                    what="it gone",
                )
                reader.power_on()
                reader.tamper(True)
                reader.tamper(False)
            await until_async(lambda: driver.health().state == "running", what="the reader online at last")
    finally:
        reader.close()
    said = sink.of("door", "device.health")
    assert {item.firmware for item in said if item.online} == {"1.2.3"}
    assert [item for item in said if item.firmware and not item.online] == []
