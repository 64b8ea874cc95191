"""The agent's uplink against the real Mosquitto (MQTT 5 and 3.1.1), amqtt, and a hub that keeps the contract."""

import asyncio
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.amqtt_broker import amqtt_broker
from support.outbox_rows import device_of, routine, urgent
from support.servers import mosquitto
from support.tiny_hub import TinyHub, tiny_hub
from support.uplinks import GATEWAY, running_uplink
from support.wait import until_async

from wire.events import Lane
from wire.messages import Command

pytestmark = pytest.mark.integration


def devices_of(hub: TinyHub, epoch: str) -> list[str]:
    return [device_of(body) for body in hub.bodies(GATEWAY, epoch)]


@pytest.mark.parametrize("version", ["5", "3.1.1", "auto"])
async def test_events_are_published_acknowledged_and_only_then_deleted(tmp_path: Path, version: str) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url, is_v5=version != "3.1.1") as hub:
        hub.is_deaf = True
        async with running_uplink(tmp_path / "gw", broker.url, version=version) as gateway:
            places = await gateway.outbox.accept([urgent(number) for number in range(300)])
            await until_async(lambda: gateway.uplink.status().batches_sent, what="a first batch")
            # The broker has taken it (PUBACK), the hub has not: nothing may go.
            await asyncio.sleep(0.3)
            assert gateway.depth == 300
            hub.is_deaf = False
            await until_async(lambda: gateway.depth == 0, what="the delivery")
            assert devices_of(hub, places[0].epoch) == [f"door-{number}" for number in range(300)]
            assert "3.1.1" in gateway.uplink.status().detail or version != "3.1.1"


async def test_auto_falls_back_to_3_1_1_where_the_broker_knows_nothing_newer(tmp_path: Path) -> None:
    with amqtt_broker(tmp_path / "broker") as url, tiny_hub(url, is_v5=False) as hub:
        async with running_uplink(tmp_path / "gw", url) as gateway:
            (place,) = await gateway.outbox.accept([urgent(1)])
            await until_async(lambda: gateway.depth == 0, what="the delivery")
            assert devices_of(hub, place.epoch) == ["door-1"]
            assert gateway.uplink.status().detail.endswith("MQTT 3.1.1")
            hub.send_command(GATEWAY, command("ping"))
            await until_async(lambda: hub.replies, what="the reply")


