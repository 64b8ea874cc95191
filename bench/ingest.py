"""Events per second that the hub commits, against the raw limits of the same machine in the same run.

    .venv/bin/python bench/ingest.py [--rounds 3] [--events 64000] [--live 20000] [--database sqlite]

Raw limits: the broker alone between a C publisher and a C subscriber (`mosquitto_pub`, `mosquitto_sub`, QoS 1, one
event a message), and the database alone: `executemany` in thousands (SQLite, WAL, synchronous=FULL) or COPY into a
temporary table and an upsert in thousands (PostgreSQL, synchronous_commit on), into the hub's own table with its keys
and its index, and, to show what those cost, into one with the unique key alone.

The hub is `anfang-hub serve` as installed, rules and API included, on a real Mosquitto, with a registry of its
gateways, flats, tenants and cards; it begins when every flat was judged once. *Drain*: batches of 64 events
wait in the broker while the hub is away; from its first commit to its last. *Live*: `mosquitto_pub` sends one event a
message; from its start to the hub's last commit. *Ingest alone* is the same worker without rules and API.
Rounds are interleaved, so that a busy machine slows all; medians and their ratios are shown.
"""

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString, NamedTuple

import psutil
import psycopg
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the tests' servers serve here too

from support.hub import RunningHub, hub_command
from support.servers import Mosquitto, mosquitto, postgres

from hub.ingest.link import HubLink, LinkOptions
from hub.ingest.transaction import Intake
from hub.ingest.worker import Worker, WorkerParts
from hub.runtime.change_notifier import ChangeFeed
from hub.runtime.metrics import Metrics
from hub.store.database import Database, database_url
from wire.clock import SystemClock
from wire.messages import encode_batch

SENT = datetime(2026, 11, 23, 6, 12, 45, tzinfo=UTC)
RESULTS = Path(__file__).parent / "results"
GATEWAYS = 50
FLATS = 30
PER_BATCH = 64
COLUMNS = "id, stream_id, seq, observed_at, sent_at, received_at, clock, kind, device, unit, body"
KEY_ONLY = """CREATE TABLE bare (id BIGINT, stream_id BIGINT NOT NULL, seq BIGINT NOT NULL, observed_at BIGINT,
 sent_at BIGINT, received_at BIGINT, clock TEXT, kind TEXT, device TEXT, unit TEXT, body TEXT,
 UNIQUE (stream_id, seq))"""


class NoRules:
    """Folds nothing: ingest alone."""

    def fold(self, *_: Any) -> list[Any]:
        return []

    def tick(self, *_: Any) -> list[Any]:
        return []


def event(number: int) -> bytes:
    """A door opening of about 250 bytes, as a building sends most; thirty flats a gateway."""
    flat = number // GATEWAYS % FLATS
    gateway = number % GATEWAYS
    return (
        b'{"observed_at":"2026-11-23T06:12:44.900Z","device":"lock-%d","unit":"330702-%04d-1-%d","kind":"lock.access",'
        b'"data":{"result":"granted","credential":{"type":"card","ref":"hmac:%064x"},"direction":"in"}}'
        % (flat, gateway, flat, gateway * FLATS + flat)
    )


def registry() -> str:
    """The houses that the events come from, as a registry file: each flat let to one person who has its card."""
    lines = ["registry: 1", "buildings:"]
    lines += [
        f"  - {{code: 330702-{gateway:04d}, name: 楼 {gateway}, jurisdiction: '330702', land_type: state,"
        f" gateways: [gw-{gateway:04d}]}}"
        for gateway in range(GATEWAYS)
    ]
    lines += ["people:", *(f"  - {{code: p{number}, name: 张三}}" for number in range(GATEWAYS * FLATS)), "units:"]
    for number in range(GATEWAYS * FLATS):
        gateway, flat = divmod(number, FLATS)
        code = f"330702-{gateway:04d}-1-{flat}"
        lines += [
            f"  - code: {code}",
            f"    building: 330702-{gateway:04d}",
            f"    leases: [{{code: {code}-1, start: 2026-01-01, end: 2028-01-01, tenant: p{number},"
            f" contract_filed_on: 2026-01-05, occupants: [{{person: p{number}, role: tenant,"
            f" registered_on: 2026-01-02}}]}}]",
            f"    credentials: [{{ref: 'hmac:{number:064x}', person: p{number}, lease: {code}-1}}]",
            f"    devices: [{{gateway: gw-{gateway:04d}, device: lock-{flat}, kind: lock}}]",
        ]
    return "\n".join(lines) + "\n"


