"""Reflexes come before the disk; what they did is journaled with its cause; a person's silence is respected."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.outbox_rows import AT, opened
from support.wait import until_async

from edge_agent.errors import CommandError, LinkError, OutboxError
from edge_agent.intake import Devices, Intake
from edge_agent.outbox import Outbox
from edge_agent.ports import Place
from edge_agent.reflexes import ReflexRules
from wire.clock import FakeClock
from wire.events import DriverHealth, KnownEvent, Lane, LocalAction, SmokeState, SmokeStateData
from wire.messages import decode_event


class Sirens:
    """A driver with two sirens that can be made to fail."""

    name = "sirens"
    device_ids = frozenset({"siren-1", "siren-2"})

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.faults: dict[str, list[Exception]] = {}

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        if self.faults.get(device_id):
            raise self.faults[device_id].pop(0)
        self.done.append((device_id, command))

    def health(self) -> DriverHealth:
        return DriverHealth(state="running")


def smoke(alarm: bool = True) -> SmokeState:
    return SmokeState(observed_at=AT, device="smoke-1", unit="u-1", data=SmokeStateData(alarm=alarm))


async def journal(outbox: Outbox) -> list[LocalAction]:
    rows = await outbox.read(Lane.URGENT, 0, 500, 1 << 20)
    events = [decode_event(row.body) for row in rows]
    return [event for event in events if isinstance(event, LocalAction)]


class House:
    def __init__(self, outbox: Outbox, clock: FakeClock) -> None:
        self.outbox = outbox
        self.clock = clock
        self.sirens = Sirens()
        self.devices = Devices()
        self.devices.add(self.sirens)
        self.intake = Intake(outbox, self.devices, ReflexRules(("siren-1", "siren-2")), clock, "gw-test")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = FakeClock(AT)
    async with opened(tmp_path, clock=clock) as outbox:
        found = House(outbox, clock)
        yield found
        await found.intake.close()


async def test_a_smoke_alarm_sounds_the_sirens_and_the_journal_names_its_cause(house: House) -> None:
    (place,) = await house.intake.accept([smoke()])
    await until_async(lambda: len(house.sirens.done) == 2, what="the sirens")
    assert sorted(house.sirens.done) == [("siren-1", "siren_on"), ("siren-2", "siren_on")]
    await until_async(lambda: house.outbox.lane(Lane.URGENT).depth == 3, what="the journal")
    for event in await journal(house.outbox):
        assert (event.data.action, event.data.rule, event.data.because) == ("siren_on", "smoke_siren", [place.seq])
        assert (event.data.ok, event.unit, event.device) == (True, "u-1", "gw-test")


async def test_the_sirens_do_not_wait_for_the_disk(house: House) -> None:
    class StuckDisk(Outbox):
        async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
            await asyncio.Event().wait()
            raise AssertionError

    house.intake._outbox = object.__new__(StuckDisk)
    pending = asyncio.create_task(house.intake.accept([smoke()]))
    await until_async(lambda: len(house.sirens.done) == 2, what="the sirens")
    assert not pending.done()
    pending.cancel()
    house.intake._outbox = house.outbox


async def test_the_sirens_sound_when_the_disk_refuses(house: House) -> None:
    await house.outbox.close()
    with pytest.raises(OutboxError):
        await house.intake.accept([smoke()])
    await until_async(lambda: len(house.sirens.done) == 2, what="the sirens")


async def test_a_siren_that_does_not_answer_is_tried_again_and_its_failure_journaled_once(house: House) -> None:
    house.sirens.faults["siren-1"] = [LinkError("siren-1: no answer")] * 3
    await house.intake.accept([smoke()])
    await until_async(lambda: house.outbox.lane(Lane.URGENT).depth == 3, what="a failure and a success")

    async def sounded() -> bool:
        await house.clock.advance(1)
        return ("siren-1", "siren_on") in house.sirens.done

    await until_async(sounded, what="the siren at last")
    await until_async(lambda: house.outbox.lane(Lane.URGENT).depth == 4, what="the success journaled")
    events = [event for event in await journal(house.outbox) if event.data.target == "siren-1"]
    assert [(event.data.ok, event.data.detail) for event in events] == [(False, "siren-1: no answer"), (True, "")]


async def test_a_siren_that_cannot_sound_is_journaled_and_not_tried_again(house: House) -> None:
    house.sirens.faults["siren-1"] = [CommandError("siren-1: its profile has no siren_on")]
    await house.intake.accept([smoke()])
    await until_async(lambda: house.outbox.lane(Lane.URGENT).depth == 3, what="the journal")
    await house.clock.advance(60)
    assert ("siren-1", "siren_on") not in house.sirens.done


async def test_retries_end_when_all_is_clear(house: House) -> None:
    house.sirens.faults["siren-1"] = [LinkError("siren-1: no answer")]
    await house.intake.accept([smoke()])
    await until_async(lambda: house.outbox.lane(Lane.URGENT).depth == 3, what="a failure and a success")
    await house.intake.accept([smoke(alarm=False)])
    await until_async(lambda: house.sirens.done.count(("siren-1", "siren_off")) == 1, what="the silence")
    await house.clock.advance(60)
    assert ("siren-1", "siren_on") not in house.sirens.done


async def test_a_person_silences_by_command_and_nothing_insists_any_more(house: House) -> None:
    await house.intake.accept([smoke()])
    await until_async(lambda: len(house.sirens.done) == 2, what="the sirens")
    insisting = asyncio.create_task(house.intake.insist())
    await until_async(lambda: len(house.sirens.done) == 4, what="the first insistence")
    await house.clock.advance(60)
    assert len(house.sirens.done) == 6
    await house.intake.actuate("siren-1", "siren_off", {})
    await house.clock.advance(600)
    assert house.sirens.done[6:] == [("siren-1", "siren_off")]
    insisting.cancel()


async def test_a_restart_in_the_middle_of_an_alarm_sounds_on_and_can_still_clear(tmp_path: Path) -> None:
    clock = FakeClock(AT)
    async with opened(tmp_path, clock=clock) as outbox:
        first = House(outbox, clock)
        await first.intake.accept([smoke()])
        await until_async(lambda: outbox.lane(Lane.URGENT).depth == 3, what="the journal")
        await first.intake.close()
    async with opened(tmp_path, clock=clock) as outbox:
        second = House(outbox, clock)
        await second.intake.recall()
        insisting = asyncio.create_task(second.intake.insist())
        await until_async(lambda: len(second.sirens.done) == 2, what="the sirens")
        await second.intake.accept([smoke(alarm=False)])
        await until_async(lambda: ("siren-1", "siren_off") in second.sirens.done, what="the silence")
        insisting.cancel()
        await second.intake.close()


async def test_a_command_for_a_stranger_is_refused(house: House) -> None:
    with pytest.raises(CommandError, match="no device 'ghost'"):
        await house.intake.actuate("ghost", "siren_on", {})
