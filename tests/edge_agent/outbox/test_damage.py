"""Bit flips, cut files and junk: the agent starts, takes what is whole, and says what is not."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.outbox_rows import device_of, opened, store_options, stored, urgent

from edge_agent.outbox import Outbox
from edge_agent.outbox.raw import find_rows, wal_frames
from edge_agent.outbox.rows import LANES, PAGE_SIZE
from edge_agent.outbox.store import Addition, Store
from wire.events import Lane
from wire.messages import decode_event

ROWS_ON_A_PAGE = 20


def make_files(folder: Path, *, with_log: bool) -> tuple[dict[int, dict[int, bytes]], dict[int, list[bytes]]]:
    """An outbox with a past: acknowledged rows, long rows, a dead letter. Returns what waits and what ever did."""
    folder.mkdir()
    chance = random.Random(5)
    store = Store(folder / "outbox.db", store_options())
    for _ in range(60):
        store.commit(
            [
                Addition(chance.choice(LANES), 7, chance.randbytes(chance.choice((200, 250, 300, 6000))))
                for _ in range(10)
            ]
        )
    past = {lane: list(rows.values()) for lane, rows in stored(store).items()}
    for lane in LANES:
        store.commit([], {(lane, store.lanes[lane].epoch): 100})
    store.set_aside(Lane.URGENT, 150, "hub_rejected", "why")
    for _ in range(10):
        store.commit([Addition(Lane.URGENT, 8, chance.randbytes(250)) for _ in range(5)])
    found = stored(store)
    past[Lane.URGENT] += list(found[Lane.URGENT].values())[-50:]
    if with_log:
        store.abandon()
        assert (folder / "outbox.db-wal").stat().st_size > 10 * PAGE_SIZE
    else:
        store.close()
    return found, past


async def survivors(outbox: Outbox) -> dict[int, list[bytes]]:
    """Every body that can still be sent, tombstones left out."""
    found: dict[int, list[bytes]] = {}
    for lane in LANES:
        rows = await outbox.read(lane, 0, 100_000, 1 << 40)
        assert [row.seq for row in rows] == list(range(outbox.lane(lane).floor_seq + 1, outbox.lane(lane).last_seq + 1))
        found[lane] = [
            row.body
            for row in rows
            if not row.body.startswith(b'{"kind":"local.action"') and not row.body.startswith(b"tombstone")
        ]
    return found


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


async def damage_and_open(
    tmp_path: Path, file: str, harm: Callable[[Path, random.Random], None], times: int
) -> list[tuple[int, int]]:
    """(events lost, events counted as lost) for each time; every survivor is exactly what was stored, in order."""
    origin = tmp_path / "origin"
    waiting, past = make_files(origin, with_log=file.endswith("-wal"))
    chance = random.Random(11)
    results = []
    for turn in range(times):
        folder = tmp_path / f"turn-{turn}"
        shutil.copytree(origin, folder)
        harm(folder / file, chance)
        async with opened(folder) as outbox:
            found = await survivors(outbox)
            lost = 0
            for lane in LANES:
                # A log that lost its end is an earlier state: what was acknowledged since is sent again.
                order = {body: index for index, body in enumerate(past[lane])}
                assert all(body in order for body in found[lane]), "something that was never stored"
                places = [order[body] for body in found[lane]]
                assert places == sorted(set(places)), "out of order or twice"
                wanted = {body for body in waiting[lane].values() if not body.startswith(b"tombstone")}
                lost += len(wanted - set(found[lane]))
            results.append((lost, sum(state.damaged for state in outbox.status().lanes.values())))
            # It goes on: new events are taken and given.
            await outbox.accept([urgent("after")])
            rows = await outbox.read(Lane.URGENT, outbox.lane(Lane.URGENT).last_seq - 1, 1, 1 << 20)
            assert device_of(rows[0].body) == "door-after"
        shutil.rmtree(folder)
    return results


@pytest.mark.slow
async def test_a_flipped_bit_in_the_file_costs_one_page_at_most_and_is_counted(tmp_path: Path) -> None:
    results = await damage_and_open(tmp_path, "outbox.db", flip, 300)
    assert all(lost <= ROWS_ON_A_PAGE for lost, _ in results)
    assert all(counted >= lost for lost, counted in results)
    assert any(lost for lost, _ in results), "no flip ever hit anything"


@pytest.mark.slow
async def test_a_flipped_bit_in_the_log_costs_one_page_at_most(tmp_path: Path) -> None:
    results = await damage_and_open(tmp_path, "outbox.db-wal", flip, 300)
    assert all(lost <= ROWS_ON_A_PAGE for lost, _ in results)


@pytest.mark.slow
async def test_a_cut_file_costs_what_was_cut_and_the_rest_is_salvaged(tmp_path: Path) -> None:
    results = await damage_and_open(tmp_path, "outbox.db", cut, 100)
    assert sum(lost == 0 for lost, _ in results) < 100


@pytest.mark.slow
async def test_a_cut_log_never_stops_the_agent(tmp_path: Path) -> None:
    await damage_and_open(tmp_path, "outbox.db-wal", cut, 100)


async def test_a_damaged_row_becomes_a_tombstone_in_its_place_and_a_dead_letter(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        await outbox.accept([urgent(name) for name in ("aaaa", "bbbb", "cccc")])
    path = tmp_path / "outbox.db"
    path.write_bytes(path.read_bytes().replace(b"door-bbbb", b"door-bbxb"))
    async with opened(tmp_path) as outbox:
        epoch = outbox.lane(Lane.URGENT).epoch
        rows = await outbox.read(Lane.URGENT, 0, 10, 1 << 20)
        assert [decode_event(row.body).kind for row in rows] == ["door.state", "local.action", "door.state"]
        assert outbox.lane(Lane.URGENT).damaged == 1
        assert outbox.lane(Lane.URGENT).epoch == epoch, "one bad row is no reason for a new epoch"
        (letter,) = await outbox.dead_letters()
        assert (letter.seq, letter.reason) == (2, "the checksum of its row is wrong")
        assert b"door-bbxb" in letter.body


async def test_a_file_of_junk_is_put_aside_with_a_time_stamp_and_told(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(random.Random(1).randbytes(50_000))
    async with opened(tmp_path) as outbox:
        assert (await outbox.accept([urgent(1)]))[0].seq == 1
        moved = outbox.status().moved_aside
        assert moved is not None
        assert Path(moved).name.startswith("outbox.damaged-20261123T061244")
        assert Path(moved).stat().st_size == 50_000
        assert Path(moved).with_suffix(".txt").read_text(encoding="utf-8").strip()
    async with opened(tmp_path) as outbox:
        assert outbox.status().moved_aside is None, "the second start finds a good file"
        assert outbox.lane(Lane.URGENT).depth == 1


async def test_only_the_newest_damaged_files_are_kept(tmp_path: Path) -> None:
    for turn in range(5):
        (tmp_path / f"outbox.damaged-2026010{turn}T000000000.db").write_bytes(b"old")
    (tmp_path / "outbox.db").write_bytes(b"junk" * 5000)
    async with opened(tmp_path):
        pass
    kept = sorted(path.name for path in tmp_path.glob("outbox.damaged-*.db"))
    assert len(kept) == 3
    assert kept[-1].startswith("outbox.damaged-20261123")


async def test_damage_that_comes_up_while_running_is_salvaged_without_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        # More than SQLite keeps in memory, so that it reads the damaged pages again.
        await outbox.accept([urgent(number) for number in range(20_000)])
    path = tmp_path / "outbox.db"
    async with opened(tmp_path) as outbox:
        epoch = outbox.lane(Lane.URGENT).epoch
        content = bytearray(path.read_bytes())
        for page in range(30, 40):
            content[page * PAGE_SIZE : page * PAGE_SIZE + 100] = bytes(100)
        path.write_bytes(content)
        rows = await outbox.read(Lane.URGENT, 0, 100_000, 1 << 40)
        assert outbox.lane(Lane.URGENT).epoch != epoch
        assert 20_000 - 10 * 40 <= len(rows) < 20_000
        assert outbox.lane(Lane.URGENT).damaged == 20_000 - len(rows)
        assert outbox.status().salvaged == len(rows)


def test_reading_raw_pages_finds_exactly_what_sqlite_finds(tmp_path: Path) -> None:
    for with_log in (False, True):
        folder = tmp_path / f"log-{with_log}"
        expected, _ = make_files(folder, with_log=with_log)
        log = folder / "outbox.db-wal"
        found = find_rows((folder / "outbox.db").read_bytes(), log.read_bytes() if log.exists() else b"")
        assert {lane: {seq: row.body for seq, row in sorted(found.rows[lane].items())} for lane in LANES} == expected


@given(st.binary(max_size=3 * PAGE_SIZE), st.binary(max_size=200))
@settings(max_examples=200)
def test_reading_raw_pages_never_raises_on_junk(junk: bytes, log: bytes) -> None:
    leaf = b"\x0d" + junk
    for file in (junk, leaf.ljust(PAGE_SIZE * (len(leaf) // PAGE_SIZE + 1), b"\x81")):
        assert not any(find_rows(file, log).rows.values())
    wal_frames(log)