def batches(total: int, size: int) -> list[tuple[str, bytes]]:
    """(gateway, payload) of `total` events in batches of `size`, gateways in turn."""
    found = []
    for number in range(total // size):
        gateway, first = number % GATEWAYS, number // GATEWAYS * size + 1
        payload = encode_batch(
            gateway=f"gw-{gateway:04d}",
            epoch="E",
            first_seq=first,
            floor_seq=0,
            sent_at=SENT,
            clock="synced",
            events=[event(gateway + (first + index) * GATEWAYS) for index in range(size)],
        )
        found.append((f"gw-{gateway:04d}", payload))
    return found


def rows(total: int) -> list[tuple[Any, ...]]:
    """The same events as rows of the hub's table."""
    made = []
    for number in range(total):
        gateway, seq = number // PER_BATCH % GATEWAYS, number // PER_BATCH // GATEWAYS * PER_BATCH + number % PER_BATCH
        body = event(gateway + seq * GATEWAYS).decode()
        at = 1_795_000_000_000 + number
        flat = seq % FLATS
        made.append((number + 1, gateway, seq, at, at, at, "synced", "lock.access", f"lock-{flat}",
                     f"330702-{gateway:04d}-1-{flat}", body))  # fmt: skip
    return made


# -- raw limits ------------------------------------------------------------------------------------------------------


def broker_alone(broker: Mosquitto, lines: Path, count: int) -> float:
    """Messages per second from `mosquitto_pub` to `mosquitto_sub`."""
    topic = f"raw/{time.monotonic_ns()}"
    command = ["mosquitto_sub", "-p", str(broker.port), "-t", topic, "-q", "1", "-C", str(count + 1)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as listener:
        probe = ["mosquitto_pub", "-p", str(broker.port), "-t", topic, "-q", "1", "-m", "x"]
        time.sleep(0.3)  # mosquitto_sub cannot say that it is subscribed when its output is thrown away
        subprocess.run(probe, check=True)
        begun = time.perf_counter()
        publish(broker, topic, lines)
        listener.wait(120)
    return count / (time.perf_counter() - begun)


def publish(broker: Mosquitto, topic: str, lines: Path) -> None:
    """One QoS 1 message a line."""
    with lines.open("rb") as source:
        subprocess.run(
            ["mosquitto_pub", "-p", str(broker.port), "-t", topic, "-q", "1", "-l"], stdin=source, check=True
        )


def sqlite_alone(folder: Path, made: list[tuple[Any, ...]], table: str) -> float:
    """`executemany` in thousands. `event` is the hub's own table, `bare` has the key alone."""
    assert hub_command("migrate", "--data-dir", str(folder)).returncode == 0
    connection = sqlite3.connect(folder / "hub.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-16384")
    connection.execute(KEY_ONLY)
    marks = ", ".join("?" * 11)
    begun = time.perf_counter()
    for start in range(0, len(made), 1000):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            f"INSERT INTO {table} ({COLUMNS}) VALUES ({marks}) ON CONFLICT DO NOTHING", made[start : start + 1000]
        )
        connection.execute("COMMIT")
    took = time.perf_counter() - begun
    assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == len(made)
    connection.close()
    return len(made) / took


def postgres_alone(url: str, made: list[tuple[Any, ...]], table: str) -> float:
    """COPY into a temporary table and an upsert, in thousands."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute(KEY_ONLY)
        cursor.execute(f"CREATE TEMP TABLE stage (LIKE {table}) ON COMMIT DELETE ROWS")
        connection.commit()
        begun = time.perf_counter()
        for start in range(0, len(made), 1000):
            with cursor.copy(f"COPY stage ({COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["int8"] * 6 + ["text"] * 5)
                for row in made[start : start + 1000]:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO {table} ({COLUMNS}) SELECT {COLUMNS} FROM stage ON CONFLICT DO NOTHING")
            connection.commit()
        took = time.perf_counter() - begun
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (len(made),)
    return len(made) / took


# -- the hub ---------------------------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """When the first commit was seen, the hub's CPU seconds and its events then; when all events were there."""

    begun: float
    cpu_s: float
    events: int
    ended: float


@dataclass
class Store:
    """Where one measurement's hub keeps its events, seen from outside."""

    folder: Path
    url: str | None

    def count(self) -> int:
        return self.scalar("SELECT coalesce(max(id), 0) FROM event")

    def scalar(self, query: LiteralString) -> int:
        if self.url is None:
            connection = sqlite3.connect(f"file:{self.folder / 'hub.db'}?mode=ro", uri=True)
            try:
                return int(connection.execute(query).fetchone()[0])
            finally:
                connection.close()
        with psycopg.connect(self.url) as connection:
            found = connection.execute(query).fetchone()
            return int(found[0]) if found else 0

    def until_judged(self, deadline_s: float = 600.0) -> None:
        """Wait until the rules have looked at every unit of the registry."""
        end = time.perf_counter() + deadline_s
        while self.scalar("SELECT count(*) FROM unit_due") or not self.scalar("SELECT count(*) FROM rule_progress"):
            if time.perf_counter() > end:
                raise RuntimeError(f"the rules have not looked at every unit after {deadline_s} s")
            time.sleep(0.1)

    def until(self, wanted: int, deadline_s: float = 180.0) -> "Seen":
        """Wait until so many events are there."""
        end = time.perf_counter() + deadline_s
        first: Seen | None = None
        while True:
            seen, now = self.count(), time.perf_counter()
            if seen and first is None:
                first = Seen(now, _cpu_of_children(), seen, now)
            if seen >= wanted and first is not None:
                return first._replace(ended=now)
            if now > end:
                raise RuntimeError(f"only {seen} of {wanted} events after {deadline_s} s")
            time.sleep(0.005)


@contextmanager
def served(store: Store, broker: Mosquitto) -> Iterator[Callable[[], None]]:
    """The installed hub; gives a function that stops it."""
    arguments = () if store.url is None else ("--database", store.url)
    hub = RunningHub(store.folder, broker.url, arguments)
    hub.start()
    try:
        yield lambda: None if hub.stop() == 0 else print(hub.log)
    finally:
        hub.kill()


@contextmanager
def alone(store: Store, broker: Mosquitto) -> Iterator[Callable[[], None]]:
    """This file as a process of its own that runs one ingest worker without rules."""
    command = [sys.executable, __file__, "--worker", str(store.folder), broker.url, store.url or ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"

        def stop() -> None:
            process.terminate()
            process.wait(20)

        try:
            yield stop
        finally:
            stop()


def run_worker(folder: Path, mqtt: str, url: str | None) -> None:
    """The process of `alone`."""
    import gc
    import signal

    from hub.config import LogSection
    from hub.runtime.logs import set_up_logs

    set_up_logs(LogSection(level="error"))
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)  # as `serve` does
    clock, feed, metrics = SystemClock(), ChangeFeed(), Metrics()
    database = Database(database_url(folder, url))
    taker = Intake(database, clock, feed, NoRules(), metrics, accept_unknown=True)
    parts = WorkerParts(database, clock, feed, metrics, accept_unknown=True)
    worker = Worker(HubLink(LinkOptions(mqtt, "bench-worker"), clock), taker, parts)
    leave = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: leave.set())
    worker.start()
    while not worker.is_up:
        time.sleep(0.01)
    print("up", flush=True)
    leave.wait()
    worker.stop()
    database.close()