async def test_single_events_go_at_once_and_a_backlog_in_batches(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            await gateway.outbox.accept([urgent("first")])
            await until_async(lambda: gateway.depth == 0, what="the first delivery")
            begun = time.monotonic()
            await gateway.outbox.accept([urgent("second")])
            await until_async(lambda: gateway.depth == 0, what="the second delivery")
            assert time.monotonic() - begun < 1.0
            hub.batches.clear()
            await gateway.outbox.accept([routine(number) for number in range(6400)])
            await until_async(lambda: gateway.depth == 0, what="the backlog")
            assert max(hub.batches) == 64
            assert len(hub.batches) < 120


async def test_a_killed_broker_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            epoch = ""
            for turn in range(4):
                places = await gateway.outbox.accept([urgent(f"{turn}-{number}") for number in range(500)])
                epoch = places[0].epoch
                await asyncio.sleep(0.05)
                await asyncio.to_thread(broker.kill)
                await gateway.outbox.accept([urgent(f"{turn}-dark")])
                await asyncio.to_thread(broker.start)
            await until_async(lambda: gateway.depth == 0, deadline_s=60, what="the delivery")
            expected = [f"door-{turn}-{n}" for turn in range(4) for n in [*range(500), "dark"]]
            assert devices_of(hub, epoch) == expected


async def test_a_poison_event_is_set_aside_and_the_good_ones_go_on(tmp_path: Path) -> None:
    for names in (True, False):
        folder = tmp_path / f"names-{names}"
        folder.mkdir()
        with mosquitto(folder / "broker") as broker, tiny_hub(broker.url) as hub:
            hub.names_poison = names
            hub.is_poison = lambda body: b"door-poison" in body
            async with running_uplink(folder / "gw", broker.url) as gateway:
                events = [urgent(number) for number in range(100)]
                events[40] = urgent("poison")
                events[41] = urgent("poison")
                (place, *_) = await gateway.outbox.accept(events)
                await until_async(lambda: gateway.depth == 0, what="the delivery")
                letters = await gateway.outbox.dead_letters()
                assert sorted(letter.seq for letter in letters) == [41, 42]
                assert {device_of(letter.body) for letter in letters} == {"door-poison"}
                arrived = devices_of(hub, place.epoch)
                assert [name for name in arrived if name.startswith("door")] == [
                    f"door-{number}" for number in range(100) if number not in (40, 41)
                ]


async def test_a_hub_that_refuses_the_gateway_costs_no_event(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        hub.refuses_all = True
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            (place, *_) = await gateway.outbox.accept([urgent(number) for number in range(20)])
            await until_async(
                lambda: "not known here" in gateway.uplink.status().lanes[Lane.URGENT], what="the refusal shown"
            )
            assert gateway.depth == 20
            assert await gateway.outbox.dead_letters() == []
            hub.refuses_all = False
            await until_async(lambda: gateway.depth == 0, what="the delivery")
            assert len(devices_of(hub, place.epoch)) == 20
            assert await gateway.outbox.dead_letters() == []


async def test_an_alarm_overtakes_a_backlog(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        async with running_uplink(tmp_path / "gw", "mqtt://127.0.0.1:1") as gateway:
            for _ in range(20):
                await gateway.outbox.accept([routine(number, padding=200) for number in range(1000)])
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            await until_async(lambda: hub.count() > 500, what="the backlog flowing")
            (place,) = await gateway.outbox.accept([urgent("alarm")])
            await until_async(lambda: devices_of(hub, place.epoch), what="the alarm")
            assert hub.count() < 20_000, "the backlog was through already: the test shows nothing"
            await until_async(lambda: gateway.depth == 0, deadline_s=60, what="the backlog")
            assert hub.count() == 20_001


async def test_the_status_is_online_then_offline_and_the_will_speaks_for_the_dead(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            await until_async(lambda: [status.state for status in hub.statuses] == ["online"], what="online")
            assert hub.statuses[0].agent_version == "0.0.test"
            assert hub.statuses[0].epoch == gateway.outbox.lane(Lane.URGENT).epoch
            await gateway.uplink.say_goodbye()
            await until_async(lambda: hub.statuses[-1].state == "offline", what="offline")
            assert hub.statuses[-1].since is not None
        async with running_uplink(tmp_path / "gw", broker.url):
            await until_async(lambda: hub.statuses[-1].state == "online", what="online again")
        # Cancelled without a goodbye: the socket just goes, and the broker says what we left with it.
        await until_async(lambda: hub.statuses[-1].state == "offline", what="the will")
        assert hub.statuses[-1].since is None


def command(kind: str, name: str = "c-1", expires_s: float = 30, **args: object) -> Command:
    return Command(
        id=name, kind=kind, args=args, expires_at=datetime.now(UTC) + timedelta(seconds=expires_s)
    )  # the hub's clock is real here


async def test_a_command_is_carried_out_once_and_answered(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            await until_async(lambda: hub.statuses, what="online")
            for _ in range(3):
                hub.send_command(GATEWAY, command("actuate", device="siren-1", command="siren_on"))
            hub.send_command(GATEWAY, command("actuate", "late", -5, device="lock-1", command="unlock"))
            await until_async(lambda: len(hub.replies) == 4, what="the replies")
            assert gateway.devices.done == [("siren-1", "siren_on", {})]
            late = next(reply for reply in hub.replies if reply.id == "late")
            assert not late.ok


async def test_a_command_sent_while_the_gateway_was_away_for_a_moment_arrives(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        async with running_uplink(tmp_path / "gw", broker.url):
            await until_async(lambda: hub.statuses, what="online")
        hub.send_command(GATEWAY, command("ping"))
        async with running_uplink(tmp_path / "gw", broker.url):
            await until_async(lambda: hub.replies, what="the reply")


async def test_an_unlock_that_waited_for_a_gateway_without_a_clock_is_refused(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        async with running_uplink(tmp_path / "gw", broker.url):
            await until_async(lambda: hub.statuses, what="online")
        hub.send_command(GATEWAY, command("actuate", device="lock-1", command="unlock"))
        async with running_uplink(tmp_path / "gw", broker.url, quality="unsynced") as gateway:
            await until_async(lambda: hub.replies, what="the reply")
            assert "clock is not set" in (hub.replies[0].error or "")
            assert gateway.devices.done == []


async def test_an_outbox_put_back_to_an_older_state_does_not_use_its_numbers_again(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            await gateway.outbox.accept([urgent(f"a-{number}") for number in range(10)])
            await until_async(lambda: gateway.depth == 0, what="the delivery")
        shutil.copytree(tmp_path / "gw", tmp_path / "backup")
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            await gateway.outbox.accept([urgent(f"b-{number}") for number in range(100)])
            await until_async(lambda: gateway.depth == 0, what="the delivery")
        shutil.rmtree(tmp_path / "gw")
        shutil.copytree(tmp_path / "backup", tmp_path / "gw")
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            await gateway.outbox.accept([urgent(f"c-{number}") for number in range(50)])
            await until_async(lambda: gateway.depth == 0, what="the delivery")
        names = {device_of(body) for body in hub.everything()}
        assert names == {f"door-{part}-{n}" for part, count in (("a", 10), ("b", 100), ("c", 50)) for n in range(count)}


async def test_acknowledgements_of_strangers_are_counted_and_do_nothing(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker, tiny_hub(broker.url) as hub:
        hub.is_deaf = True
        async with running_uplink(tmp_path / "gw", broker.url) as gateway:
            await gateway.outbox.accept([urgent(1)])
            await until_async(lambda: hub.statuses, what="online")
            assert hub._client is not None
            for payload in (b'{"v":1,"epoch":"another","seq":9}', b"not json"):
                hub._client.publish(f"anfang/v1/{GATEWAY}/ack", payload, qos=1)
            await until_async(lambda: gateway.uplink.status().strays == 2, what="the strays counted")
            assert gateway.depth == 1
