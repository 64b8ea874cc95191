"""Commands of the hub: in time or not at all, and each at most once."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.outbox_rows import AT, opened

from edge_agent.errors import CommandError, LinkError, OutboxError
from edge_agent.uplink.commands import Commander
from wire.clock import FakeClock
from wire.messages import Command, Reply, decode, encode


class Devices:
    """Does what it is told, and remembers."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.done: list[tuple[str, str, dict[str, Any]]] = []
        self.fault = fault
        self.gate = asyncio.Event()
        self.gate.set()

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.done.append((device_id, command, dict(arguments)))


def actuate(name: str = "c-1", expires_s: float = 10, **args: Any) -> bytes:
    wanted = args or {"device": "siren-1", "command": "siren_on", "args": {"loud": True}}
    return encode(Command(id=name, kind="actuate", args=wanted, expires_at=AT + timedelta(seconds=expires_s)))


def reply(payload: bytes | None) -> Reply:
    assert payload is not None
    return decode(payload, Reply)


async def test_a_command_reaches_the_device_and_is_answered(tmp_path: Path) -> None:
    devices = Devices()
    async with opened(tmp_path) as outbox:
        found = reply(await Commander(devices, outbox, FakeClock(AT)).carry_out(actuate()))
    assert found == Reply(id="c-1", ok=True)
    assert devices.done == [("siren-1", "siren_on", {"loud": True})]


async def test_ping_is_answered_without_a_device(tmp_path: Path) -> None:
    ping = encode(Command(id="p", kind="ping", expires_at=AT + timedelta(seconds=1)))
    async with opened(tmp_path) as outbox:
        found = reply(await Commander(Devices(), outbox, FakeClock(AT)).carry_out(ping))
    assert found == Reply(id="p", ok=True, result="pong")


async def test_a_late_command_is_refused_and_not_carried_out(tmp_path: Path) -> None:
    devices, clock = Devices(), FakeClock(AT)
    await clock.advance(10)
    async with opened(tmp_path, clock=clock) as outbox:
        found = reply(await Commander(devices, outbox, clock).carry_out(actuate()))
    assert not found.ok
    assert "expired" in (found.error or "")
    assert devices.done == []


async def test_a_command_whose_age_nobody_can_tell_is_refused_and_may_be_sent_again(tmp_path: Path) -> None:
    devices = Devices()
    async with opened(tmp_path) as outbox:
        commander = Commander(devices, outbox, FakeClock(AT))
        refused = reply(await commander.carry_out(actuate(), may_have_waited=True))
        assert not refused.ok
        assert "clock is not set" in (refused.error or "")
        assert devices.done == []
        assert reply(await commander.carry_out(actuate())).ok


async def test_the_same_command_twice_is_carried_out_once_and_answered_twice_also_after_a_restart(
    tmp_path: Path,
) -> None:
    devices = Devices()
    answers = []
    for _ in range(2):
        async with opened(tmp_path) as outbox:
            commander = Commander(devices, outbox, FakeClock(AT))
            answers += [await commander.carry_out(actuate()), await commander.carry_out(actuate())]
    assert len(devices.done) == 1
    assert len(set(answers)) == 1


async def test_a_command_that_was_begun_when_the_agent_died_is_not_begun_again(tmp_path: Path) -> None:
    devices = Devices()
    async with opened(tmp_path) as outbox:
        await outbox.begin_command("c-1", 4_000_000_000_000)
        found = reply(await Commander(devices, outbox, FakeClock(AT)).carry_out(actuate()))
    assert devices.done == []
    assert "outcome unknown" in (found.error or "")


@pytest.mark.parametrize("fault", [LinkError("siren-1: no answer"), CommandError("siren-1: has no siren")])
async def test_what_the_device_says_is_told_to_the_hub(tmp_path: Path, fault: Exception) -> None:
    async with opened(tmp_path) as outbox:
        found = reply(await Commander(Devices(fault), outbox, FakeClock(AT)).carry_out(actuate()))
    assert found == Reply(id="c-1", ok=False, error=str(fault))


@pytest.mark.parametrize("args", [{"device": "siren-1"}, {"device": 3, "command": "siren_on"}])
async def test_wrong_arguments_are_answered(tmp_path: Path, args: dict[str, Any]) -> None:
    async with opened(tmp_path) as outbox:
        found = reply(await Commander(Devices(), outbox, FakeClock(AT)).carry_out(actuate(**args)))
    assert not found.ok
    assert "args" in (found.error or "")


async def test_an_unknown_kind_is_answered_and_junk_is_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as outbox:
        commander = Commander(Devices(), outbox, FakeClock(AT))
        dance = encode(Command(id="d", kind="dance", expires_at=AT + timedelta(seconds=1)))
        assert "dance" in (reply(await commander.carry_out(dance)).error or "")
        assert await commander.carry_out(b"{not json") is None


async def test_a_command_that_cannot_be_noted_on_disk_is_not_carried_out() -> None:
    class NoDisk:
        async def begin_command(self, command_id: str, expires_ms: int) -> tuple[bool, bytes | None]:
            raise OutboxError("the disk is failing")

        async def finish_command(self, command_id: str, reply: bytes) -> None:
            raise OutboxError("the disk is failing")

    devices = Devices()
    found = reply(await Commander(devices, NoDisk(), FakeClock(AT)).carry_out(actuate()))
    assert "could not be noted" in (found.error or "")
    assert devices.done == []


async def test_too_many_commands_at_once_are_refused(tmp_path: Path) -> None:
    devices = Devices()
    devices.gate.clear()
    async with opened(tmp_path) as outbox:
        commander = Commander(devices, outbox, FakeClock(AT))
        running = [asyncio.create_task(commander.carry_out(actuate(f"c-{number}"))) for number in range(16)]
        await asyncio.sleep(0)
        assert "are running" in (reply(await commander.carry_out(actuate("one-more"))).error or "")
        devices.gate.set()
        await asyncio.gather(*running)
    assert len(devices.done) == 16
