"""The driver of an OSDP bus: several readers on one RS-485 line, each with its profile, key and health."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from edge_agent.backoff import Backoff
from edge_agent.config import BusSection
from edge_agent.drivers.access import AccessList
from edge_agent.drivers.bus_turn import LIFE_COMMANDS
from edge_agent.drivers.hotplug import wait_for_port
from edge_agent.drivers.links import Link, Tap, TappedLink, open_link
from edge_agent.drivers.osdp_commands import commands_of, status_request, vendor_command
from edge_agent.drivers.osdp_panel import (
    CardRead,
    KeysPressed,
    Panel,
    PanelEvent,
    ReaderSetup,
    StatusReport,
    VendorReply,
)
from edge_agent.drivers.station import Station
from edge_agent.errors import CommandError, ConfigError, LinkError
from edge_agent.ports import DriverContext
from edge_agent.protocols.keypad import Keypad
from edge_agent.protocols.message import Message
from edge_agent.protocols.osdp_items import card_items, contact_items, local_items, pin_items, vendor_message
from edge_agent.secrets import read_secret
from firmware_profiles.base import Scalar
from firmware_profiles.transports import OsdpAction, OsdpTransport
from wire.events import DriverHealth

WATCH_S: Final = 0.25
_PAUSE_S: Final = 0.3
"""How long a reader is out of the loop when it is revived; libosdp needs one turn."""
MAX_WAITING: Final = 1000
_MOST_REFUSALS: Final = 2

log = structlog.get_logger()

_GRANTED: Final = (OsdpAction(led="green", timer_ms=3000), OsdpAction(output=0, timer_ms=5000))
_DENIED: Final = (OsdpAction(led="red", timer_ms=1500), OsdpAction(buzzer="on", timer_ms=600))


class _Reader:
    """A reader of the bus and what the driver knows of it."""

    def __init__(self, station: Station, address: int, key: bytes | None, access: AccessList | None) -> None:
        transport = station.profile.transport
        assert isinstance(transport, OsdpTransport)
        self.station = station
        self.address = address
        self.key = key
        self.access = access
        self.transport = transport
        self.keypad = Keypad()
        self.backoff = Backoff(first_s=1.0, most_s=15.0)
        self.retry_at_s: float | None = None
        self.is_paused = False
        self.lost_s: float | None = None
        self.next_vendor_poll_s = 0.0
        self.key_fault: bool | None = None
        self.refusals = 0
        """libosdp takes a reader offline that refuses a command; so does a lost link. Twice in a row is a refusal."""

    def on_inputs_asked(self, is_ok: bool) -> None:
        """For the panel's thread: what came of asking for the contact inputs."""
        self.refusals = 0 if is_ok else self.refusals + 1


