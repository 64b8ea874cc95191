"""The driver of a Modbus bus: every device in turn, none waits longer for a dead one than that one's own time-out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from edge_agent.backoff import Backoff
from edge_agent.config import BusSection
from edge_agent.drivers.bus_turn import LIFE_COMMANDS, BusTurn, Rank
from edge_agent.drivers.hotplug import wait_for_port
from edge_agent.drivers.links import Tap
from edge_agent.drivers.modbus_client import ModbusLine
from edge_agent.drivers.station import Station
from edge_agent.errors import CommandError, ConfigError, LinkError
from edge_agent.ports import DriverContext
from edge_agent.protocols.message import Message
from edge_agent.protocols.modbus import Read, plan_reads
from firmware_profiles.transports import ModbusTransport, RegisterWrite
from wire.events import DriverHealth

_IDLE_S: Final = 0.05
_AGAIN_S: Final = 0.05
_SILENT_WAITS_S: Final = 5.0
MAX_SILENCE_S: Final = 30.0
"""A dead device is asked again at least this often."""
_GRACE_S: Final = 0.1
"""How long a device that answers keeps the line when a siren waits: most need 20 ms. While bytes come, longer."""
_HEARING_S: Final = 0.02
_LIFE_TRIES: Final = 2
"""A siren's write that met a late answer of another device is sent again at once."""
_T = TypeVar("_T")

log = structlog.get_logger()


class _OvertakenError(Exception):
    """Something more urgent took the line; whoever was overtaken asks again later."""


class _Slave:
    """A device of the bus."""

    def __init__(self, station: Station, address: int) -> None:
        transport = station.profile.transport
        assert isinstance(transport, ModbusTransport)
        self.station = station
        self.address = address
        self.transport = transport
        self.reads: tuple[Read, ...] = plan_reads(station.profile)
        self.backoff = Backoff(first_s=transport.poll_s, most_s=max(transport.poll_s, MAX_SILENCE_S))
        self.due_s = 0.0
        self.failures = 0
        self.trouble: str | None = "not asked yet"


