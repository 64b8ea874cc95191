"""Ingest on SQLite and on PostgreSQL: the same promises, also with several workers and a database that fails."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import text
from sqlmodel import select
from support.ingest import Recorder, event, intake, payload, span, stored
from support.servers import Mosquitto, mosquitto, postgres
from support.wait import until

from hub.ingest.commands import send_command
from hub.ingest.link import HubLink, LinkOptions
from hub.ingest.transaction import Intake
from hub.ingest.worker import MAX_MESSAGES, Worker, WorkerParts
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.metrics import Metrics
from hub.runtime.services import Services
from hub.store.continuity import continuity
from hub.store.database import Database
from hub.store.migrate import open_database
from hub.store.tables.ingest import CommandRow, Gateway
from wire.clock import SystemClock
from wire.messages import Ack, Command, Reply, Status, decode, encode
from wire.topics import Leaf, topic

pytestmark = pytest.mark.integration
_names = (f"gw-{n:05d}" for n in itertools.count(1))


@pytest.fixture(scope="module")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    opened = open_database(tmp_path_factory.mktemp("hub"), url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def gateway() -> str:
    return next(_names)


@pytest.mark.parametrize("count", [1, 199, 200, 500])
def test_small_and_large_batches_are_stored_alike(database: Database, gateway: str, count: int) -> None:
    folder = Recorder()
    intake(database, folder=folder).take([span(gateway, 1, count)])
    assert stored(database, gateway) == [("E", n, n) for n in range(1, count + 1)]
    with database.read() as session:
        query = text("SELECT id, seq, unit, kind, device, clock FROM event WHERE id >= :first ORDER BY id")
        rows = session.connection().execute(query, {"first": folder.folded[0].id}).all()
    assert [tuple(row) for row in rows] == [
        (item.id, item.seq, "u-1", "people.crossing", "door", "synced") for item in folder.folded
    ]


def test_workers_that_get_the_same_batches_at_once_store_each_event_once(database: Database) -> None:
    gateways = [next(_names) for _ in range(3)]
    spans = [(name, first, first + 9) for name in gateways for first in range(1, 191, 7)]
    seed = random.randrange(1 << 30)
    folders = [Recorder() for _ in range(4)]

    def work(number: int) -> None:
        # Each worker gets everything, in an order of its own, in groups of its own.
        order = random.Random(seed + number)
        mine = order.sample(spans, len(spans))
        taker = intake(database, folder=folders[number])
        while mine:
            size = order.randint(1, 9)
            group, mine = mine[:size], mine[size:]
            taker.take([span(*part) for part in group])

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(work, number) for number in range(4)]:
            future.result(60)
    for name in gateways:
        rows = stored(database, name)
        assert sorted(seq for _, seq, _ in rows) == list(range(1, 200)), f"seed {seed}"
        with database.read() as session:
            (epoch,) = continuity(session, name)
        assert (epoch.contiguous_seq, epoch.stored, epoch.ack_seq) == (199, 199, 199)
    folded = [(item.gateway_id, item.seq) for folder in folders for item in folder.folded]
    assert len(folded) == len(set(folded)) == 3 * 199, f"seed {seed}"


def test_a_reader_that_follows_the_ids_of_events_misses_none(database: Database) -> None:
    names = [next(_names) for _ in range(4)]
    before = _newest(database)
    stop = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        position = before
        while True:
            is_last = stop.is_set()
            with database.read() as session:
                query = text("SELECT id FROM event WHERE id > :position ORDER BY id")
                found = session.connection().execute(query, {"position": position}).scalars().all()
            seen.extend(found)
            position = found[-1] if found else position
            if is_last:
                return

    def work(name: str) -> None:
        taker = intake(database)
        for first in range(1, 400, 4):
            taker.take([span(name, first, first + 3)])

    with ThreadPoolExecutor(5) as pool:
        follower = pool.submit(follow)
        for future in [pool.submit(work, name) for name in names]:
            future.result(60)
        stop.set()
        follower.result(10)
    assert len(seen) == len(set(seen)) == 4 * 400


def _newest(database: Database) -> int:
    with database.read() as session:
        return int(session.connection().execute(text("SELECT coalesce(max(id), 0) FROM event")).scalar_one())


# -- with a broker ------------------------------------------------------------------------------------------------------


class Site:
    """A worker on a broker, and a client that plays gateways."""

    def __init__(self, database: Database, broker: Mosquitto, folder: Path, *, name: str | None = None) -> None:
        self.folder = Recorder()
        self.metrics = Metrics()
        clock, feed = SystemClock(), ChangeFeed()
        taker = Intake(database, clock, feed, self.folder, self.metrics, accept_unknown=True)
        parts = WorkerParts(database, clock, feed, self.metrics, accept_unknown=True)
        # A share of its own: the broker still deals to the sessions that earlier tests left behind.
        name = name or f"hub-{next(_names)}"
        self.worker = Worker(HubLink(LinkOptions(broker.url, name, share=name), clock), taker, parts)
        self.services = Services(database, clock, feed, folder, self.worker.wake)
        self.acks: list[tuple[str, Ack]] = []
        self.commands: list[Command] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.max_inflight_messages_set(500)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", broker.port)
        self.client.subscribe([("anfang/v1/+/ack", 1), ("anfang/v1/+/command", 1)])
        self.client.loop_start()
        self.worker.start()
        until(lambda: self.worker.is_up, what="the worker's session")

    def _on_message(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        name = message.topic.split("/")[2]
        if message.topic.endswith("/ack"):
            self.acks.append((name, decode(message.payload, Ack)))
            return
        command = decode(message.payload, Command)
        self.commands.append(command)
        reply = Reply(
            id=command.id, ok=command.kind == "ping", error=None if command.kind == "ping" else "no such door"
        )
        client.publish(topic(name, Leaf.REPLY), encode(reply), qos=1)

    def send(self, gateway: str, first: int, last: int) -> mqtt.MQTTMessageInfo:
        events = [event(n) for n in range(first, last + 1)]
        return self.client.publish(topic(gateway, Leaf.EVENT), payload(gateway, "E", first, events, floor_seq=0), qos=1)

    def acked(self, gateway: str) -> int:
        return max((ack.seq for name, ack in self.acks if name == gateway and ack.error is None), default=0)

    def close(self) -> None:
        self.worker.stop()
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def site(database: Database, broker: Mosquitto, tmp_path: Path) -> Iterator[Site]:
    running = Site(database, broker, tmp_path)
    yield running
    running.close()


def test_status_and_will_become_the_gateways_link(
    site: Site, database: Database, broker: Mosquitto, gateway: str
) -> None:
    box = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=gateway)
    box.will_set(topic(gateway, Leaf.STATUS), encode(Status(state="offline", agent_version="1.2")), qos=1, retain=True)
    box.connect("127.0.0.1", broker.port)
    box.loop_start()
    online = Status(state="online", since=SystemClock().now(), agent_version="1.2", epoch="E")
    box.publish(topic(gateway, Leaf.STATUS), encode(online), qos=1, retain=True)

    def link() -> tuple[str, str | None]:
        with database.read() as session:
            row = session.get(Gateway, gateway)
        return (row.link, row.agent_version) if row else ("", None)

    until(lambda: link() == ("online", "1.2"), what="the gateway being online")
    sock = box.socket()
    assert sock is not None
    box.reconnect_delay_set(60, 60)
    sock.close()  # without a goodbye: the broker speaks the will
    until(lambda: link() == ("offline", "1.2"), what="the gateway being offline")
    box.loop_stop()


def test_commands_are_sent_and_their_outcome_is_kept(site: Site, database: Database, gateway: str) -> None:
    site.send(gateway, 1, 1)
    until(lambda: site.acked(gateway) == 1, what="the gateway being known")
    good = send_command(site.services, gateway, "ping", {}, expires_s=30)
    bad = send_command(site.services, gateway, "actuate", {"device": "door", "command": "unlock"}, expires_s=30)

    def states() -> list[tuple[str, str | None]]:
        with database.read() as session:
            rows = {row.id: row for row in session.exec(select(CommandRow).where(CommandRow.gateway_id == gateway))}
        return [(rows[command].state, rows[command].error) for command in (good, bad)]

    until(lambda: states() == [("done", None), ("failed", "no such door")], what="the replies")
    assert [command.id for command in site.commands] == [good, bad]


def _hold_the_writer(database: Database) -> Callable[[], None]:
    """Keep ingest from committing; returns what lets it go."""
    if database.is_sqlite:
        blocked = database.writer.begin()
        blocked.__enter__()
        return lambda: blocked.__exit__(None, None, None)
    blocked = database.writer.begin()
    blocked.__enter__().execute(text("LOCK TABLE event IN ACCESS EXCLUSIVE MODE"))
    return lambda: blocked.__exit__(None, None, None)


def test_a_database_that_hangs_fills_no_memory_and_loses_nothing(site: Site, database: Database, gateway: str) -> None:
    release = _hold_the_writer(database)
    try:
        sent = [site.send(gateway, n, n) for n in range(1, 6001)]
        until(sent[-1].is_published, deadline_s=200, what="the broker having taken everything")
        assert site.metrics.registry.get_sample_value("anfang_ingest_queue_depth") <= MAX_MESSAGES
    finally:
        release()
    until(lambda: site.acked(gateway) == 6000, deadline_s=200, what="everything being stored")
    assert [seq for _, seq, _ in stored(database, gateway)] == list(range(1, 6001))


def test_a_database_that_throws_us_out_is_tried_again(site: Site, database: Database, gateway: str) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no server that could")
    for first in range(1, 400, 4):
        site.send(gateway, first, first + 3)
        if first % 100 == 1:
            with database.read() as session:
                others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                session.connection().execute(text(others))
        time.sleep(0.001)  # spread over a few transactions
    until(lambda: site.acked(gateway) == 400, what="everything being stored")
    assert [seq for _, seq, _ in stored(database, gateway)] == list(range(1, 401))


def test_a_backlog_that_the_broker_kept_is_taken_in_when_the_hub_comes_back(
    database: Database, tmp_path: Path, gateway: str
) -> None:
    with mosquitto(tmp_path / "broker") as broker:
        Site(database, broker, tmp_path, name="comes-back").close()
        sender = mqtt.Client(CallbackAPIVersion.VERSION2)
        sender.connect("127.0.0.1", broker.port)
        sender.loop_start()
        for first in range(1, 3000, 100):
            events = [event(n) for n in range(first, first + 100)]
            whole = payload(gateway, "E", first, events, floor_seq=0)
            sender.publish(topic(gateway, Leaf.EVENT), whole, qos=1).wait_for_publish(10)
        sender.disconnect()
        sender.loop_stop()
        site = Site(database, broker, tmp_path, name="comes-back")
        try:
            until(lambda: site.acked(gateway) == 3000, what="the backlog being stored")
            assert [seq for _, seq, _ in stored(database, gateway)] == list(range(1, 3001))
        finally:
            site.close()


def test_a_broker_that_dies_is_tried_again_and_what_was_sent_again_is_stored_once(
    database: Database, tmp_path: Path, gateway: str
) -> None:
    with mosquitto(tmp_path / "broker") as broker:
        site = Site(database, broker, tmp_path)
        try:
            site.send(gateway, 1, 3)
            until(lambda: site.acked(gateway) == 3, what="the first acknowledgement")
            broker.kill()
            until(lambda: not site.worker.is_up, what="the loss being noticed")
            broker.start()
            until(lambda: site.worker.is_up and site.client.is_connected(), what="everybody being back")
            site.client.subscribe([("anfang/v1/+/ack", 1)])
            site.send(gateway, 1, 5)
            until(lambda: site.acked(gateway) == 5, what="the second acknowledgement")
            assert [seq for _, seq, _ in stored(database, gateway)] == [1, 2, 3, 4, 5]
        finally:
            site.close()
