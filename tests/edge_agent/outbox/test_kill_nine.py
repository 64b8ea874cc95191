"""kill -9 at random moments: what `accept` returned is there, under its number, in one and the same epoch."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.outbox_rows import device_of, store_options, stored

from edge_agent.outbox.store import Store
from wire.events import Lane

WRITER = """
import asyncio, os, sys
from pathlib import Path
from support.outbox_rows import opened, urgent
from wire.clock import SystemClock
from wire.events import Lane

async def caller(outbox, name):
    turn = 0
    while True:
        turn += 1
        label = f"{os.getpid()}-{name}-{turn}"
        (place,) = await outbox.accept([urgent(label)])
        os.write(1, f"stored {place.epoch} {place.seq} door-{label}\\n".encode())
        if place.seq % 50 == 0 and place.seq > 500:
            outbox.acknowledge(Lane.URGENT, place.epoch, place.seq - 500)
            os.write(1, f"acked {place.epoch} {place.seq - 500} -\\n".encode())

async def main():
    async with opened(Path(sys.argv[1]), clock=SystemClock()) as outbox:
        os.write(1, b"ready - 0 -\\n")
        await asyncio.gather(*(caller(outbox, name) for name in range(8)))

asyncio.run(main())
"""


@pytest.mark.slow
def test_nothing_accepted_is_lost_over_thirty_kills(tmp_path: Path) -> None:
    chance = random.Random(9)
    tests = str(Path(__file__).resolve().parents[2])
    told: dict[int, str] = {}
    epochs: set[str] = set()
    acked = 0
    for _ in range(30):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, env={"PYTHONPATH": tests}, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline().startswith("ready"), "the writer did not start"
        time.sleep(chance.uniform(0.005, 0.15))
        child.send_signal(signal.SIGKILL)
        for line in child.stdout.read().splitlines():
            what, epoch, number, device = line.split()
            epochs.add(epoch)
            if what == "stored":
                assert told.setdefault(int(number), device) == device, "a number was given twice"
            else:
                acked = max(acked, int(number))
        child.stdout.close()
        child.wait()
        store = Store(tmp_path / "outbox.db", store_options())
        try:
            rows = stored(store)[Lane.URGENT]
            state = store.lanes[Lane.URGENT]
            assert epochs <= {state.epoch}
            assert list(rows) == list(range(state.floor_seq + 1, state.last_seq + 1))
            assert state.floor_seq <= acked
            missing = {seq for seq in told if seq > state.floor_seq and device_of(rows.get(seq, b"{}")) != told[seq]}
            assert not missing
        finally:
            store.abandon()
    assert len(told) > 1000, "the writers hardly wrote anything"
