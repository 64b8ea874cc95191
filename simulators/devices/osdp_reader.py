"""An OSDP reader: libosdp's peripheral device on a serial line."""

import threading
from typing import Any, Final

import osdp

from simulators.devices.serial_line import Port, SerialLine
from wire.ids import canonical_card

_REFRESH_S: Final = 0.002
MAX_HEARD: Final = 1000


class _Channel(osdp.Channel):  # type: ignore[misc]  # libosdp has no types
    def __init__(self, port: Port) -> None:
        super().__init__()
        self._port = port

    def read(self, max_bytes: int) -> bytes:
        return self._port.read(max_bytes)

    def write(self, buf: bytes) -> int:
        return self._port.write(bytes(buf))

    def flush(self) -> None:
        self._port.flush()


class _Device(osdp.PeripheralDevice):  # type: ignore[misc]  # libosdp has no types
    @staticmethod
    def refresh(event: threading.Event, lock: threading.Lock, ctx: Any) -> None:
        while not event.wait(_REFRESH_S):
            with lock:
                ctx.refresh()


class OsdpReader:
    """A reader at an address of a bus; with a key it speaks the secure channel only.

    `inputs` are its contact inputs. libosdp's peripheral reports their changes and refuses (NAK) to be asked for them.
    """

    def __init__(
        self,
        line: SerialLine,
        address: int,
        *,
        key: bytes | None = None,
        serial_number: int = 1,
        inputs: int = 0,
        is_installing: bool = False,
    ) -> None:
        self._line = line
        self._address = address
        self._key = key
        self._serial_number = serial_number
        self._is_installing = is_installing
        self._inputs = inputs
        self._port: Port | None = None
        self._device: Any = None
        self.commands: list[dict[str, Any]] = []
        """What the gateway told it: LED, buzzer, output, …"""
        self.power_on()

    @property
    def is_online(self) -> bool:
        """Whether the gateway polls it, by the secure channel where it has a key."""
        if self._device is None:
            return False
        return bool(self._device.is_sc_active() if self._key else self._device.is_online())

    def power_on(self) -> None:
        """Begin to answer."""
        capabilities = osdp.PDCapabilities(
            [
                (osdp.Capability.ContactStatusMonitoring, 1 if self._inputs else 0, self._inputs),
                (osdp.Capability.OutputControl, 1, 2),
                (osdp.Capability.CardDataFormat, 1, 1),
                (osdp.Capability.LEDControl, 1, 1),
                (osdp.Capability.AudibleControl, 1, 1),
                (osdp.Capability.Readers, 1, 1),
                (osdp.Capability.CommunicationSecurity, 1, 1),
            ]
        )
        self._port = self._line.attach()
        info = osdp.PDInfo(
            self._address,
            _Channel(self._port),
            scbk=self._key,
            flags=self._flags(),
            id=osdp.PdId(1, 1, 0x0A00FF, self._serial_number, 0x010203),
        )
        self._device = _Device(info, capabilities, log_level=osdp.LogLevel.Emergency, command_handler=self._obey)
        self._device.start()

    def _flags(self) -> list[int]:
        if self._is_installing:
            return [osdp.LibFlag.InstallMode]
        return [osdp.LibFlag.EnforceSecure] if self._key else []

    def power_off(self) -> None:
        """Fall silent."""
        if self._device is not None and self._port is not None:
            self._device.teardown()
            self._line.detach(self._port)
            self._device = self._port = None

    def close(self) -> None:
        """Take it down."""
        self.power_off()

    def present_card(self, printed: str, bits: int = 26) -> None:
        """Hold a card to the reader; its number in the form in which it is printed."""
        number = int(canonical_card(printed))
        self.present_bits(_left_justified(number, bits), bits)

    def present_bits(self, data: bytes, bits: int) -> None:
        """A card whose bits are given, right or wrong."""
        self._submit(
            {
                "event": osdp.Event.CardRead, "reader_no": 0, "direction": 0, "length": bits,
                "format": osdp.CardFormat.Wiegand, "data": data,
            }
        )  # fmt: skip

    def press_keys(self, keys: str) -> None:
        """Type on the keypad, e.g. `12345#`."""
        self._submit({"event": osdp.Event.KeyPress, "reader_no": 0, "data": keys.encode("ascii")})

    def tamper(self, is_open: bool, *, power_fault: bool = False) -> None:
        """Open or close the housing."""
        report = bytes([is_open, power_fault])
        self._submit({"event": osdp.Event.Status, "type": osdp.StatusReportType.Local, "report": report})

    def contacts(self, *inputs: bool) -> None:
        """Set the inputs, e.g. the door contact."""
        self._submit({"event": osdp.Event.Status, "type": osdp.StatusReportType.Input, "report": bytes(inputs)})

    def vendor_reply(self, vendor: int, data: bytes) -> None:
        """Vendor data; `vendor` as its three bytes stand on the line."""
        code = int.from_bytes(vendor.to_bytes(3, "big"), "little")
        self._submit(
            {
                "event": osdp.Event.ManufacturerReply, "vendor_code": code, "data": data,
            }
        )  # fmt: skip

    def _submit(self, event: dict[str, Any]) -> None:
        if self._device is None:
            raise RuntimeError(f"reader {self._address} is off")
        self._device.submit_event(event)

    def _obey(self, command: dict[str, Any]) -> tuple[int, None]:
        if len(self.commands) < MAX_HEARD:
            self.commands.append(command)
        if command["command"] == osdp.Command.Keyset:
            # It keeps its key, and after the next power cycle it speaks with nothing else.
            self._key, self._is_installing = bytes(command["data"]), False
        return 0, None


def _left_justified(number: int, bits: int) -> bytes:
    """Wiegand bits with parities (26, 34, 37) or the plain number; by the standard, not by the agent's codec."""
    if bits in (26, 34, 37):
        body = f"{number:0{bits - 2}b}"
        half = (bits - 2 + 1) // 2
        first, last = body[:half], body[len(body) - half :]
        text = f"{first.count('1') % 2}{body}{1 - last.count('1') % 2}"
    else:
        text = f"{number:0{bits}b}"
    if len(text) != bits:
        raise ValueError(f"card number {number} does not fit {bits} bits")
    size = (bits + 7) // 8
    return int(text.ljust(8 * size, "0"), 2).to_bytes(size, "big")
