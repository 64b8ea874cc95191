"""The outbox as the rest of the agent uses it."""

import asyncio
from datetime import datetime
from pathlib import Path

import apsw
import pytest
from support.outbox_rows import device_of, opened, routine, urgent
from support.wait import until_async

from edge_agent.errors import ConfigError, OutboxError
from edge_agent.outbox.queue import MAX_EVENT_BYTES
from edge_agent.outbox.store import MAX_DEAD_LETTERS
from wire.events import DoorState, DoorStateData, Lane, LocalAction
from wire.messages import decode_event


async def test_events_are_numbered_from_one_without_holes_in_each_lane(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        places = await outbox.accept([urgent(1), routine(1), urgent(2)])
        places += await outbox.accept([routine(2)])
        assert [place.seq for place in places] == [1, 1, 2, 2]
        assert places[0].epoch == places[2].epoch != places[1].epoch == places[3].epoch


async def test_reopening_continues_epochs_and_numbers_even_when_all_was_acknowledged(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        first = await outbox.accept([urgent(1), urgent(2)])
        outbox.acknowledge(Lane.URGENT, first[0].epoch, 2)
    async with opened(tmp_path) as outbox:
        assert outbox.lane(Lane.URGENT).depth == 0
        (place,) = await outbox.accept([urgent(3)])
        assert place == (first[0].epoch, 3)


async def test_many_callers_at_once_share_commits_and_keep_their_own_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:

        async def caller(name: int) -> list[int]:
            return [(await outbox.accept([urgent(f"{name}-{turn}")]))[0].seq for turn in range(20)]

        found = await asyncio.gather(*(caller(name) for name in range(10)))
        assert sorted(seq for seqs in found for seq in seqs) == list(range(1, 201))
        rows = await outbox.read(Lane.URGENT, 0, 500, 1 << 20)
        for name, seqs in enumerate(found):
            assert seqs == sorted(seqs)
            assert [device_of(rows[seq - 1].body) for seq in seqs] == [f"door-{name}-{turn}" for turn in range(20)]


async def test_an_event_is_on_disk_when_accept_returns(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        await outbox.accept([urgent(1)])
        other = apsw.Connection(str(tmp_path / "outbox.db"), flags=apsw.SQLITE_OPEN_READONLY)
        assert other.execute("SELECT count(*) FROM urgent").get == 1
        other.close()


async def test_reading_stops_at_the_limits_but_gives_at_least_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        await outbox.accept([urgent(number) for number in range(2000)])
        assert [row.seq for row in await outbox.read(Lane.URGENT, 10, 3, 1 << 20)] == [11, 12, 13]
        assert len(await outbox.read(Lane.URGENT, 0, 500, 1)) == 1
        assert len(await outbox.read(Lane.URGENT, 1990, 500, 1)) == 1  # from the newest, kept in memory
        assert len(await outbox.read(Lane.URGENT, 1990, 500, 1 << 20)) == 10
        assert await outbox.read(Lane.URGENT, 2000, 500, 1 << 20) == []


async def test_an_acknowledgement_hides_at_once_and_deletes_soon_after(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        places = await outbox.accept([urgent(number) for number in range(10)])
        outbox.acknowledge(Lane.URGENT, places[0].epoch, 4)
        assert outbox.lane(Lane.URGENT).depth == 6
        other = apsw.Connection(str(tmp_path / "outbox.db"), flags=apsw.SQLITE_OPEN_READONLY)
        await until_async(lambda: other.execute("SELECT min(seq) FROM urgent").get == 5, what="the deletion")
        other.close()
        assert [row.seq for row in await outbox.read(Lane.URGENT, 0, 500, 1 << 20)] == [5, 6, 7, 8, 9, 10]


async def test_an_acknowledgement_of_another_epoch_or_of_too_much_deletes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        (place,) = await outbox.accept([urgent(1)])
        outbox.acknowledge(Lane.URGENT, "01JD9ZK3W6K6Q2V7R7M3J0X9AB", 1)
        outbox.acknowledge(Lane.URGENT, place.epoch, 99)
    async with opened(tmp_path) as outbox:
        assert [row.seq for row in await outbox.read(Lane.URGENT, 0, 10, 1 << 20)] == [1]


async def test_a_dead_letter_leaves_a_tombstone_with_its_number(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        await outbox.accept([urgent(number) for number in range(3)])
        assert await outbox.set_aside(Lane.URGENT, 2, "unit too long")
        rows = await outbox.read(Lane.URGENT, 0, 10, 1 << 20)
        assert [row.seq for row in rows] == [1, 2, 3]
        stone = decode_event(rows[1].body)
        assert isinstance(stone, LocalAction)
        assert (stone.data.action, stone.data.because, stone.data.ok) == ("event_set_aside", [2], False)
        (letter,) = await outbox.dead_letters()
        assert (letter.seq, letter.reason, device_of(letter.body)) == (2, "unit too long", "door-1")
        assert outbox.status().dead_letters == 1


async def test_what_is_already_gone_cannot_be_set_aside(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        assert not await outbox.set_aside(Lane.URGENT, 7, "late")
        assert await outbox.dead_letters() == []


async def test_dead_letters_are_bounded_and_what_was_forgotten_is_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        await outbox.accept([urgent(number) for number in range(MAX_DEAD_LETTERS + 3)])
        for seq in range(1, MAX_DEAD_LETTERS + 4):
            await outbox.set_aside(Lane.URGENT, seq, "bad")
        status = outbox.status()
        assert (status.dead_letters, status.dead_letters_forgotten) == (MAX_DEAD_LETTERS, 3)
        assert (await outbox.dead_letters(1))[0].seq == MAX_DEAD_LETTERS + 3


async def test_renumbering_keeps_the_events_under_new_epochs(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        places = await outbox.accept([urgent(number) for number in range(5)] + [routine(0)])
        outbox.acknowledge(Lane.URGENT, places[0].epoch, 2)
        await outbox.accept([urgent(5)])
        await outbox.renumber(Lane.URGENT, places[0].epoch)
        lane = outbox.lane(Lane.URGENT)
        assert lane.epoch != places[0].epoch
        rows = await outbox.read(Lane.URGENT, 0, 10, 1 << 20)
        assert [(row.seq, device_of(row.body)) for row in rows] == [
            (1, "door-2"),
            (2, "door-3"),
            (3, "door-4"),
            (4, "door-5"),
        ]
        assert outbox.lane(Lane.ROUTINE).depth == 1
        again = lane.epoch
        await outbox.renumber(Lane.URGENT, places[0].epoch)  # a second word of the same hub changes nothing
        assert outbox.lane(Lane.URGENT).epoch == again


async def test_an_event_that_cannot_be_written_is_refused_and_costs_no_number(tmp_path: Path) -> None:
    naive = DoorState(observed_at=datetime(2026, 1, 1), device="door-x", data=DoorStateData(open=True))  # the point
    async with opened(tmp_path) as outbox:
        with pytest.raises(OutboxError, match="door-x"):
            await outbox.accept([naive])
        with pytest.raises(OutboxError, match="over"):
            await outbox.accept([routine(1, padding=MAX_EVENT_BYTES)])
        assert (await outbox.accept([urgent(1)]))[0].seq == 1


async def test_a_closed_outbox_refuses(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        pass
    with pytest.raises(OutboxError, match="closed"):
        await outbox.accept([urgent(1)])
    with pytest.raises(OutboxError, match="closed"):
        await outbox.read(Lane.URGENT, 0, 1, 1)


async def test_what_was_accepted_while_closing_is_stored(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        pending = asyncio.create_task(outbox.accept([urgent(1)]))
        await asyncio.sleep(0)
    assert (await pending)[0].seq == 1
    async with opened(tmp_path) as outbox:
        assert outbox.lane(Lane.URGENT).depth == 1


async def test_a_folder_that_is_not_there_is_an_error_or_patience(tmp_path: Path) -> None:
    nowhere = tmp_path / "later"
    with pytest.raises(OutboxError, match="later"):
        async with opened(nowhere):
            pass
    async with opened(nowhere, is_patient=True) as outbox:
        with pytest.raises(OutboxError):
            await outbox.accept([urgent(1)])
        assert outbox.status().disk == "failing"
        assert outbox.lane(Lane.URGENT).depth == 0


async def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    db = apsw.Connection(str(tmp_path / "outbox.db"))
    db.pragma("user_version", 99)
    db.close()
    before = (tmp_path / "outbox.db").read_bytes()
    with pytest.raises(ConfigError, match="newer release"):
        async with opened(tmp_path):
            pass
    assert (tmp_path / "outbox.db").read_bytes() == before


async def test_commands_are_remembered_across_a_restart(tmp_path: Path) -> None:
    far_ms = 4_000_000_000_000
    async with opened(tmp_path) as outbox:
        assert await outbox.begin_command("a", far_ms) == (True, None)
        assert await outbox.begin_command("b", far_ms) == (True, None)
        await outbox.finish_command("a", b"reply")
    async with opened(tmp_path) as outbox:
        assert await outbox.begin_command("a", far_ms) == (False, b"reply")
        assert await outbox.begin_command("b", far_ms) == (False, None)
        assert await outbox.kept("nothing") is None
        await outbox.keep("name", b"value")
        assert await outbox.kept("name") == b"value"


async def test_listeners_hear_of_every_change(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        heard: list[int] = []
        outbox.listen(lambda: heard.append(outbox.lane(Lane.URGENT).depth))
        await outbox.accept([urgent(1)])
        assert heard[-1] == 1
