"""Where events enter: the reflexes first, then the disk. What the reflexes order waits for neither disk nor uplink."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog

from edge_agent.backoff import Backoff
from edge_agent.errors import AgentError, CommandError, LinkError, OutboxError
from edge_agent.outbox import Outbox
from edge_agent.ports import Driver, Place
from edge_agent.reflexes import RULE, SIREN_OFF, SIREN_ON, Action, ReflexRules, ReflexState, is_wanted, silence, step
from wire.clock import Clock
from wire.events import KnownEvent, LocalAction, LocalActionData

_ACTUATE_TIMEOUT_S: Final = 10.0
_RETRY_FOR_S: Final = 600.0
_INSIST_S: Final = 60.0
_STATE_NAME: Final = "reflexes"

log = structlog.get_logger()


class Devices:
    """Finds the driver of a device and has it do something."""

    def __init__(self) -> None:
        self._by_device: dict[str, Driver] = {}

    def add(self, driver: Driver) -> None:
        """Make a driver's devices reachable."""
        for device_id in driver.device_ids:
            self._by_device[device_id] = driver

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """Carry out a command. Raises CommandError or LinkError within ten seconds."""
        driver = self._by_device.get(device_id)
        if driver is None:
            raise CommandError(f"no device {device_id!r} on this gateway")
        try:
            async with asyncio.timeout(_ACTUATE_TIMEOUT_S):
                await driver.actuate(device_id, command, arguments)
        except TimeoutError:
            raise LinkError(f"{device_id}: no answer to {command} within {_ACTUATE_TIMEOUT_S:.0f} s") from None


class Intake:
    """The sink of all drivers, and the actuator of all commands."""

    def __init__(self, outbox: Outbox, devices: Devices, rules: ReflexRules, clock: Clock, gateway_id: str) -> None:
        self._outbox = outbox
        self._devices = devices
        self._rules = rules
        self._clock = clock
        self._gateway_id = gateway_id
        self._state = ReflexState()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping = asyncio.Lock()

    @property
    def reflexes(self) -> ReflexState:
        """What the reflexes know."""
        return self._state

    async def recall(self) -> None:
        """Take up the state that an earlier process kept, so that a siren can be switched off after a restart."""
        kept = await self._outbox.kept(_STATE_NAME)
        if kept is None:
            return
        try:
            self._state = msgspec.json.decode(kept, type=ReflexState)
        except msgspec.MsgspecError as error:
            log.error("reflexes.state_unreadable", error=str(error))

    async def accept(self, events: Sequence[KnownEvent]) -> list[Place]:
        """See `ports.Sink.accept`."""
        ordered: list[tuple[int, Action]] = []
        before = self._state
        for index, event in enumerate(events):
            self._state, actions = step(self._state, event, self._rules)
            ordered += [(index, action) for action in actions]
        places: asyncio.Future[list[Place]] = asyncio.get_running_loop().create_future()
        for index, action in ordered:
            log.warning("reflex", command=action.command, siren=action.siren, detector=action.detector)
            self._spawn(self._act(action, index, places))
        if self._state != before:
            self._spawn(self._keep())
        try:
            found = await self._outbox.accept(events)
        except OutboxError:
            places.set_result([])
            raise
        except asyncio.CancelledError:
            places.cancel()
            raise
        places.set_result(found)
        return found

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """A command of the hub's. A siren that a person switches off stays off. Raises CommandError, LinkError."""
        if command == SIREN_OFF and self._state.is_sounding:
            self._state = silence(self._state)
            self._spawn(self._keep())
        await self._devices.actuate(device_id, command, arguments)

    async def insist(self) -> None:
        """While the sirens should sound, tell them so again and again, until cancelled.

        A siren may stop by itself (many do after minutes), lose its power, or have been switched on by a process that
        is gone. Only a failure is logged: the journal has what began it.
        """
        while True:
            if self._state.is_sounding:
                for siren in self._rules.sirens:
                    try:
                        await self._devices.actuate(siren, SIREN_ON, {})
                    except (CommandError, LinkError) as error:
                        log.error("reflex.insist_failed", siren=siren, error=str(error))
            await self._clock.sleep(_INSIST_S)

    async def close(self) -> None:
        """Stop what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work, name="reflex")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self) -> None:
        async with self._keeping:
            try:
                await self._outbox.keep(_STATE_NAME, msgspec.json.encode(self._state))
            except OutboxError as error:
                log.error("reflexes.state_not_kept", error=str(error))

    async def _act(self, action: Action, index: int, places: "asyncio.Future[list[Place]]") -> None:
        """Drive one siren until it confirms, for as long as that is wanted; journal the first failure and the end."""
        backoff = Backoff(first_s=0.5, most_s=10.0)
        give_up_s = self._clock.monotonic() + _RETRY_FOR_S
        while True:
            try:
                await self._devices.actuate(action.siren, action.command, {})
            except CommandError as error:
                await self._journal(action, index, places, ok=False, detail=str(error))
                return
            except LinkError as error:
                if backoff.attempt == 0:
                    await self._journal(action, index, places, ok=False, detail=str(error))
            else:
                await self._journal(action, index, places, ok=True, detail="")
                return
            await self._clock.sleep(backoff.next_s())
            if not is_wanted(self._state, action) or self._clock.monotonic() > give_up_s:
                return

    async def _journal(
        self, action: Action, index: int, places: "asyncio.Future[list[Place]]", *, ok: bool, detail: str
    ) -> None:
        """Write down what was done, with the number of the event that caused it once that is known."""
        try:
            found = await asyncio.shield(places)
            because = [found[index].seq] if found else []
            data = LocalActionData(
                action=action.command, rule=RULE, because=because, target=action.siren, ok=ok, detail=detail[:512]
            )
            event = LocalAction(observed_at=self._clock.now(), device=self._gateway_id, unit=action.unit, data=data)
            await self._outbox.accept([event])
        except AgentError as error:
            log.error("reflexes.not_journaled", command=action.command, siren=action.siren, error=str(error))
