"""Pulling the plug: nothing that was accepted is lost, and the same harness fails when the disk is not waited for."""

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from support.outbox_rows import store_options, stored
from support.power_cut import Op, Recorder, disk_after_cut

from edge_agent.outbox.rows import LANES
from edge_agent.outbox.store import Addition, DamagedError, Store

BODIES = 900


def record(folder: Path, synchronous: str, rounds: int, seed: int) -> list[Op]:
    """Commits, acknowledgements, drops and dead letters on a recorded disk, each marked when it had returned."""
    chance = random.Random(seed)
    vfs = Recorder(f"recorder-{synchronous}-{seed}")
    store = Store(folder / "outbox.db", store_options(synchronous=synchronous, vfs=vfs.name))
    expected: dict[int, dict[int, bytes]] = {lane: {} for lane in LANES}
    floors: dict[int, int] = dict.fromkeys(LANES, 0)

    def mark() -> None:
        epochs = {lane: store.lanes[lane].epoch for lane in LANES}
        vfs.mark((epochs, dict(floors), {lane: dict(rows) for lane, rows in expected.items()}))

    mark()
    for _ in range(rounds):
        additions = [
            Addition(chance.choice(LANES), 1, chance.randbytes(chance.choice((20, 300, BODIES, 9000))))
            for _ in range(chance.randint(1, 6))
        ]
        acks = {}
        for lane in LANES:
            state = store.lanes[lane]
            if state.last_seq > state.floor_seq and chance.random() < 0.3:
                acks[lane, state.epoch] = chance.randint(state.floor_seq + 1, state.last_seq)
        for addition, place in zip(additions, store.commit(additions, acks), strict=True):
            expected[addition.lane][place.seq] = addition.body
        for (lane, _), seq in acks.items():
            floors[lane] = max(floors[lane], seq)
        mark()
        if chance.random() < 0.1:
            lane = chance.choice(LANES)
            floors[lane] += store.drop_oldest(lane, 2)
            mark()
        if chance.random() < 0.1 and (waiting := [seq for seq in expected[1] if seq > floors[1]]):
            seq = chance.choice(waiting)
            store.set_aside(1, seq, "hub_rejected", "why")
            expected[1][seq] = f"tombstone {seq} hub_rejected".encode()
            mark()
    store.abandon()
    vfs.unregister()
    return vfs.ops


def verdict(ops: list[Op], cut: int, folder: Path) -> str:
    """What the outbox makes of a disk: `ok`, or what was wrong."""
    promised = next(op.mark for op in reversed(ops[: cut + 1]) if op.kind == "mark")
    later = next((op.mark for op in ops[cut + 1 :] if op.kind == "mark"), promised)
    try:
        store = Store(folder / "outbox.db", store_options())
    except DamagedError:
        return "damaged"
    try:
        found = stored(store)
        epochs = {lane: store.lanes[lane].epoch for lane in LANES}
        floors = {lane: store.lanes[lane].floor_seq for lane in LANES}
    finally:
        store.abandon()
    if epochs != promised[0]:  # type: ignore[index]  # a mark is the tuple that `record` made
        return "another epoch"
    # A commit that was under way when the power went may be there or not: both are right, a mixture is not.
    for _, want_floors, rows in (promised, later):  # type: ignore[misc]
        want = {lane: {seq: body for seq, body in rows[lane].items() if seq > want_floors[lane]} for lane in LANES}
        if found == want and floors == want_floors:
            return "ok"
    return "lost or changed"


def cuts(tmp_path: Path, synchronous: str, count: int, seed: int) -> Counter[str]:
    folder = tmp_path / "recorded"
    folder.mkdir()
    ops = record(folder, synchronous, rounds=250, seed=seed)
    start = next(index for index, op in enumerate(ops) if op.kind == "mark")
    chance = random.Random(seed + 1)
    results: Counter[str] = Counter()
    disk = tmp_path / "disk"
    for _ in range(count):
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()
        cut = chance.randrange(start, len(ops))
        disk_after_cut(ops, cut, chance, disk)
        results[verdict(ops, cut, disk)] += 1
    return results


@pytest.mark.slow
def test_nothing_is_lost_when_the_plug_is_pulled(tmp_path: Path) -> None:
    assert cuts(tmp_path, "FULL", 1500, seed=1) == Counter(ok=1500)


def test_nothing_is_lost_when_the_plug_is_pulled_a_few_times(tmp_path: Path) -> None:
    assert cuts(tmp_path, "FULL", 150, seed=2) == Counter(ok=150)


def test_the_harness_notices_when_commits_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    results = cuts(tmp_path, "NORMAL", 150, seed=3)
    assert results["lost or changed"] > 10
