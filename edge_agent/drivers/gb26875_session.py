"""One connection with transmitters of GB/T 26875.3: confirmations out, questions and their answers (clauses 6.2, 7)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal

import structlog

from edge_agent.drivers.station import Station
from edge_agent.errors import CommandError, LinkError
from edge_agent.protocols.gb26875 import Command, Frame, Framer, answer_to, encode_frame
from edge_agent.protocols.gb26875.frame import encode_time_tag
from edge_agent.protocols.gb26875_items import messages_of
from firmware_profiles.transports import Gb26875Transport
from wire.clock import Clock

ANSWER_S: Final = 10.0
RESENDS: Final = 3
"""6.2: no answer within 10 s at most, sent again up to three times."""
_IDLE_S: Final = 2.0
_SYNC_TIME, _INSPECT, _INITIALISE = 90, 91, 89
_DUTY_MINUTES: Final = 10
_STANDARD: Final = frozenset(Command)

log = structlog.get_logger()


class Session:
    """Reads frames, hands their objects to stations, confirms; asks and waits for confirmation."""

    def __init__(
        self,
        clock: Clock,
        station_of: Callable[[int], Station | None],
        receive: Callable[[], Awaitable[bytes]],
        send: Callable[[bytes], Awaitable[None]],
        *,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._clock = clock
        self._station_of = station_of
        self._receive = receive
        self._send = send
        self._answer_s = answer_s
        self._framer = Framer()
        self._serial = 0
        self._asked: dict[int, asyncio.Future[int]] = {}
        self._last: dict[int, Frame] = {}
        self._task: asyncio.Task[None] | None = None
        self._side: set[asyncio.Task[None]] = set()
        self.stations: dict[Station, int] = {}
        """Who has spoken here, and its address."""
        self.errors = 0

    async def run(self) -> None:
        """Serve until the line ends (LinkError) or is silent for longer than a heartbeat."""
        heard_s = self._clock.monotonic()
        pending = asyncio.ensure_future(self._receive())
        self._task = asyncio.current_task()
        try:
            while True:
                done, _ = await asyncio.wait({pending}, timeout=_IDLE_S)
                if done:
                    data = pending.result()
                    pending = asyncio.ensure_future(self._receive())
                    found = self._framer.feed(data)
                else:
                    found = self._framer.idle()
                for frame in found:
                    if isinstance(frame, Frame):
                        heard_s = self._clock.monotonic()
                        await self._take(frame)
                    else:
                        self.errors += 1
                if self._clock.monotonic() - heard_s > self._heartbeat_s():
                    raise LinkError(f"silent for {self._heartbeat_s():g} s")
        finally:
            pending.cancel()
            for task in self._side:
                task.cancel()
            await asyncio.gather(pending, *self._side, return_exceptions=True)

    def close(self) -> None:
        """End it from outside."""
        if self._task is not None:
            self._task.cancel()

    async def control(self, station: Station, what: Literal["sync_time", "inspect", "reset"]) -> None:
        """Send a control command, again when it is not answered. Raises LinkError, or CommandError when refused."""
        if what == "sync_time":
            data = self._time_for(station)
        elif what == "inspect":
            data = bytes([_INSPECT, 1, _DUTY_MINUTES])
        else:
            data = bytes([_INITIALISE, 1, 0])
        self._serial = (self._serial + 1) & 0xFFFF
        serial = self._serial
        last = self._last[self.stations[station]]
        frame = Frame(serial, Command.CONTROL, data, last.destination, last.source, self._clock.now(), last.version)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asked[serial] = answer
        try:
            for _ in range(1 + RESENDS):
                await self._send(encode_frame(frame))
                done, _ = await asyncio.wait({answer}, timeout=self._answer_s)
                if done:
                    break
            else:
                raise LinkError(f"{station.id}: no answer to {what} after {1 + RESENDS} attempts")
        finally:
            del self._asked[serial]
        if answer.result() == Command.DENY:
            raise CommandError(f"{station.id}: it refuses {what}")

    def _time_for(self, station: Station) -> bytes:
        """The application data that set a transmitter's clock."""
        transport = station.profile.transport
        assert isinstance(transport, Gb26875Transport)
        is_bcd = transport.time_tags == "bcd"
        return bytes([_SYNC_TIME, 1]) + encode_time_tag(self._clock.now(), is_bcd=is_bcd)

    def _heartbeat_s(self) -> float:
        periods = [
            station.profile.transport.heartbeat_s
            for station in self.stations
            if isinstance(station.profile.transport, Gb26875Transport)
        ]
        return max(periods, default=90.0)

    async def _take(self, frame: Frame) -> None:
        station = self._station_of(frame.source)
        if station is None:
            # Both ways to write it in the configuration: the number, and the bytes as they stand on the line.
            raw = frame.source.to_bytes(6, "little").hex()
            log.warning("gb26875.unknown_transmitter", address=frame.source, bytes=raw)
            if frame.command == Command.SEND:
                await self._reply(frame, Command.DENY)
            return
        is_first = station not in self.stations
        self.stations[station] = frame.source
        self._last[frame.source] = frame
        await station.link(is_online=True)
        if frame.command in (Command.CONFIRM, Command.ANSWER, Command.DENY):
            answer = self._asked.get(frame.serial)
            if answer is not None and not answer.done():
                answer.set_result(frame.command)
        transport = station.profile.transport
        assert isinstance(transport, Gb26875Transport)
        is_own = frame.command not in _STANDARD
        if is_own or frame.command in (Command.SEND, Command.ANSWER):
            # What a vendor adds (a registration, a heartbeat of its own) is confirmed as data are: it would come again.
            is_kept = await self._report(station, frame, transport)
            if frame.command != Command.ANSWER and is_kept:
                await self._reply(frame, Command.CONFIRM)
        elif frame.command == Command.CONTROL and frame.app_data[:1] == bytes([_SYNC_TIME]) and transport.sync_time:
            # Some ask for the time by the command that sets it.
            answer_frame = answer_to(frame, Command.CONTROL, self._clock.now(), self._time_for(station))
            await self._send(encode_frame(answer_frame))
        elif frame.command in (Command.CONTROL, Command.REQUEST):
            # A centre controls and asks; a transmitter that does has its line turned round.
            await self._reply(frame, Command.DENY)
        if is_first and transport.sync_time:
            self._aside(self._sync(station))

    async def _report(self, station: Station, frame: Frame, transport: Gb26875Transport) -> bool:
        """Hand the objects over; whether all of it is on disk."""
        messages, faults = messages_of(frame, transport)
        for fault in faults:
            self.errors += 1
            log.warning("gb26875.unexplained", device=station.id, fault=fault)
        kept = [await station.say(message) for message in messages]
        return all(kept)

    async def _reply(self, frame: Frame, command: Command) -> None:
        await self._send(encode_frame(answer_to(frame, command, self._clock.now())))

    def _aside(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._side.add(task)
        task.add_done_callback(self._side.discard)

    async def _sync(self, station: Station) -> None:
        try:
            await self.control(station, "sync_time")
        except (LinkError, CommandError, OSError) as error:
            log.info("gb26875.clock_not_set", device=station.id, reason=str(error))
