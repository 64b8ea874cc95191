"""Captures: what devices said on a bus or a broker, as lines of JSON, without what must not be kept.

First line  {"capture": 1, "kind": "osdp", "source": "who recorded it, of what", "profile": "generic/osdp-reader"}
then        {"t": 0.52, "dir": "<", "hex": "53…"}                       bytes of a bus, `<` from the device
or          {"t": 0.52, "topic": "…", "name": "up", "json": {…} | "text": "…" | "hex": "…"}     an MQTT message
What other tools write is read too: see `capture_lines`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from edge_agent.capture_lines import Line, PlainTextError, plain_lines
from edge_agent.capture_messages import messages_in
from edge_agent.errors import AgentError
from edge_agent.interpret import DeviceState, Moment, Subject, interpret, link_changed, tick
from edge_agent.profile_examples import heard_at
from edge_agent.protocols import osdp
from edge_agent.protocols.fields import read_fields
from edge_agent.protocols.gb26875.frame import Frame as GbFrame
from edge_agent.protocols.gb26875.frame import Framer as GbFramer
from edge_agent.protocols.gb26875.frame import encode_frame
from edge_agent.protocols.message import Hasher
from edge_agent.protocols.zigbee2mqtt import without_secrets
from firmware_profiles.model import Profile
from wire.events import KnownEvent

MAX_LINES: Final = 1_000_000
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class CaptureError(AgentError):
    """A capture that cannot be read; the text names file and line."""


class Header(msgspec.Struct, frozen=True):
    """What a capture is of."""

    capture: int
    kind: str
    source: str
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """A whole capture."""

    header: Header
    lines: list[Line]


@dataclass(slots=True)
class Replay:
    """What a capture comes to, by a profile."""

    events: list[tuple[float, KnownEvent]] = field(default_factory=list)
    faults: list[tuple[float, str]] = field(default_factory=list)


def load_capture(path: Path) -> Capture:
    """The capture in a file. Raises CaptureError."""
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CaptureError(f"{path}: cannot be read: {error}; give a capture (lines of JSON)") from error
    if not any(row.strip() for row in rows):
        raise CaptureError(f'{path}:1: empty; the first line says {{"capture": 1, "kind": …, "source": …}}')
    if '"capture"' not in rows[0]:
        try:
            return Capture(Header(1, "plain", str(path)), plain_lines(rows))
        except PlainTextError as error:
            raise CaptureError(f"{path}:{error}") from error
    line_number = 1
    try:
        header = msgspec.json.decode(rows[0], type=Header)
        lines = []
        for row in rows[1 : MAX_LINES + 1]:
            line_number += 1
            if row.strip():
                line = msgspec.json.decode(row, type=Line)
                bytes.fromhex(line.hex or "")
                lines.append(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CaptureError(f"{path}:{line_number}: {error}; each line is one JSON object") from error
    return Capture(header, lines)


def replay(capture: Capture, profile: Profile, hasher: Hasher, address: str | None = None) -> Replay:
    """The events that a capture means, through the codecs that the drivers use; `address`: of one device of many."""
    found = Replay()
    subject = Subject("replay", profile)
    state = DeviceState()
    for t, message, fault in messages_in(capture.lines, profile, address):
        at = Moment(_START + timedelta(seconds=t), t)
        aged = tick(subject, state, at)
        found.events += [(t, event) for event in aged.events]
        state = aged.state
        if fault is not None:
            found.faults.append((t, fault))
        if message is None:
            if fault is None:
                outcome = link_changed(subject, state, at, is_online=True)
                state = outcome.state
                found.events += [(t, event) for event in outcome.events]
            continue
        reading = read_fields(profile, message, hasher)
        outcome = interpret(subject, state, reading, at._replace(wall=heard_at(profile, reading, at.wall)))
        state = outcome.state
        found.events += [(t, event) for event in outcome.events]
        found.faults += [(t, reason) for reason in outcome.faults]
    # What a debounce held back at the end has held; nothing else happens after the last line.
    end = (capture.lines[-1].t if capture.lines else 0.0) + max(
        (spec.debounce_s for spec in profile.fields.values()), default=0.0
    )
    last = tick(subject, state, Moment(_START + timedelta(seconds=end), end))
    found.events += [(end, event) for event in last.events]
    return found


class Recorder:
    """Writes what passes, without what must not be kept: card numbers, PINs, keys, and devices' own addresses."""

    def __init__(self, kind: str, addresses: Mapping[str, str]) -> None:
        self._kind = kind
        self._addresses = dict(sorted(addresses.items(), key=lambda pair: -len(pair[0])))
        self._framers = {"<": osdp.Framer(), ">": osdp.Framer()}
        self._gb_framers = {"<": GbFramer(), ">": GbFramer()}
        self._gb_addresses: dict[int, int] = {}
        self._last: tuple[str, bytes] | None = None
        self.rows: list[str] = []

    def take_bytes(self, t: float, direction: str, data: bytes) -> None:
        """Bytes of a bus."""
        if self._kind == "osdp":
            # Noise may be half a card: only whole frames are kept.
            kept = [osdp.scrub(f) for f in self._framers[direction].feed(data) if isinstance(f, osdp.Frame)]
        elif self._kind == "gb26875":
            found = self._gb_framers[direction].feed(data)
            kept = [encode_frame(self._anonymous(f)) for f in found if isinstance(f, GbFrame)]
        else:
            kept = [data]
            last = self._last
            # pymodbus hands over all that it has of an answer each time that more of it comes.
            if direction == "<" and last is not None and last[0] == "<" and data.startswith(last[1]) and self.rows:
                self.rows.pop()
        self._last = (direction, data)
        for raw in kept:
            self._add({"t": round(t, 3), "dir": direction, "hex": raw.hex()})

    def _anonymous(self, frame: GbFrame) -> GbFrame:
        """The frame with its addresses counted 1, 2, 3."""
        source, destination = (
            self._gb_addresses.setdefault(address, len(self._gb_addresses) + 1) if address else 0
            for address in (frame.source, frame.destination)
        )
        return replace(frame, source=source, destination=destination)

    def take_message(self, t: float, topic: str, payload: bytes) -> None:
        """A message of a broker."""
        row: dict[str, Any] = {"t": round(t, 3), "topic": self._renamed(topic)}
        text = payload.decode("utf-8", errors="replace")
        try:
            row["json"] = json.loads(self._renamed(json.dumps(without_secrets(json.loads(text)), ensure_ascii=False)))
        except (ValueError, RecursionError):
            if text.isprintable():
                row["text"] = self._renamed(text)
            else:
                row["hex"] = payload.hex()
        self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        if len(self.rows) < MAX_LINES:
            self.rows.append(json.dumps(row, ensure_ascii=False))

    def _renamed(self, text: str) -> str:
        for address, name in self._addresses.items():
            text = text.replace(address, name)
        return text
