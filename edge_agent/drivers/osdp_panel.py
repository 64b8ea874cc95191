"""The OSDP control panel of one bus: the only user of libosdp. It runs on a thread of its own and reports in our types.

libosdp keeps a reader that it lost out of the loop for up to 300 s; `revive` takes it in again at once. A reader with
another key looks to libosdp like one that is gone, so this listens on the line: a reader that answers the challenge
(CCRYPT) and never gets to its confirmation (RMAC_I) is there and has the wrong key.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import osdp
import structlog

from edge_agent.drivers.links import Link
from edge_agent.errors import CommandError, LinkError
from edge_agent.protocols.osdp import SOM, Frame, Framer, build, parse

log = structlog.get_logger()

REFRESH_S: Final = 0.005
"""Between two turns of libosdp. A poll and its answer take 17 ms at 9,600 baud: finer turns only burn CPU."""
MAX_JOBS: Final = 256
HURRY_TURNS: Final = 200
"""A second: whatever became of the command, readers that come back are waited for again after it."""
_CHUNK: Final = 512
_CCRYPT, _RMAC_I, _NAK = 0x76, 0x78, 0x41
_NAK_NEEDS_SECURE: Final = 6
_NAK_CANNOT: Final = 9
_WRONG_KEY_AFTER: Final = 4
"""Challenges in vain. Fewer may be answers that came too late: two did on a box with a load of ten."""


@dataclass(frozen=True, slots=True)
class ReaderSetup:
    """A reader on the bus. With a key only the secure channel is spoken."""

    address: int
    key: bytes | None = None
    is_pairing: bool = False
    """Take the standard's default key too, and give the reader `key` by it: within a pairing window only."""


@dataclass(frozen=True, slots=True)
class CardRead:
    """A card was presented. `bits` of left-justified `data`."""

    address: int
    reader: int
    bits: int
    data: bytes


@dataclass(frozen=True, slots=True)
class KeysPressed:
    """Keys of the keypad."""

    address: int
    reader: int
    keys: bytes


@dataclass(frozen=True, slots=True)
class StatusReport:
    """`local` (tamper, power), `input` or `output` contacts."""

    address: int
    kind: str
    report: bytes


@dataclass(frozen=True, slots=True)
class VendorReply:
    """Data of a vendor's own."""

    address: int
    vendor: int
    data: bytes


PanelEvent = CardRead | KeysPressed | StatusReport | VendorReply


@dataclass(slots=True)
class LineView:
    """What was heard of one address on the line."""

    frames: int = 0
    challenges: int = 0
    """CCRYPT replies since the last RMAC_I."""
    demands_key: bool = False