class ModbusBus:
    """Implements ports.Driver."""

    def __init__(
        self, bus: BusSection, stations: list[Station], context: DriverContext, tap: Tap | None = None
    ) -> None:
        """Raises ConfigError for addresses that cannot work."""
        self._tap = tap
        self._bus = bus
        self._context = context
        self._slaves = [_Slave(station, _address_of(station)) for station in stations]
        addresses = [slave.address for slave in self._slaves]
        if len(set(addresses)) != len(addresses):
            raise ConfigError(f"bus {bus.name}: two devices have one address; each needs its own")
        self._line: ModbusLine | None = None
        self._detail = "opening the port"
        self._turn = BusTurn()

    @property
    def name(self) -> str:
        """`modbus-` and the bus's name."""
        return f"modbus-{self._bus.name}"

    @property
    def device_ids(self) -> frozenset[str]:
        """The devices on the bus."""
        return frozenset(slave.station.id for slave in self._slaves)

    async def run(self) -> None:
        """Open, poll, open again: until cancelled."""
        backoff = Backoff(first_s=0.5, most_s=15.0)
        while True:
            has_echo = any(slave.station.profile.quirks.local_echo for slave in self._slaves)
            line = ModbusLine(self._bus, has_local_echo=has_echo, tap=self._tap)
            try:
                await line.open()
                self._line = line
                backoff.reset()
                await self._poll(line)
            except LinkError as error:
                self._detail = str(error)
                log.warning("modbus.link_lost", bus=self._bus.name, reason=self._detail)
            finally:
                self._line = None
                line.close()
            for slave in self._slaves:
                slave.due_s = 0.0
                await slave.station.link(is_online=False, reason=self._detail)
            await wait_for_port(self._context.clock, self._context.beat, self._bus.port, backoff.next_s())

    def health(self) -> DriverHealth:
        """Running when every device answers."""
        if self._line is None:
            return DriverHealth(state="backing_off", detail=self._detail[:512])
        troubles = [
            f"{slave.station.id} (address {slave.address}): {slave.trouble}" for slave in self._slaves if slave.trouble
        ]
        return DriverHealth(state="degraded" if troubles else "running", detail="; ".join(troubles)[:512])

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """What the device's profile writes for `command`; returns when the device has answered each write."""
        del arguments
        slave = next(item for item in self._slaves if item.station.id == device_id)
        spec = slave.station.profile.commands.get(command)  # type: ignore[call-overload]  # any word may be asked
        if spec is None or spec.write is None:
            raise CommandError(f"{device_id}: its profile has no command {command!r}")
        for write in spec.write:
            await self._write(slave, write, is_life=command in LIFE_COMMANDS)
        slave.due_s = 0.0
        if spec.confirm and not await slave.station.confirmed(spec.confirm, spec.timeout_s):
            raise LinkError(f"{device_id}: {command} was sent, but not confirmed within {spec.timeout_s:g} s")

    async def _write(self, slave: _Slave, write: RegisterWrite, *, is_life: bool) -> None:
        """Raises LinkError when the device does not answer, CommandError when it refuses."""
        tries = _LIFE_TRIES if is_life else 1
        while True:
            line = self._line
            if line is None:
                raise LinkError(f"{slave.station.id}: {self._detail}")
            rank = (Rank.LIFE_SILENT if slave.failures else Rank.LIFE) if is_life else Rank.COMMAND
            request = partial(line.write, slave.address, slave.transport, write)
            try:
                # What a device that answers was told is told once; one that does not may be overtaken and told again.
                await self._exchange(line, slave, request, rank, yields=bool(slave.failures))
            except _OvertakenError:
                continue
            except LinkError:
                tries -= 1
                if not tries or self._line is not line:
                    raise
                continue
            return

    async def _exchange(
        self, line: ModbusLine, slave: _Slave, request: Callable[[], Awaitable[_T]], rank: Rank, *, yields: bool
    ) -> _T:
        """One request and its answer, when it is its turn. A siren does not wait for somebody else's time-out.

        With `yields`, a more urgent request ends this one (_OvertakenError): at once when the device was silent before,
        after a grace when it is one that answers, so that its answer does not meet the other's.
        """
        async with self._turn.taken(rank):
            work = asyncio.ensure_future(request())
            overtaken = asyncio.ensure_future(self._turn.overtaken())
            try:
                await asyncio.wait({work, overtaken} if yields else {work}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done() and not slave.failures:
                    await asyncio.wait({work}, timeout=_GRACE_S)
                    while not work.done() and line.is_hearing:
                        await asyncio.wait({work}, timeout=_HEARING_S)
                if not work.done():
                    raise _OvertakenError
                return work.result()
            finally:
                overtaken.cancel()
                work.cancel()
                await asyncio.gather(work, overtaken, return_exceptions=True)

    async def _poll(self, line: ModbusLine) -> None:
        """Ask who is due, longest due first, until the link is gone (LinkError)."""
        clock = self._context.clock
        while True:
            now_s = clock.monotonic()
            slave = self._next(now_s)
            self._context.beat()
            if slave.due_s > now_s:
                for other in self._slaves:
                    await other.station.tick()
                await clock.sleep(min(_IDLE_S, slave.due_s - now_s))
                continue
            await self._ask(line, slave)

    def _next(self, now_s: float) -> _Slave:
        """Who is asked next: of those that answer the longest due; a silent one when nobody else is due, or at last."""
        first = min(self._slaves, key=lambda item: item.due_s)
        if first.failures and now_s - first.due_s < _SILENT_WAITS_S:
            live = [slave for slave in self._slaves if not slave.failures and slave.due_s <= now_s]
            return min(live, key=lambda item: item.due_s, default=first)
        return first

    async def _ask(self, line: ModbusLine, slave: _Slave) -> None:
        registers: dict[tuple[str, int], int] = {}
        try:
            for read in slave.reads:
                gap_ms = slave.station.profile.quirks.gap_ms
                if gap_ms:
                    await self._context.clock.sleep(gap_ms / 1000)
                request = partial(line.read, slave.address, slave.transport, read)
                values = await self._exchange(line, slave, request, Rank.POLL, yields=True)
                registers |= {(read.space, read.address + index): value for index, value in enumerate(values)}
        except _OvertakenError:
            # No fault of its own. One that was silent keeps its pace; one that answers is asked again at once.
            pause_s = slave.transport.poll_s if slave.failures else 0.0
            slave.due_s = self._context.clock.monotonic() + pause_s
            return
        except CommandError as error:
            # The device is there and refuses: its profile asks for what it does not have.
            await self._failed(slave, str(error))
            return
        except TimeoutError:
            await self._failed(slave, "no answer")
            return
        slave.failures = 0
        slave.trouble = None
        slave.backoff.reset()
        slave.due_s = self._context.clock.monotonic() + slave.transport.poll_s
        await slave.station.say(Message(registers=registers))

    async def _failed(self, slave: _Slave, reason: str) -> None:
        slave.failures += 1
        slave.trouble = reason
        limit = slave.station.profile.health.failures
        # One lost answer is asked for again at once: it may have been the alarm. Then it is asked at its own pace, and
        # ever less often when it counts as gone.
        pause_s = slave.transport.poll_s if slave.failures < limit else slave.backoff.next_s()
        if slave.failures == 1 and limit > 1:
            pause_s = min(pause_s, _AGAIN_S)
        slave.due_s = self._context.clock.monotonic() + pause_s
        if slave.failures >= limit:
            await slave.station.link(is_online=False, reason=reason)


def _address_of(station: Station) -> int:
    address = station.section.address
    if isinstance(address, bool) or not isinstance(address, int) or not 1 <= address <= 255:
        # 0 is the broadcast: a read of it would have no answer, a write would reach every device.
        raise ConfigError(
            f"device {station.id}: address {address!r}: a Modbus address is 1 to 247 (255 by some makers)"
        )
    return address
