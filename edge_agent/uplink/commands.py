"""Carries out what the hub asks of the gateway: in time or not at all, and each command at most once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec

from edge_agent.errors import AgentError, CommandError, OutboxError
from wire.clock import Clock
from wire.errors import ContractError
from wire.messages import Command, Reply, decode, encode

_MAX_RUNNING: Final = 16


class Actuator(Protocol):
    """Finds the device and does what is asked."""

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """Returns when the device confirmed it. Raises LinkError or CommandError."""
        ...


class CommandMemory(Protocol):
    """What has been begun and answered, on disk (the outbox)."""

    async def begin_command(self, command_id: str, expires_ms: int) -> tuple[bool, bytes | None]:
        """(True, None) the first time, then (False, reply)."""
        ...

    async def finish_command(self, command_id: str, reply: bytes) -> None:
        """Keep the reply."""
        ...


class _ActuateArgs(msgspec.Struct, frozen=True):
    device: str
    command: str
    args: dict[str, Any] = {}


class Commander:
    """Turns the payload of a command into the payload of its reply."""

    def __init__(self, actuator: Actuator, memory: CommandMemory, clock: Clock) -> None:
        self._actuator = actuator
        self._memory = memory
        self._clock = clock
        self._running = 0

    async def carry_out(self, payload: bytes, *, may_have_waited: bool = False) -> bytes | None:
        """The reply to a command, or None for what is no command at all (there is no id to answer to).

        `may_have_waited`: nobody can tell how old it is, because the broker may have kept it and our clock is not set.
        """
        try:
            command = decode(payload, Command)
        except ContractError:
            return None
        if may_have_waited and command.kind != "ping":
            # By a clock that stands in the past, an unlock of yesterday would seem in time.
            return _refusal(command, "the gateway's clock is not set and the command may have waited: send it again")
        if self._running >= _MAX_RUNNING:
            return _refusal(command, f"{_MAX_RUNNING} commands are running; ask again")
        self._running += 1
        try:
            return await self._once(command)
        finally:
            self._running -= 1

    async def _once(self, command: Command) -> bytes:
        if self._clock.now() >= command.expires_at:
            return _refusal(command, "expired: it came too late and was not carried out")
        try:
            is_new, reply = await self._memory.begin_command(command.id, _ms(command.expires_at))
        except OutboxError as error:
            return _refusal(command, f"not carried out, because it could not be noted on disk: {error}")
        if not is_new:
            return reply or _refusal(command, "begun before, outcome unknown: not carried out a second time")
        if self._clock.now() >= command.expires_at:  # the disk may have taken its time
            reply = _refusal(command, "expired: it came too late and was not carried out")
        else:
            reply = await self._reply(command)
        try:
            await self._memory.finish_command(command.id, reply)
        except OutboxError:
            # It was done and is answered; should it come again, its outcome is unknown rather than done twice.
            return reply
        return reply

    async def _reply(self, command: Command) -> bytes:
        try:
            match command.kind:
                case "ping":
                    return encode(Reply(id=command.id, ok=True, result="pong"))
                case "actuate":
                    args = msgspec.convert(command.args, _ActuateArgs)
                    await self._actuator.actuate(args.device, args.command, args.args)
                    return encode(Reply(id=command.id, ok=True))
                case _:
                    raise CommandError(f"unknown kind of command {command.kind!r}: this agent knows actuate and ping")
        except msgspec.ValidationError as error:
            return _refusal(command, f"args: {error}; actuate needs device and command")
        except AgentError as error:
            return _refusal(command, str(error))


def _refusal(command: Command, why: str) -> bytes:
    return encode(Reply(id=command.id, ok=False, error=why))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