Hub = Callable[[Store, Mosquitto], Any]


def drain(hub: Hub, store: Store, broker: Mosquitto, backlog: list[tuple[str, bytes]]) -> tuple[float, float]:
    """(events per second, microseconds of the hub's CPU an event) of a backlog that waited in the broker."""
    with hub(store, broker) as stop:
        if hub is served:
            store.until_judged()
        stop()  # it has made its session, and now the broker keeps what comes
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sources: dict[str, list[bytes]] = defaultdict(list)
        for gateway, payload in backlog:
            sources[gateway].append(payload)
        for gateway, payloads in sources.items():
            lines = Path(folder) / gateway
            lines.write_bytes(b"\n".join(payloads) + b"\n")
            publish(broker, f"anfang/v1/{gateway}/event", lines)
        total = len(backlog) * PER_BATCH
        stack.enter_context(hub(store, broker))
        first = store.until(total)
        cpu_s = _cpu_of_children() - first.cpu_s
    left = total - first.events
    return left / (first.ended - first.begun) if left else float("nan"), cpu_s / max(1, left) * 1e6


def live(hub: Hub, store: Store, broker: Mosquitto, lines: dict[str, Path], total: int) -> tuple[float, float]:
    """(events per second, CPU an event): one event a message, as fast as the broker takes them."""
    with hub(store, broker):
        if hub is served:
            store.until_judged()
        before = _cpu_of_children()
        begun = time.perf_counter()
        senders = [
            threading.Thread(target=publish, args=(broker, f"anfang/v1/{gateway}/event", path))
            for gateway, path in lines.items()
        ]
        for sender in senders:
            sender.start()
        ended = store.until(total).ended
        cpu = _cpu_of_children() - before
        for sender in senders:
            sender.join()
    return total / (ended - begun), cpu / total * 1e6


