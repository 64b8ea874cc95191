"""A camera whose line fails hundreds of times: how soon the worker says so, how soon it is back, and its memory.

    python bench/camera_faults.py [--faults 500] [--json OUT.json]

The real driver with its real worker process reads an RTSP server of another's making through a line that is cut,
stalled, refused, answered with noise, or led to a camera of another resolution.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import tempfile
import time
from pathlib import Path

from edge_agent.config import CameraSection
from edge_agent.drivers.camera import CameraDriver
from edge_agent.ports import DriverContext
from simulators.cameras.clips import write_clip
from simulators.cameras.faults import FaultyLine
from simulators.cameras.rtsp import RtspCamera
from simulators.cameras.scene import Corridor, draw_corridor
from wire.clock import SystemClock

KINDS = ("cut", "cut", "stall", "resolution", "noise", "no_stream", "refuse_password")
LIMIT_S = 10.0
SAMPLE_EVERY = 10


class Nowhere:
    async def accept(self, events):
        return []


def worker_of(me):
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == me and b"camera_worker" in (folder / "cmdline").read_bytes():
                return int(folder.name)
    return None


def resident_mib(process):
    return int(Path(f"/proc/{process}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def open_files(process):
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


async def until(condition, limit_s):
    """Seconds until it holds, None when it does not in time."""
    start = time.monotonic()
    while time.monotonic() - start < limit_s:
        if condition():
            return time.monotonic() - start
        await asyncio.sleep(0.05)
    return None


async def one(kind, line, cameras, driver):
    """Times to the report and, after the fault has gone, to the picture."""

    def is_up():
        return driver.health().state == "running"

    if kind == "resolution":
        old = line.camera_port
        line.camera_port = next(camera.port for camera in cameras if camera.port != old)
        line.cut()
    elif kind == "stall":
        line.fault = "stall"
    else:
        line.fault = kind
        line.cut()
    told = await until(lambda: not is_up(), LIMIT_S)
    if kind not in ("cut", "resolution", "stall"):
        # Long enough for the refusal itself to be met, not only the cut before it.
        words = {"noise": "", "no_stream": "404", "refuse_password": "password"}[kind]
        await until(lambda: words in driver.health().detail, LIMIT_S)
    line.fault = "none"
    back = await until(is_up, 30.0)
    return told, back


async def run(count, seed):
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        clips = []
        for number, (width, height) in enumerate(((640, 360), (352, 288))):
            corridor = Corridor((), 20.0, number, width=width, height=height, noise=1.0)
            # Both under one name, so that the same address leads to either.
            clips.append(write_clip(Path(scratch) / str(number) / "camera.mp4", draw_corridor(corridor), 10))
        async with RtspCamera(clips[0]) as first, RtspCamera(clips[1]) as other, FaultyLine(first.port) as line:
            return await drive(count, chance, line, (first, other))


async def drive(count, chance, line, cameras):
    url = f"rtsp://admin:secret@127.0.0.1:{line.port}/{cameras[0].clip.name}?play_count=0"
    section = CameraSection(id="cam", url=url, line=(320, 0, 320, 360), in_side="right")
    driver = CameraDriver(section, DriverContext(SystemClock(), Nowhere(), lambda: None))
    task = asyncio.create_task(driver.run())
    try:
        assert await until(lambda: driver.health().state == "running", 60) is not None, driver.health()
        await asyncio.sleep(5)
        worker = worker_of(os.getpid())
        rows, memory = [], [(0, resident_mib(worker), open_files(worker))]
        for index in range(1, count + 1):
            kind = chance.choice(KINDS)
            told, back = await one(kind, line, cameras, driver)
            rows.append((kind, told, back))
            if index % SAMPLE_EVERY == 0 or index == count:
                memory.append((index, resident_mib(worker), open_files(worker)))
                print(f"{index:4} {memory[-1][1]:7.1f} MiB {memory[-1][2]:3} files, last: {rows[-1]}", flush=True)
            assert worker_of(os.getpid()) == worker, "the worker was replaced"
        return rows, memory, driver.health().restarts
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def summary(rows, memory, restarts):
    kinds = {}
    for kind in sorted(set(KINDS)):
        told = sorted(row[1] if row[1] is not None else float("inf") for row in rows if row[0] == kind)
        back = sorted(row[2] if row[2] is not None else float("inf") for row in rows if row[0] == kind)
        if told:
            middle = len(told) // 2
            kinds[kind] = {
                "faults": len(told),
                "told_median_s": round(told[middle], 2),
                "told_worst_s": round(told[-1], 2),
                "back_median_s": round(back[middle], 2),
                "back_worst_s": round(back[-1], 2),
            }
    fifth = max(1, len(memory) // 5)
    first, last = (sum(row[1] for row in part) / len(part) for part in (memory[1 : 1 + fifth], memory[-fifth:]))
    return {
        "faults": len(rows),
        "kinds": kinds,
        "memory_mib": {"first_fifth": round(first, 1), "last_fifth": round(last, 1), "most": max(m[1] for m in memory)},
        "open_files": {"first": memory[0][2], "last": memory[-1][2]},
        "worker_restarts": restarts,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, dest="out")
    chosen = parser.parse_args()
    found = summary(*asyncio.run(run(chosen.faults, chosen.seed)))
    print(json.dumps(found, indent=1))
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
