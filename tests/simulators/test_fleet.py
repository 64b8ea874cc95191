"""The fleet over a real Mosquitto, with a small hub that this file plays."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.servers import Mosquitto, mosquitto
from support.wait import until_async

from simulators.errors import SimulatorError
from simulators.fleet import FleetPlan, FleetReport, gateway_ids, invent_event, report_lines, run_fleet
from simulators.mqtt_loop import MqttLoopClient, address_of, probe_version
from wire.clock import SystemClock
from wire.events import Lane, lane_of
from wire.messages import Ack, decode_batch, decode_event, encode, encode_event
from wire.topics import Leaf, every_gateway, parse_topic, topic

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("mosquitto")]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path / "broker") as running:
        yield running


class PlayedHub:
    """Stores batches and acknowledges them; forgets to, now and then, when told to.

    Never the same batch more than twice: each forgotten time doubles what its gateway waits, so a run of bad luck
    would outlast the fleet's patience and decide the test.
    """

    def __init__(self, url: str, *, forgets: float = 0.0, lies: bool = False) -> None:
        self.stored: dict[str, dict[int, bytes]] = {}
        self.epochs: dict[str, str] = {}
        self._dice = random.Random(7)
        self._forgets = forgets
        self._forgotten: Counter[tuple[str, int]] = Counter()
        self._lies = lies
        self.link = MqttLoopClient(url, "played-hub", on_message=self._on_message)

    async def start(self) -> None:
        await self.link.connect()
        await self.link.subscribe(every_gateway(Leaf.EVENT))

    def _on_message(self, name: str, payload: bytes) -> None:
        gateway = parse_topic(name).gateway
        batch = decode_batch(payload)
        assert batch.gateway == gateway
        assert self.epochs.setdefault(gateway, batch.epoch) == batch.epoch
        if self._dice.random() < self._forgets and self._forgotten[gateway, batch.first_seq] < 2:
            self._forgotten[gateway, batch.first_seq] += 1
            return
        events = self.stored.setdefault(gateway, {})
        for offset, raw in enumerate(batch.events):
            assert events.setdefault(batch.first_seq + offset, bytes(raw)) == bytes(raw)
        contiguous = next(seq for seq in range(1, len(events) + 2) if seq not in events) - 1
        answer = Ack(epoch=batch.epoch, seq=contiguous + (1000 if self._lies else 0))
        self.link.publish(topic(gateway, Leaf.ACK), encode(answer))


async def _run(broker: Mosquitto, hub: PlayedHub, plan: FleetPlan) -> FleetReport:
    await hub.start()
    try:
        return await run_fleet(plan, SystemClock())
    finally:
        hub.link.disconnect()


async def test_a_fleet_delivers_every_event_of_every_gateway(broker: Mosquitto) -> None:
    hub = PlayedHub(broker.url)
    report = await _run(broker, hub, FleetPlan(broker.url, gateways=40, rate=4000, events=2000))
    assert report.is_good, report_lines(report)
    assert report.sent == report.acknowledged == 2000
    assert sorted(hub.stored) == gateway_ids(FleetPlan(broker.url, gateways=40, rate=1))
    assert sum(len(events) for events in hub.stored.values()) == 2000
    assert len(report.waits_s) == 2000
    assert 0 < report.latency_s(0.5) <= report.latency_s(0.99) <= report.latency_s(1.0)


async def test_what_the_hub_does_not_acknowledge_is_sent_again_until_it_does(broker: Mosquitto) -> None:
    hub = PlayedHub(broker.url, forgets=0.4)
    plan = FleetPlan(broker.url, gateways=10, rate=4000, events=600, batch=20, retry_s=0.3)
    report = await _run(broker, hub, plan)
    assert report.is_good, report_lines(report)
    assert report.repeats > 0
    assert {gateway: sorted(events) for gateway, events in hub.stored.items()} == {
        gateway: list(range(1, 61)) for gateway in gateway_ids(plan)
    }


async def test_without_a_hub_every_event_is_reported_as_lost(broker: Mosquitto) -> None:
    plan = FleetPlan(broker.url, gateways=3, rate=1000, events=30, drain_s=0.3)
    report = await run_fleet(plan, SystemClock())
    assert not report.is_good
    assert report.lost == 30
    assert "lost          30" in report_lines(report)


async def test_an_acknowledgement_of_events_that_do_not_exist_is_reported(broker: Mosquitto) -> None:
    hub = PlayedHub(broker.url, lies=True)
    report = await _run(broker, hub, FleetPlan(broker.url, gateways=1, rate=100, events=1, drain_s=0.5))
    assert not report.is_good
    assert "acknowledged, but only 1 were sent" in report.faults[0]


async def test_a_broker_that_dies_and_comes_back_costs_nothing(broker: Mosquitto) -> None:
    hub = PlayedHub(broker.url)
    await hub.start()
    plan = FleetPlan(broker.url, gateways=8, rate=400, events=800, retry_s=0.5)
    running = asyncio.create_task(run_fleet(plan, SystemClock()))
    await until_async(lambda: len(hub.stored) == 8, what="every gateway's first batch")
    broker.kill()
    await asyncio.to_thread(broker.start)
    hub.link.drop()
    second = PlayedHub(broker.url)
    second.stored, second.epochs = hub.stored, hub.epochs
    await second.start()
    report = await running
    second.link.disconnect()
    assert report.is_good, report_lines(report)
    assert report.reconnects >= 8
    assert sum(len(events) for events in second.stored.values()) == 800


async def test_time_bounds_a_fleet_that_no_number_bounds(broker: Mosquitto) -> None:
    hub = PlayedHub(broker.url)
    report = await _run(broker, hub, FleetPlan(broker.url, gateways=2, rate=50, seconds=0.5))
    assert report.is_good, report_lines(report)
    assert 1 <= report.sent <= 30


async def test_a_fleet_without_any_bound_is_refused() -> None:
    with pytest.raises(SimulatorError, match="--events or --seconds"):
        await run_fleet(FleetPlan("mqtt://127.0.0.1:1", gateways=1, rate=1, seconds=None), SystemClock())


async def test_a_broker_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(SimulatorError, match="is the broker running"):
        await probe_version("mqtt://127.0.0.1:1")


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mqtt://", "mqtt://host:port"])
def test_an_address_that_is_none_says_how_to_write_one(url: str) -> None:
    with pytest.raises(SimulatorError, match="write mqtt://host:1883"):
        address_of(url)


def test_invented_events_are_of_the_contract_and_never_an_alarm() -> None:
    dice = random.Random(3)
    lanes = set()
    for _ in range(200):
        event = invent_event(dice, "gw-fleet-0001", SystemClock().now())
        assert decode_event(encode_event(event)).kind == event.kind
        assert getattr(event.data, "alarm", False) is False
        lanes.add(lane_of(event))
    assert lanes == {Lane.URGENT, Lane.ROUTINE}