def _cpu_of_children() -> float:
    """CPU seconds of the hub's process among ours."""
    used = 0.0
    for child in psutil.Process().children():
        if (child.status() != psutil.STATUS_ZOMBIE and "python" in child.name()) or "anfang" in child.name():
            times = child.cpu_times()
            used += times.user + times.system
    return used


# -- the run ---------------------------------------------------------------------------------------------------------


def measure(arguments: argparse.Namespace, console: Console) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    backlog = batches(arguments.events, PER_BATCH)
    made = rows(arguments.events)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-ingest-")))
        cluster = stack.enter_context(postgres(folder / "pg")) if "postgres" in arguments.database else None
        singles = batches(arguments.live, 1)
        two = {name: folder / name for name in ("gw-0000", "gw-0001")}
        lines = _live_lines(two, arguments.live)
        (folder / "raw").write_bytes(b"\n".join(payload for _, payload in singles) + b"\n")

        (folder / "registry.yaml").write_text(registry(), encoding="utf-8")

        def prepare(place: Path, *database: str, with_rules: bool) -> None:
            where = ("--data-dir", str(place), *database)
            assert hub_command("migrate", *where).returncode == 0
            if not with_rules:
                return
            loaded = hub_command("registry", "load", str(folder / "registry.yaml"), *where)
            assert loaded.returncode == 0, loaded.stderr

        def fresh(kind: str, *, with_rules: bool = False) -> Store:
            place = Path(tempfile.mkdtemp(dir=folder))
            if kind == "sqlite":
                prepare(place, with_rules=with_rules)
                return Store(place, None)
            assert cluster is not None
            name = f"b{time.monotonic_ns()}"
            with psycopg.connect(cluster, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # our own name
            url = cluster.rsplit("/", 1)[0] + f"/{name}"
            prepare(place, "--database", url, with_rules=with_rules)
            return Store(place, url)

        @contextmanager
        def new_broker() -> Iterator[Mosquitto]:
            # One for each measurement: a share deals to sessions that earlier hubs left behind.
            settings = "max_queued_messages 0\nset_tcp_nodelay true"
            with mosquitto(Path(tempfile.mkdtemp(dir=folder)), settings) as broker:
                yield broker

        for number in range(arguments.rounds):
            console.print(f"round {number + 1} of {arguments.rounds}")
            with new_broker() as broker:
                found["broker alone"].append(broker_alone(broker, folder / "raw", arguments.live))
            for kind in arguments.database:
                store = fresh(kind)
                for table, label in (("event", "the hub's table"), ("bare", "key alone")):
                    if store.url is None:
                        found[f"{kind}: raw, {label}"].append(
                            sqlite_alone(Path(tempfile.mkdtemp(dir=folder)), made, table)
                        )
                    else:
                        found[f"{kind}: raw, {label}"].append(postgres_alone(store.url, made, table))
                for name, hub in (("ingest alone", alone), ("serve", served)):
                    with new_broker() as broker:
                        speed, cpu = drain(hub, fresh(kind, with_rules=hub is served), broker, backlog)
                    found[f"{kind}: drain, {name}"].append(speed)
                    found[f"{kind}: drain, {name}, µs CPU"].append(cpu)
                    with new_broker() as broker:
                        store = fresh(kind, with_rules=hub is served)
                        speed, cpu = live(hub, store, broker, lines, arguments.live)
                    found[f"{kind}: live, {name}"].append(speed)
                    found[f"{kind}: live, {name}, µs CPU"].append(cpu)
    return found


def _live_lines(files: dict[str, Path], total: int) -> dict[str, Path]:
    """One file of single-event batches for each of a few gateways, each sent by a publisher of its own."""
    share = total // len(files)
    for index, (gateway, path) in enumerate(files.items()):
        with path.open("wb") as out:
            for seq in range(1, share + 1):
                payload = encode_batch(
                    gateway=gateway, epoch="E", first_seq=seq, floor_seq=0, sent_at=SENT,
                    clock="synced", events=[event(index + seq * GATEWAYS)],
                )  # fmt: skip
                out.write(payload + b"\n")
    return files


def report(found: dict[str, list[float]], arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    medians = {name: statistics.median(values) for name, values in found.items()}
    table = Table(title="events per second, medians", title_justify="left")
    for heading in ("", "median", "lowest", "highest", "ratio to raw", "goal", "µs CPU an event"):
        table.add_column(heading, justify="left" if not heading else "right")
    ratios: dict[str, float] = {}
    for name, values in found.items():
        if name.endswith("CPU"):
            continue
        kind, _, what = name.partition(": ")
        raw, goal = "", ""
        if what.startswith("drain"):
            raw, goal = f"{kind}: raw, the hub's table", {"sqlite": "0.50", "postgres": "0.60"}[kind]
        elif what.startswith("live"):
            raw, goal = "broker alone", "0.9"
        if raw:
            ratios[name] = medians[name] / medians[raw]
        cpu = medians.get(f"{name}, µs CPU")
        table.add_row(
            name, f"{medians[name]:,.0f}", f"{min(values):,.0f}", f"{max(values):,.0f}",
            f"{ratios[name]:.2f}" if raw else "", goal, f"{cpu:.0f}" if cpu else "",
        )  # fmt: skip
    console.print(table)
    return {
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "sqlite": sqlite3.sqlite_version},
        "rounds": arguments.rounds,
        "events": arguments.events,
        "live_events": arguments.live,
        "medians": {name: round(value, 1) for name, value in medians.items()},
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
        "all": {name: [round(value, 1) for value in values] for name, values in found.items()},
    }


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        run_worker(Path(sys.argv[2]), sys.argv[3], sys.argv[4] or None)
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=64_000, help="of a drain and of the raw databases")
    parser.add_argument("--live", type=int, default=20_000, help="single-event messages")
    parser.add_argument("--json", type=Path, default=RESULTS / "ingest.json")
    parser.add_argument("--database", action="append", choices=["sqlite", "postgres"])
    arguments = parser.parse_args()
    arguments.database = arguments.database or ["sqlite", "postgres"]
    console = Console()
    result = report(measure(arguments, console), arguments, console)
    arguments.json.parent.mkdir(exist_ok=True)
    arguments.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