class Panel:
    """Several readers on one link. `on_event` is called on the panel's thread and must not block."""

    def __init__(self, link: Link, readers: Sequence[ReaderSetup], on_event: Callable[[PanelEvent], None]) -> None:
        self._link = link
        self._addresses = [reader.address for reader in readers]
        self._on_event = on_event
        self._stop = threading.Event()
        # The event loop takes no lock of this thread's: a siren would wait for whatever the line waits for.
        self._jobs: deque[Callable[[], Any]] = deque()
        self._online: frozenset[int] = frozenset()
        self._secure: frozenset[int] = frozenset()
        self._with_inputs: frozenset[int] = frozenset()
        self._firmware: Mapping[int, str] = {}
        self._hurry_turns = 0
        """For so many more turns of libosdp a command is under way that cannot wait."""
        self._asked: Frame | None = None
        """What was sent last, until it was refused in the reader's name."""
        self._framer = Framer()
        self._waiting: dict[int, deque[Callable[[bool], None]]] = {address: deque() for address in self._addresses}
        self.views: Mapping[int, LineView] = {address: LineView() for address in self._addresses}
        self.noise = 0
        """Frames with a wrong checksum: line noise, or two readers with one address."""
        self.stray_bytes = 0
        """Bytes that nobody had asked for."""
        self.second_answers = 0
        """Whole answers after the first one to a question: two readers with one address that do not talk at once."""
        self._is_answered = False
        self.fault: str | None = None
        """Why the link is gone; the panel is of no more use then."""
        channel = _Channel(self)
        infos = [_info(reader, channel) for reader in readers]
        self._core = _Core(infos, self._take_event, self._take_completion).ctx
        self._thread = threading.Thread(target=self._loop, name="osdp-panel", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Stop polling and wait for the thread (tens of milliseconds)."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def online(self) -> frozenset[int]:
        """Addresses that answer."""
        return self._online

    def secure(self) -> frozenset[int]:
        """Addresses with a running secure channel."""
        return self._secure

    def pause(self, address: int) -> None:
        """First half of reviving a lost reader."""
        self._jobs.append(partial(self._core.disable_pd, self._addresses.index(address)))

    def revive(self, address: int) -> None:
        """Second half: ask a lost reader again now, not when libosdp's back-off ends."""
        self._jobs.append(partial(self._core.enable_pd, self._addresses.index(address)))

    def submit(
        self, address: int, command: Mapping[str, Any], done: Callable[[bool], None], *, hurries: bool = False
    ) -> None:
        """Queue a command; `done` is called on the panel's thread with the outcome. Raises CommandError.

        `hurries`: until it is done, no reader that does not answer is waited for.
        """
        if address not in self._online:
            raise CommandError(f"reader {address}: the command is refused; is the reader online?")
        if len(self._jobs) >= MAX_JOBS:
            raise CommandError(f"reader {address}: too many commands wait; the line is stuck")
        self._jobs.append(partial(self._submit, address, dict(command), done, hurries=hurries))

    def has_inputs(self, address: int) -> bool:
        """Whether an online reader announced contact inputs (PDCAP). One without them refuses to be asked."""
        return address in self._with_inputs

    def firmware(self, address: int) -> str:
        """What an online reader says of its software (PDID), as `major.minor.build`; empty when it has not."""
        return self._firmware.get(address, "")

    def has_wrong_key(self, address: int) -> bool:
        """Whether the reader is there but does not share our key."""
        view = self.views[address]
        return view.challenges >= _WRONG_KEY_AFTER or view.demands_key

    def _of_mask(self, mask: int) -> frozenset[int]:
        return frozenset(address for index, address in enumerate(self._addresses) if mask >> index & 1)

    # -- on the panel's thread ---------------------------------------------------------------------------------------

    def _loop(self) -> None:
        try:
            while not self._stop.wait(REFRESH_S) and self.fault is None:
                while self._jobs:
                    self._jobs.popleft()()
                self._core.refresh()
                self._hurry_turns = max(0, self._hurry_turns - 1)
                self._look()
        except Exception as error:  # the top of a thread: the driver opens the port again
            log.exception("osdp.panel_crashed")
            self.fault = f"the panel crashed: {error!r}"

    def _look(self) -> None:
        """Keep what the event loop asks for."""
        online = self._of_mask(self._core.status())
        if online != self._online:
            self._with_inputs = frozenset(filter(self._announced_inputs, online))
            self._firmware = {address: self._told_firmware(address) for address in online}
            self._online = online
        self._secure = self._of_mask(self._core.sc_status())

    def _announced_inputs(self, address: int) -> bool:
        _, count = self._core.check_capability(self._addresses.index(address), osdp.Capability.ContactStatusMonitoring)
        return bool(count)

    def _told_firmware(self, address: int) -> str:
        told = self._core.get_pd_id(self._addresses.index(address))
        number = int(told["firmware_version"]) if told else 0
        return ".".join(str(number >> shift & 0xFF) for shift in (16, 8, 0)) if number else ""

    def _submit(
        self, address: int, command: dict[str, Any], done: Callable[[bool], None], *, hurries: bool = False
    ) -> None:
        def settle(is_ok: bool) -> None:
            self._hurry_turns = 0
            done(is_ok)

        if hurries:
            self._hurry_turns = HURRY_TURNS
        if self._core.submit_command(self._addresses.index(address), command):
            self._waiting[address].append(settle)
        else:
            settle(False)

    def read(self, most: int) -> bytes:
        """For libosdp: what came, seen by our own framer too."""
        if self.fault is not None:
            return b""
        try:
            data = self._link.read(most)
        except LinkError as error:
            self.fault = str(error)
            return b""
        if not data and self._hurry_turns:
            return self._refusal()
        for found in self._framer.feed(data) if data else ():
            if isinstance(found, Frame):
                self._hear(found)
            else:
                self.noise += 1
        return data

    def _refusal(self) -> bytes:
        """What ends libosdp's wait of 200 ms for a reader that was not there before: a NAK in its name, once.

        libosdp cannot give a wait up, and whoever else is on the line waits with it. A reader that answers after all is
        late: its answer is discarded before the next question, and the reader is asked again when it is revived.
        """
        asked, self._asked = self._asked, None
        if asked is None or asked.address in self._online or asked.security:
            return b""
        return build(asked.address, _NAK, bytes([_NAK_CANNOT]), sequence=asked.sequence, is_reply=True)

    def write(self, data: bytes) -> int:
        """For libosdp: send."""
        if self.fault is not None:
            return 0
        asked = parse(data[data.find(SOM) :])
        self._asked = asked if isinstance(asked, Frame) else None
        self._is_answered = False
        try:
            return self._link.write(data)
        except LinkError as error:
            self.fault = str(error)
            return 0

    def discard_input(self) -> None:
        """For libosdp, before it asks: what came unasked is noise, or a reader that answers too late."""
        self._framer = Framer()
        try:
            while data := self._link.read(_CHUNK):
                self.stray_bytes += len(data)
        except LinkError as error:
            self.fault = str(error)

    def _hear(self, frame: Frame) -> None:
        view = self.views.get(frame.address)
        if view is None or not frame.is_reply:
            return
        view.frames += 1
        self.second_answers += self._is_answered
        self._is_answered = True
        if frame.code == _CCRYPT:
            view.challenges += 1
        elif frame.code == _RMAC_I:
            view.challenges = 0
            view.demands_key = False
        elif frame.code == _NAK and frame.data[:1] == bytes([_NAK_NEEDS_SECURE]):
            view.demands_key = True

    def _take_event(self, index: int, event: Mapping[str, Any]) -> int:
        address = self._addresses[index]
        if not self._firmware.get(address):
            # Whoever takes the event tells with it that the reader is there, and what it runs.
            self._firmware = {**self._firmware, address: self._told_firmware(address)}
        found = _typed(self._addresses[index], event)
        if found is not None:
            self._on_event(found)
        return 0

    def _take_completion(self, index: int, _command: Mapping[str, Any], status: int) -> None:
        waiting = self._waiting[self._addresses[index]]
        if waiting:
            waiting.popleft()(status == osdp.CompletionStatus.Ok)


def _typed(address: int, event: Mapping[str, Any]) -> PanelEvent | None:
    """An event of libosdp as ours; None for notifications, which `online` and `secure` tell better."""
    match event["event"]:
        case osdp.Event.CardRead:
            data = bytes(event["data"])
            return CardRead(address, event["reader_no"], event.get("length", 8 * len(data)), data)
        case osdp.Event.KeyPress:
            return KeysPressed(address, event["reader_no"], bytes(event["data"]))
        case osdp.Event.Status:
            kind = _STATUS_KINDS.get(event["type"])
            return StatusReport(address, kind, bytes(event["report"])) if kind else None
        case osdp.Event.ManufacturerReply:
            # libosdp reads the code's bytes from the right.
            vendor = int.from_bytes(int(event["vendor_code"]).to_bytes(3, "little"), "big")
            return VendorReply(address, vendor, bytes(event["data"]))
    return None


_STATUS_KINDS: Final = {
    osdp.StatusReportType.Local: "local",
    osdp.StatusReportType.Input: "input",
    osdp.StatusReportType.Output: "output",
}


def _info(reader: ReaderSetup, channel: "_Channel") -> Any:
    """A reader as libosdp wants it: with a key it speaks the secure channel only, except while it is paired."""
    flags = [osdp.LibFlag.EnableNotification]
    if reader.key is not None and not reader.is_pairing:
        flags.append(osdp.LibFlag.EnforceSecure)
    return osdp.PDInfo(reader.address, channel, scbk=reader.key, flags=flags)


class _Channel(osdp.Channel):  # type: ignore[misc]  # libosdp has no types
    """libosdp's view of the link: never raises, never blocks."""

    def __init__(self, panel: Panel) -> None:
        super().__init__()
        self._panel = panel

    def read(self, max_bytes: int) -> bytes:
        return self._panel.read(max_bytes)

    def write(self, buf: bytes) -> int:
        return self._panel.write(bytes(buf))

    def flush(self) -> None:
        self._panel.discard_input()


class _Core(osdp.ControlPanel):  # type: ignore[misc]  # libosdp has no types
    """libosdp's panel without its own thread and without its queues, which have no bound."""

    def __init__(self, infos: list[Any], on_event: Any, on_completion: Any) -> None:
        self._take = on_event
        self._complete = on_completion
        super().__init__(infos, log_level=osdp.LogLevel.Emergency)

    def _internal_event_handler(self, pd: int, event: Mapping[str, Any]) -> int:
        return int(self._take(pd, event))

    def _internal_command_completion_handler(self, pd: int, command: Mapping[str, Any], status: int) -> None:
        self._complete(pd, command, status)