class OsdpBus:
    """Implements ports.Driver."""

    def __init__(
        self, bus: BusSection, stations: list[Station], context: DriverContext, tap: Tap | None = None
    ) -> None:
        """Raises ConfigError for addresses and keys that cannot work."""
        self._tap = tap
        self._bus = bus
        self._context = context
        self._readers = {reader.address: reader for reader in map(_reader_of, stations)}
        if len(self._readers) != len(stations):
            raise ConfigError(f"bus {bus.name}: two devices have one address; each reader needs its own")
        self._panel: Panel | None = None
        self._detail = "opening the port"
        self._lost_events = 0

    @property
    def name(self) -> str:
        """`osdp-` and the bus's name."""
        return f"osdp-{self._bus.name}"

    @property
    def device_ids(self) -> frozenset[str]:
        """The readers."""
        return frozenset(reader.station.id for reader in self._readers.values())

    async def run(self) -> None:
        """Open the port, poll, open it again when it is gone: until cancelled."""
        backoff = Backoff(first_s=0.5, most_s=15.0)
        while True:
            try:
                link: Link = await asyncio.to_thread(open_link, self._bus)
            except LinkError as error:
                self._detail = str(error)
                await self._all_offline(str(error))
                await self._pause(backoff.next_s())
                continue
            if self._tap is not None:
                link = TappedLink(link, self._tap)
            inbox: asyncio.Queue[PanelEvent] = asyncio.Queue(MAX_WAITING)
            setups = [ReaderSetup(reader.address, reader.key) for reader in self._readers.values()]
            panel = Panel(link, setups, partial(self._put_soon, asyncio.get_running_loop(), inbox))
            panel.start()
            self._panel = panel
            try:
                await self._serve(panel, inbox)
            finally:
                self._panel = None
                await asyncio.to_thread(panel.stop)
                link.close()
            self._detail = panel.fault or "the port is gone"
            log.warning("osdp.link_lost", bus=self._bus.name, reason=self._detail)
            await self._all_offline(self._detail)
            backoff.reset()
            await self._pause(backoff.next_s())

    def health(self) -> DriverHealth:
        """Running when every reader answers, by its secure channel where it has a key."""
        if self._panel is None:
            return DriverHealth(state="backing_off", detail=self._detail[:512])
        faults = [fault for reader in self._readers.values() if (fault := self._fault_of(reader))]
        plain = sum(reader.key is None for reader in self._readers.values())
        notes = [*faults, *([f"{plain} without secure channel"] if plain else [])]
        broken, stray, second = self._panel.noise, self._panel.stray_bytes, self._panel.second_answers
        if broken or stray or second:
            counts = f"{broken} broken frames, {stray} stray bytes, {second} second answers"
            notes.append(f"{counts} (line noise, or two readers with one address)")
        return DriverHealth(state="degraded" if faults else "running", detail="; ".join(notes)[:512])

    async def actuate(self, device_id: str, command: str, arguments: Mapping[str, Any]) -> None:
        """What the reader's profile says of `command`; returns when the reader took it."""
        del arguments
        reader = next(item for item in self._readers.values() if item.station.id == device_id)
        spec = reader.station.profile.commands.get(command)  # type: ignore[call-overload]  # any word may be asked
        if spec is None or spec.osdp is None:
            raise CommandError(f"{device_id}: its profile has no command {command!r}")
        await self._do(reader, spec.osdp, spec.timeout_s, is_life=command in LIFE_COMMANDS)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _put_soon(self, loop: asyncio.AbstractEventLoop, inbox: asyncio.Queue[PanelEvent], event: PanelEvent) -> None:
        """Called on the panel's thread."""
        loop.call_soon_threadsafe(lambda: self._put(inbox, event))

    def _put(self, inbox: asyncio.Queue[PanelEvent], event: PanelEvent) -> None:
        try:
            inbox.put_nowait(event)
        except asyncio.QueueFull:
            self._lost_events += 1
            log.error("osdp.overrun", bus=self._bus.name, lost=self._lost_events)

    async def _serve(self, panel: Panel, inbox: asyncio.Queue[PanelEvent]) -> None:
        """Until the link is gone."""
        watcher = asyncio.create_task(self._watch(panel))
        taker = asyncio.create_task(self._take_all(inbox))
        try:
            done, _ = await asyncio.wait({watcher, taker}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (watcher, taker):
                task.cancel()
            await asyncio.gather(watcher, taker, return_exceptions=True)
        while not inbox.empty():
            await self._take(inbox.get_nowait())

    async def _take_all(self, inbox: asyncio.Queue[PanelEvent]) -> None:
        while True:
            await self._take(await inbox.get())

    async def _take(self, event: PanelEvent) -> None:
        reader = self._readers[event.address]
        if self._panel is not None and not reader.station.is_online:
            await reader.station.runs(self._panel.firmware(event.address))
        match event:
            case CardRead():
                items = card_items(event.data, event.bits, event.reader, reader.transport)
                await self._credential(reader, "card", items)
            case KeysPressed():
                for pin in reader.keypad.press(event.keys, self._context.clock.monotonic()):
                    await self._credential(reader, "pin", pin_items(pin, event.reader))
            case StatusReport():
                items = local_items(event.report) if event.kind == "local" else contact_items(event.kind, event.report)
                await reader.station.say(Message(items=items))
            case VendorReply():
                message = vendor_message(event.vendor, event.data, reader.transport)
                if message is not None:
                    await reader.station.say(message)

    async def _credential(self, reader: _Reader, kind: str, items: dict[str, Scalar]) -> None:
        """A card or PIN: decided here when the reader asks, reported in any case."""
        if kind not in items:
            await reader.station.say(Message(items=items))
            return
        decision = "granted"
        if reader.transport.decides == "gateway":
            ref = await reader.station.hash(kind, str(items[kind]))
            is_known = reader.access is not None and ref is not None and reader.access.has(ref)
            decision = "granted" if is_known else "denied"
        await reader.station.say(Message(items={**items, "decision": decision}))
        if reader.transport.decides == "gateway":
            try:
                await self._do(reader, _GRANTED if decision == "granted" else _DENIED, 2.0)
            except (CommandError, LinkError) as error:
                log.warning("osdp.no_feedback", device=reader.station.id, reason=str(error))

    async def _watch(self, panel: Panel) -> None:
        """Online, secure, wrong key, lost: four times a second."""
        while panel.fault is None:
            online, secure, now_s = panel.online(), panel.secure(), self._context.clock.monotonic()
            for reader in self._readers.values():
                is_well = reader.address in online and (reader.key is None or reader.address in secure)
                await self._see(panel, reader, now_s, is_well=is_well)
                await reader.station.tick()
            self._context.beat()
            await self._context.clock.sleep(WATCH_S)

    async def _see(self, panel: Panel, reader: _Reader, now_s: float, *, is_well: bool) -> None:
        wrong_key = not is_well and panel.has_wrong_key(reader.address)
        if is_well:
            # Before anything is said of it: what it runs goes with its coming online.
            await reader.station.runs(panel.firmware(reader.address))
        if wrong_key != reader.key_fault and (wrong_key or is_well):
            reader.key_fault = wrong_key
            await reader.station.say(Message(items={"key_fault": wrong_key}))
        if is_well:
            if reader.lost_s is not None or not reader.station.is_online:
                reader.lost_s = None
                reader.retry_at_s = None
                reader.backoff.reset()
                await reader.station.link(is_online=True)
                # Readers report contacts when they change; what changed while they were away must be asked for.
                self._try_submit(panel, reader, status_request("local"))
                if reader.refusals < _MOST_REFUSALS and panel.has_inputs(reader.address):
                    self._try_submit(panel, reader, status_request("input"), reader.on_inputs_asked)
            self._poll_vendor(panel, reader, now_s)
            return
        if reader.lost_s is None:
            reader.lost_s = now_s
            reader.retry_at_s = now_s + reader.backoff.next_s()
            if reader.station.is_online:
                await reader.station.link(is_online=False, reason="wrong key" if wrong_key else "no answer")
        elif reader.is_paused:
            if reader.retry_at_s is not None and now_s >= reader.retry_at_s:
                panel.revive(reader.address)
                reader.is_paused = False
                reader.retry_at_s = now_s + max(3.0, reader.backoff.next_s())
        elif reader.retry_at_s is not None and now_s >= reader.retry_at_s:
            if reader.station.is_online is None:
                await reader.station.link(is_online=False, reason="wrong key" if wrong_key else "no answer")
            panel.pause(reader.address)
            reader.is_paused = True
            reader.retry_at_s = now_s + _PAUSE_S

    def _poll_vendor(self, panel: Panel, reader: _Reader, now_s: float) -> None:
        transport = reader.transport
        if transport.vendor_poll is not None and now_s >= reader.next_vendor_poll_s:
            reader.next_vendor_poll_s = now_s + transport.vendor_poll_s
            self._try_submit(panel, reader, vendor_command(bytes.fromhex(transport.vendor_poll), transport.vendor))

    def _try_submit(
        self,
        panel: Panel,
        reader: _Reader,
        command: Mapping[str, Any],
        done: Callable[[bool], None] = lambda _ok: None,
    ) -> None:
        try:
            panel.submit(reader.address, command, done)
        except CommandError as error:
            log.info("osdp.refused", device=reader.station.id, reason=str(error))

    async def _do(
        self,
        reader: _Reader,
        actions: tuple[OsdpAction, ...] | list[OsdpAction],
        timeout_s: float,
        *,
        is_life: bool = False,
    ) -> None:
        """Let the reader do things, and wait until it has taken each. Raises CommandError, LinkError."""
        panel = self._panel
        if panel is None:
            raise LinkError(f"{reader.station.id}: {self._detail}")
        loop = asyncio.get_running_loop()
        for action in actions:
            for command in commands_of(action, reader.transport.vendor):
                outcome: asyncio.Future[bool] = loop.create_future()

                panel.submit(reader.address, command, partial(_settle_soon, loop, outcome), hurries=is_life)
                try:
                    is_ok = await asyncio.wait_for(outcome, timeout_s)
                except TimeoutError:
                    raise LinkError(f"{reader.station.id}: no answer to the command within {timeout_s:g} s") from None
                if not is_ok:
                    raise CommandError(f"{reader.station.id}: the reader refused the command")

    def _fault_of(self, reader: _Reader) -> str | None:
        if reader.lost_s is None and reader.station.is_online:
            return None
        why = "wrong key" if reader.key_fault else "no answer"
        return f"{reader.station.id} (address {reader.address}): {why}"

    async def _all_offline(self, reason: str) -> None:
        for reader in self._readers.values():
            reader.lost_s = None
            reader.retry_at_s = None
            reader.is_paused = False
            await reader.station.link(is_online=False, reason=reason)

    async def _pause(self, delay_s: float) -> None:
        await wait_for_port(self._context.clock, self._context.beat, self._bus.port, delay_s)
        for reader in self._readers.values():
            await reader.station.tick()


def _settle_soon(loop: asyncio.AbstractEventLoop, outcome: asyncio.Future[bool], is_ok: bool) -> None:
    """Called on the panel's thread."""

    def settle() -> None:
        if not outcome.done():
            outcome.set_result(is_ok)

    loop.call_soon_threadsafe(settle)


def _reader_of(station: Station) -> _Reader:
    section = station.section
    if isinstance(section.address, bool) or not isinstance(section.address, int) or not 0 <= section.address <= 126:
        raise ConfigError(f"device {section.id}: address {section.address!r}: an OSDP address is 0 to 126")
    key = read_key(section.key_file, section.id) if section.key_file else None
    access = AccessList(section.access_file) if section.access_file else None
    transport = station.profile.transport
    if access is None and isinstance(transport, OsdpTransport) and transport.decides == "gateway":
        raise ConfigError(f"device {section.id}: its reader asks who may enter; give access_file")
    return _Reader(station, section.address, key, access)


def read_key(path: Path, device_id: str) -> bytes:
    """A reader's 16-byte key. Raises ConfigError, also for the public default key of the standard (SCBK-D)."""
    where = f"device {device_id}: key_file"
    try:
        key = bytes.fromhex(read_secret(path, where))
    except ValueError as error:
        raise ConfigError(f"{where}: {path}: {error}; 16 bytes as 32 hex digits") from error
    if len(key) != 16:
        raise ConfigError(f"{where}: {path}: {len(key)} bytes; 16 are needed (openssl rand -hex 16)")
    if key == bytes(range(0x30, 0x40)):
        raise ConfigError(f"{where}: {path}: this is the standard's default key, which everyone knows; make another")
    return key
