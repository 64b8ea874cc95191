"""Poll cycles and latencies of full buses at 9,600 baud, against the time that the bits alone take.

    .venv/bin/python bench/buses.py [--seconds 30] [--json bench/results/buses.json]

One bus with 16 OSDP readers (libosdp's peripheral device), one with 32 Modbus sensors (pymodbus's server), each on a
pseudo-terminal whose bytes take as long as on a real line. The devices run in a process of their own, so that the CPU
that is shown is the agent's. Latency is from the moment at which a device has something to say (a card is presented, a
register changes) to the return of the outbox: fsync included. With `--dead N` the last N devices of each bus are
silent.
"""

import argparse
import asyncio
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from edge_agent.config import AgentConfig
from edge_agent.drivers import build_drivers
from edge_agent.outbox import Outbox
from edge_agent.ports import DriverContext, Place
from wire.clock import SystemClock
from wire.events import KnownEvent

BAUD = 9600
OSDP_BYTES = 9 + 8
"""POLL with its mark, and ACK."""
MODBUS_BYTES = 8 + 6
"""A read of one span of bits or registers, and its answer; two silences of 3.5 characters come on top."""


@dataclass
class Sink:
    """The real outbox, and when each device's events were on disk."""

    outbox: Outbox
    done: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
        places = await self.outbox.accept(events)
        now_s = time.monotonic()
        for event in events:
            if event.kind in ("lock.access", "smoke.state"):
                self.done[event.device].append(now_s)
        return places


def devices_process(kind: str, path: Path, count: int, dead: int) -> None:
    """The far side: makes the devices, then does what the lines on stdin say."""
    from firmware_profiles.loader import find_profile, load_profile
    from simulators.devices.modbus_sensor import DEFAULT_PROFILE, ModbusHost, ModbusSmoke
    from simulators.devices.osdp_reader import OsdpReader
    from simulators.devices.serial_line import SerialLine

    line = SerialLine(path, baud=BAUD)
    live = range(1, count - dead + 1)
    if kind == "osdp":
        readers = {address: OsdpReader(line, address) for address in live}
    else:
        host = ModbusHost(line, live, load_profile(find_profile(DEFAULT_PROFILE)))
        sensors = {address: ModbusSmoke(line, address, host=host) for address in live}
    print("ready", flush=True)
    state: dict[int, bool] = defaultdict(bool)
    for text in sys.stdin:
        address = int(text)
        said_s = time.monotonic()
        if kind == "osdp":
            readers[address].present_card(f"25,{address}")
        else:
            state[address] = not state[address]
            sensors[address].alarm(state[address])
        print(f"{address} {said_s}", flush=True)


def config_for(folder: Path, kind: str, path: Path, count: int) -> AgentConfig:
    profile = "generic/osdp-reader" if kind == "osdp" else "calectro/ug-3-o-mb-r"
    bus = {"name": kind, "kind": kind, "port": str(path), "baud": BAUD}
    devices = [{"id": f"{kind}-{n}", "profile": profile, "bus": kind, "address": n} for n in range(1, count + 1)]
    return AgentConfig.model_validate(
        {
            "gateway": {"id": "gw-bench", "data_dir": folder},
            "hub": {"url": "mqtt://127.0.0.1:1"},
            "bus": [bus],
            "device": devices,
        }
    )


def measure(kind: str, count: int, dead: int, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "by-id" / kind
        far = subprocess.Popen(
            [sys.executable, __file__, "--devices", kind, str(path), str(count), str(dead)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert far.stdin is not None
        assert far.stdout is not None
        try:
            far.stdout.readline()
            return asyncio.run(run(kind, count, dead, seconds, folder, path, far))
        finally:
            far.stdin.close()
            far.kill()
            far.wait()
            far.stdout.close()


async def run(
    kind: str, count: int, dead: int, seconds: float, folder: Path, path: Path, far: "subprocess.Popen[str]"
) -> dict[str, float]:
    clock = SystemClock()
    outbox = await Outbox.open(folder / "o.db", gateway_id="gw-bench", max_bytes=1 << 26, clock=clock)
    sink = Sink(outbox)
    asked: list[tuple[float, int]] = []

    def tap(direction: str, data: bytes) -> None:
        if direction == ">" and data:
            start = data.find(0x53) if kind == "osdp" else 0
            asked.append((time.monotonic(), data[start + 1] if kind == "osdp" else data[0]))

    [driver] = build_drivers(
        config_for(folder, kind, path, count), lambda _: DriverContext(clock, sink, lambda: None), tap
    )
    task = asyncio.create_task(driver.run())
    live = count - dead
    await asyncio.sleep(8 if not dead else 20)
    asked.clear()
    start_s, cpu_s = time.monotonic(), time.process_time()
    said: dict[str, list[float]] = defaultdict(list)
    turn = 0
    loop = asyncio.get_running_loop()
    while time.monotonic() - start_s < seconds:
        address = turn % live + 1
        turn += 1
        far.stdin.write(f"{address}\n")  # type: ignore[union-attr]
        far.stdin.flush()  # type: ignore[union-attr]
        line = await loop.run_in_executor(None, far.stdout.readline)  # type: ignore[union-attr]
        said[f"{kind}-{address}"].append(float(line.split()[1]))
        await asyncio.sleep(0.37)
    cpu_pct = 100 * (time.process_time() - cpu_s) / (time.monotonic() - start_s)
    await asyncio.sleep(3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await outbox.close()
    by_address: dict[int, list[float]] = defaultdict(list)
    for when, address in asked:
        by_address[address].append(when)
    cycles = [b - a for n in range(1, live + 1) for a, b in zip(by_address[n], by_address[n][1:], strict=False)]
    waits: list[float] = []
    lost = 0
    for device, times in said.items():
        done = [t for t in sink.done[device] if t >= times[0]]
        lost += len(times) - min(len(times), len(done))
        waits += [b - a for a, b in zip(times, done, strict=False)]
    bits = 10 * (OSDP_BYTES if kind == "osdp" else MODBUS_BYTES + 7) / BAUD
    return {
        "devices": count, "dead": dead, "events": len(waits), "lost": lost,
        "bus_time_cycle_s": round(live * bits, 4),
        "cycle_median_s": round(statistics.median(cycles), 4), "cycle_p99_s": round(quantile(cycles, 0.99), 4),
        "latency_median_s": round(statistics.median(waits), 4), "latency_p99_s": round(quantile(waits, 0.99), 4),
        "cpu_pct": round(cpu_pct, 2), "cpu_pct_per_device": round(cpu_pct / count, 3),
    }  # fmt: skip


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--dead", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--devices", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.devices:
        kind, path, count, dead = options.devices
        devices_process(kind, Path(path), int(count), int(dead))
        return
    results = {
        kind: measure(kind, count, options.dead, options.seconds) for kind, count in (("osdp", 16), ("modbus", 32))
    }
    table = Table("figure", *results, title=f"{BAUD} baud, {platform.machine()}")
    for key in results["osdp"]:
        table.add_row(key, *(str(result[key]) for result in results.values()))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
