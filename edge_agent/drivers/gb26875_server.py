"""The driver of fire panels' transmitters (GB/T 26875.3-2011): listens on TCP, UDP or a serial line, confirms, asks.

A transmitter is the client. What it sends is confirmed when its events are on disk, so that it sends again otherwise;
its clock is set when it connects; silence longer than its heartbeat means that it is gone.
"""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from edge_agent.backoff import Backoff
from edge_agent.config import BusSection
from edge_agent.drivers.datagram_peers import DatagramPeers, Receive, Send
from edge_agent.drivers.gb26875_session import Session
from edge_agent.drivers.links import Link, Tap, open_link
from edge_agent.drivers.station import Station
from edge_agent.errors import CommandError, ConfigError, LinkError
from edge_agent.ports import DriverContext
from wire.events import DriverHealth

MAX_CONNECTIONS: Final = 64
_CHUNK: Final = 4096
_SERIAL_POLL_S: Final = 0.02
_TICK_S: Final = 0.5

log = structlog.get_logger()


class Gb26875Server:
    """Implements ports.Driver."""

    def __init__(
        self, bus: BusSection, stations: list[Station], context: DriverContext, tap: Tap | None = None
    ) -> None:
        """Raises ConfigError for addresses and ports that cannot work."""
        self._tap = tap
        self._bus = bus
        self._context = context
        self._by_address = {_address_of(station): station for station in stations}
        if len(self._by_address) != len(stations):
            raise ConfigError(f"bus {bus.name}: two devices have one address; each transmitter needs its own")
        self._listen = _listen_address(bus)
        self._sessions: set[Session] = set()
        self._detail = "opening"
        self._is_open = False
        self.port: int | None = None
        """The TCP port that it listens on, once it does."""

    @property
    def name(self) -> str:
        """`gb26875-` and the bus's name."""
        return f"gb26875-{self._bus.name}"

    @property
    def device_ids(self) -> frozenset[str]:
        """The transmitters of the configuration."""
        return frozenset(station.id for station in self._by_address.values())

    async def run(self) -> None:
        """Listen, serve, open again: until cancelled."""
        backoff = Backoff(first_s=0.5, most_s=15.0)
        ticker = asyncio.create_task(self._tick())
        try:
            while True:
                try:
                    await self._serve_once(backoff)
                except (LinkError, OSError) as error:
                    self._detail = str(error)
                    log.warning("gb26875.link_lost", bus=self._bus.name, reason=self._detail)
                finally:
                    self._is_open = False
                for station in self._by_address.values():
                    await station.link(is_online=False, reason=self._detail)
                await self._context.clock.sleep(backoff.next_s())
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)

    def health(self) -> DriverHealth:
        """Running when every transmitter is there."""
        if not self._is_open:
            return DriverHealth(state="backing_off", detail=self._detail[:512])
        away = [station.id for station in self._by_address.values() if not station.is_online]
        noise = sum(session.errors for session in self._sessions)
        notes = ([f"no word of {', '.join(away)}"] if away else []) + ([f"{noise} broken frames"] if noise else [])
        return DriverHealth(state="degraded" if away else "running", detail="; ".join(notes)[:512])

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """Set the clock, ask whether somebody is on duty, or initialise; returns when the transmitter confirmed."""
        del arguments
        station = next(item for item in self._by_address.values() if item.id == device_id)
        spec = station.profile.commands.get(command)  # type: ignore[call-overload]  # any word may be asked
        if spec is None or spec.gb26875 is None:
            raise CommandError(f"{device_id}: its profile has no command {command!r}")
        session = next((item for item in self._sessions if station in item.stations), None)
        if session is None:
            raise LinkError(f"{device_id}: it is not connected")
        await session.control(station, spec.gb26875)

    async def _serve_once(self, backoff: Backoff) -> None:
        """Until the line, or what listens, is gone."""
        if self._listen is None:
            await self._serve_serial(backoff)
            return
        is_udp, host, port = self._listen
        await (self._serve_udp(host, port) if is_udp else self._serve_tcp(host, port))

    async def _serve_udp(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        transport, peers = await loop.create_datagram_endpoint(
            lambda: DatagramPeers(self._attend, MAX_CONNECTIONS), local_addr=(host, port)
        )
        try:
            self.port = int(transport.get_extra_info("sockname")[1])
            self._is_open = True
            await loop.create_future()
        finally:
            await peers.close()

    async def _attend(self, receive: Receive, send: Send) -> None:
        """One peer, until it is silent for too long."""
        try:
            await self._serve(receive, send)
        except LinkError as error:
            log.info("gb26875.disconnected", bus=self._bus.name, reason=str(error))

    async def _serve_tcp(self, host: str, port: int) -> None:
        server = await asyncio.start_server(self._welcome, host, port, limit=_CHUNK)
        try:
            self.port = int(server.sockets[0].getsockname()[1])
            self._is_open = True
            await server.serve_forever()
        finally:
            server.close()
            for session in list(self._sessions):
                session.close()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._sessions) >= MAX_CONNECTIONS:
            writer.close()
            return

        async def receive() -> bytes:
            data = await reader.read(_CHUNK)
            if not data:
                raise LinkError("it closed the connection")
            return data

        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            await self._serve(receive, send)
        except (LinkError, OSError) as error:
            log.info("gb26875.disconnected", bus=self._bus.name, reason=str(error))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve_serial(self, backoff: Backoff) -> None:
        link: Link = await asyncio.to_thread(open_link, self._bus)
        backoff.reset()

        async def receive() -> bytes:
            while not (data := link.read(_CHUNK)):
                await self._context.clock.sleep(_SERIAL_POLL_S)
            return data

        async def send(data: bytes) -> None:
            rest = data
            while rest:
                rest = rest[link.write(rest) :]
                if rest:
                    await self._context.clock.sleep(_SERIAL_POLL_S)

        try:
            self._is_open = True
            await self._serve(receive, send)
        finally:
            link.close()

    async def _serve(self, receive: Receive, send: Send) -> None:
        tap = self._tap
        if tap is not None:
            receive, send = _tapped(receive, send, tap)
        session = Session(self._context.clock, self._station_of, receive, send)
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            for station in session.stations:
                if not any(station in other.stations for other in self._sessions):
                    await station.link(is_online=False, reason="disconnected")

    def _station_of(self, source: int) -> Station | None:
        """The transmitter of an address; the one without an address takes the rest."""
        return self._by_address.get(source) or self._by_address.get(None)

    async def _tick(self) -> None:
        while True:
            self._context.beat()
            for station in self._by_address.values():
                await station.tick()
            await self._context.clock.sleep(_TICK_S)


