"""Finds out what answers: at which address and rate on a bus, under which name on a broker, with its likely profile.

On a bus it asks only what no device takes amiss: OSDP's ID, Modbus' reads; never address 0 of Modbus, which is all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.config import BusSection
from edge_agent.drivers.links import Link, open_link
from edge_agent.protocols import modbus, osdp
from edge_agent.protocols.fields import read_fields
from edge_agent.protocols.message import Message, no_hash
from firmware_profiles.loader import load_profile, shipped_profiles
from firmware_profiles.model import Profile
from firmware_profiles.transports import ModbusTransport, Zigbee2MqttTransport
from wire.clock import Clock

BAUDS: Final = {"osdp": (9600, 38400, 115200, 19200, 57600), "modbus": (9600, 4800, 19200, 38400)}
_OSDP_WAIT_S: Final = 0.2
_MODBUS_WAIT_S: Final = 0.25
_STEP_S: Final = 0.005
_ID, _PDID, _NAK = 0x61, 0x45, 0x41


@dataclass(frozen=True, slots=True)
class Found:
    """Something that answers."""

    address: str
    baud: int | None
    what: str
    profiles: tuple[str, ...] = ()


class Scanner:
    """Asks on one link and waits for the answer; blocking, for a command."""

    def __init__(self, link: Link, clock: Clock, pause: Callable[[float], None]) -> None:
        self._link = link
        self._clock = clock
        self._pause = pause

    def ask(self, request: bytes, wait_s: float, is_whole: Callable[[bytes], bool]) -> bytes:
        """What came after a request, until it is whole or the time is up. Raises LinkError."""
        self._link.discard_input()
        rest = request
        while rest:
            rest = rest[self._link.write(rest) :]
        heard = b""
        end_s = self._clock.monotonic() + wait_s
        while self._clock.monotonic() < end_s and not is_whole(heard):
            heard += self._link.read(512)
            self._pause(_STEP_S)
        return heard


def scan(
    bus: BusSection, addresses: Sequence[int], bauds: Sequence[int], clock: Clock, pause: Callable[[float], None]
) -> Iterator[Found]:
    """What answers on a bus. Raises LinkError when the port cannot be opened."""
    for baud in bauds:
        link = open_link(bus.model_copy(update={"baud": baud}))
        scanner = Scanner(link, clock, pause)
        try:
            for address in addresses:
                found = osdp_at(scanner, address, baud) if bus.kind == "osdp" else modbus_at(scanner, address, baud)
                if found is not None:
                    yield found
        finally:
            link.close()


def osdp_at(scanner: Scanner, address: int, baud: int) -> Found | None:
    """The OSDP reader at an address."""

    def frames(data: bytes) -> list[osdp.Frame]:
        items = osdp.Framer().feed(data)
        return [item for item in items if isinstance(item, osdp.Frame) and item.is_reply and item.address == address]

    heard = scanner.ask(b"\xff" + osdp.build(address, _ID, b"\0"), _OSDP_WAIT_S, lambda data: bool(frames(data)))
    for frame in frames(heard):
        if frame.code == _PDID and len(frame.data) >= 12:
            vendor, model = frame.data[:3].hex(":"), frame.data[3]
            firmware = ".".join(str(part) for part in frame.data[9:12])
            return Found(str(address), baud, f"OSDP reader, vendor {vendor}, model {model}, firmware {firmware}",
                         ("generic/osdp-reader",))  # fmt: skip
        if frame.code == _NAK:
            return Found(str(address), baud, "OSDP reader that demands a secure channel", ("generic/osdp-reader",))
    return None


def modbus_at(scanner: Scanner, address: int, baud: int) -> Found | None:
    """The Modbus slave at an address, with the profiles whose registers it has and whose values make sense."""
    if address == 0:
        return None
    first = _read(scanner, address, modbus.Read("holding", 0, 1))
    if first is None:
        return None
    likely = []
    for name, path in shipped_profiles().items():
        profile = load_profile(path)
        if isinstance(profile.transport, ModbusTransport):
            score = _score(scanner, address, profile)
            if score:
                likely.append((score, name))
    best = max((score for score, _ in likely), default=0)
    names = tuple(name for score, name in sorted(likely, reverse=True) if score == best)
    return Found(str(address), baud, "Modbus slave", names)


def _score(scanner: Scanner, address: int, profile: Profile) -> int:
    """How many fields of a profile a slave has, with values that the profile knows; 0 when one does not fit."""
    registers: dict[tuple[str, int], int] = {}
    for read in modbus.plan_reads(profile):
        values = _read(scanner, address, read)
        if not isinstance(values, dict):
            return 0
        registers |= values
    reading = read_fields(profile, Message(registers=registers), no_hash)
    telling = sum(spec.enum is not None for spec in profile.fields.values())
    return 0 if reading.faults else len(reading.values) + 3 * telling


def _read(scanner: Scanner, address: int, read: modbus.Read) -> dict[tuple[str, int], int] | str | None:
    """The registers, the reason why there are none, or None when nobody answers."""
    body = read.address.to_bytes(2, "big") + read.count.to_bytes(2, "big")
    request = modbus.build_rtu(address, modbus.FUNCTIONS[read.space], body)
    heard = scanner.ask(request, _MODBUS_WAIT_S, lambda data: isinstance(modbus.parse_rtu(data), modbus.RtuFrame))
    frame = modbus.parse_rtu(heard)
    if not isinstance(frame, modbus.RtuFrame) or frame.address != address:
        return None
    registers, fault = modbus.registers_in([request, heard])
    return fault if fault is not None else registers


def profiles_of_zigbee(model: str) -> tuple[str, ...]:
    """The shipped profiles for a model of Zigbee2MQTT."""
    found = []
    for name, path in shipped_profiles().items():
        transport = load_profile(path).transport
        if isinstance(transport, Zigbee2MqttTransport) and model in transport.models:
            found.append(name)
    return tuple(found)
