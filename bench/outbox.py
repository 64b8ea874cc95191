"""Events per second through the agent's outbox against raw apsw in the same run; CPU and memory of an idle agent.

    .venv/bin/python bench/outbox.py [--rounds 5] [--events 20000]

The raw limit is `executemany` of the same bytes into the same table, WAL and synchronous=FULL, no numbering, no
checksum, no encoding. Rounds are interleaved, so that a busy machine slows both; medians and their ratio are shown.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import apsw
import psutil
from rich.console import Console
from rich.table import Table

from edge_agent.outbox import Outbox
from wire.clock import SystemClock
from wire.events import Credential, KnownEvent, LockAccess, LockAccessData
from wire.messages import encode_event

RESULTS = Path(__file__).parent / "results"
Measure = Callable[[Path, list[KnownEvent], list[bytes]], Awaitable[float]]


def events(count: int) -> list[KnownEvent]:
    """Door openings of about 300 bytes, as a building sends most."""
    at = datetime(2026, 11, 23, 6, 12, 44, tzinfo=UTC)
    credential = Credential(type="card", ref="hmac:" + "a1" * 32)
    data = LockAccessData(result="granted", credential=credential, direction="in")
    return [
        LockAccess(observed_at=at, device=f"lock-{number % 60}", unit=f"330702-0001-1-{number % 60}", data=data)
        for number in range(count)
    ]


def raw(batch: int) -> Measure:
    """`executemany`, `batch` rows a transaction."""

    async def measure(folder: Path, _: list[KnownEvent], bodies: list[bytes]) -> float:
        db = apsw.Connection(str(folder / "raw.db"))
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", "FULL")
        db.execute("CREATE TABLE urgent(seq INTEGER PRIMARY KEY, stored_ms INTEGER, body BLOB, crc INTEGER)")
        begun = time.perf_counter()
        for start in range(0, len(bodies), batch):
            rows = [(start + index + 1, 0, body, 0) for index, body in enumerate(bodies[start : start + batch])]
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO urgent VALUES(?,?,?,?)", rows)
            db.execute("COMMIT")
        took_s = time.perf_counter() - begun
        db.close()
        return len(bodies) / took_s

    return measure


def ours(batch: int, callers: int) -> Measure:
    """`accept` of `batch` events at a time by so many callers at once, each waiting for the disk."""

    async def measure(folder: Path, sent: list[KnownEvent], _: list[bytes]) -> float:
        outbox = await Outbox.open(folder / "outbox.db", gateway_id="gw-bench", max_bytes=1 << 30, clock=SystemClock())
        share = len(sent) // callers

        async def caller(number: int) -> None:
            mine = sent[number * share : (number + 1) * share]
            for start in range(0, len(mine), batch):
                await outbox.accept(mine[start : start + batch])

        begun = time.perf_counter()
        await asyncio.gather(*(caller(number) for number in range(callers)))
        took_s = time.perf_counter() - begun
        await outbox.close()
        return share * callers / took_s

    return measure


def idle_agent(seconds: float) -> dict[str, float]:
    """CPU share and memory of an agent that has no device and no broker, after it has settled."""
    with tempfile.TemporaryDirectory(prefix="bench-agent-") as name:
        folder = Path(name)
        config = folder / "agent.toml"
        config.write_text(
            f'[gateway]\nid = "gw-bench"\ndata_dir = "{folder}/data"\n[hub]\nurl = "mqtt://127.0.0.1:1"\n'
            '[log]\nlevel = "error"\n',
            encoding="utf-8",
        )
        program = [sys.executable, "-c", "from edge_agent.cli import main; main()", "run", str(config)]
        process = subprocess.Popen(program)
        try:
            time.sleep(4)
            seen = psutil.Process(process.pid)
            before = seen.cpu_times()
            time.sleep(seconds)
            after = seen.cpu_times()
            cpu_s = after.user + after.system - before.user - before.system
            return {"cpu_pct": 100 * cpu_s / seconds, "rss_mib": seen.memory_info().rss / 2**20}
        finally:
            process.terminate()
            process.wait(15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--idle-s", type=float, default=20.0)
    options = parser.parse_args()

    single = max(500, options.events // 10)
    # name -> (measure, events, the raw limit it is held against)
    cases: dict[str, tuple[Measure, int, str | None]] = {
        "raw executemany, 1 a commit": (raw(1), single, None),
        "raw executemany, 64 a commit": (raw(64), options.events, None),
        "raw executemany, 1000 a commit": (raw(1000), options.events, None),
        "accept, 1 event, 1 caller": (ours(1, 1), single, "raw executemany, 1 a commit"),
        "accept, 1 event, 64 callers": (ours(1, 64), options.events, "raw executemany, 64 a commit"),
        "accept, 64 events, 1 caller": (ours(64, 1), options.events, "raw executemany, 64 a commit"),
        "accept, 1000 events, 1 caller": (ours(1000, 1), options.events, "raw executemany, 1000 a commit"),
    }
    sent = events(options.events)
    bodies = [encode_event(event) for event in sent]
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(options.rounds):
        for name, (measure, count, _against) in cases.items():
            with tempfile.TemporaryDirectory(prefix="bench-outbox-", dir=os.environ.get("BENCH_DIR")) as folder:
                found[name].append(asyncio.run(measure(Path(folder), sent[:count], bodies[:count])))
    medians = {name: statistics.median(values) for name, values in found.items()}
    idle = idle_agent(options.idle_s)

    table = Table("what", "events/s (median)", "of raw", title=f"outbox, {options.rounds} rounds interleaved")
    rows = []
    for name, (_, _, against) in cases.items():
        ratio = medians[name] / medians[against] if against else None
        table.add_row(name, f"{medians[name]:,.0f}", "" if ratio is None else f"{ratio:.2f}")
        rows.append({"what": name, "median_per_s": medians[name], "of_raw": ratio, "rounds_per_s": found[name]})
    console = Console()
    console.print(table)
    console.print(f"idle agent: {idle['cpu_pct']:.2f} % of a core, {idle['rss_mib']:.0f} MiB")
    RESULTS.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "sqlite": apsw.sqlite_lib_version(), "cores": os.cpu_count()}
    report = {"bench": "outbox", "machine": machine, "event_bytes": len(bodies[0]), "rows": rows, "idle_agent": idle}
    (RESULTS / "outbox.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