def _tapped(receive: Receive, send: Send, tap: Tap) -> tuple[Receive, Send]:
    """The same, and a recorder hears."""

    async def hear() -> bytes:
        data = await receive()
        tap("<", data)
        return data

    async def say(data: bytes) -> None:
        await send(data)
        tap(">", data)

    return hear, say


def _address_of(station: Station) -> int | None:
    address = station.section.address
    if address is None:
        return None
    if isinstance(address, str):
        # As it is printed and stands on the line: twelve hex digits, the low byte first.
        digits = re.sub(r"[\s:.-]", "", address)
        if re.fullmatch(r"[0-9a-fA-F]{12}", digits):
            return int.from_bytes(bytes.fromhex(digits), "little")
    if isinstance(address, bool) or not isinstance(address, int) or not 0 <= address < 1 << 48:
        raise ConfigError(
            f"device {station.id}: address {address!r}: write the transmitter's address as a number, or its "
            'six bytes as they stand on the line, such as "79:03:00:00:00:00"; leave it out where there is one alone'
        )
    return address


def _listen_address(bus: BusSection) -> tuple[bool, str, int] | None:
    """Whether by UDP, host and port of `listen://` and `listen-udp://`; None for a serial port or serial server."""
    if not bus.port.startswith(("listen://", "listen-udp://")):
        return None
    try:
        parts = urlsplit(bus.port)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"bus {bus.name}: port {bus.port}: {error}; write listen://address:port") from error
    if not host or port is None:
        raise ConfigError(f"bus {bus.name}: port {bus.port}: write listen://address:port, e.g. listen://0.0.0.0:5001")
    return parts.scheme == "listen-udp", host, port
