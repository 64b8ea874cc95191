"""One Modbus line: the only user of pymodbus's client. One request at a time, with the device's own time-out."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu import ModbusPDU

from edge_agent.config import BusSection
from edge_agent.drivers.links import Tap, open_link, port_fault
from edge_agent.drivers.pty_bridge import PtyBridge
from edge_agent.errors import CommandError, ConfigError, LinkError
from edge_agent.protocols.modbus import EXCEPTIONS, Read
from firmware_profiles.transports import ModbusTransport, RegisterWrite

CONNECT_TIMEOUT_S: Final = 3.0
# pymodbus logs every silent device as an error, with frames; what matters of it stands in our health.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


class ModbusLine:
    """A serial port, a serial server (RTU over TCP) or a Modbus TCP server."""

    def __init__(self, bus: BusSection, *, has_local_echo: bool, tap: Tap | None = None) -> None:
        self._bus = bus
        self._tap = tap
        self._lost = asyncio.Event()
        self._has_local_echo = has_local_echo
        self.is_hearing = False
        """Whether something has come since the request that is under way was sent: its answer, still on the wire."""
        self._bridge: PtyBridge | None = None
        self._client = self._client_on(bus.port)

    async def open(self) -> None:
        """Connect. Raises LinkError."""
        fault = port_fault(self._bus.port)
        if fault is not None:
            raise LinkError(fault)
        if self._bus.port.startswith("rfc2217://") or self._bus.rs485:
            # pymodbus watches a port's file descriptor, which a network port does not have, and knows no RS-485 mode.
            self._bridge = PtyBridge(await asyncio.to_thread(open_link, self._bus))
            self._client = self._client_on(self._bridge.path)
        if not await self._client.connect():
            raise LinkError(f"{self._bus.port}: cannot be opened; is another program using it?")
        self._lost.clear()

    def close(self) -> None:
        """Let go of the port."""
        self._client.close()
        if self._bridge is not None:
            self._bridge.close()

    def _client_on(self, port: str) -> AsyncModbusSerialClient | AsyncModbusTcpClient:
        bus = self._bus.model_copy(update={"port": port})
        return _client_of(bus, self._trace_connect, self._trace_packet, has_local_echo=self._has_local_echo)

    async def read(self, address: int, transport: ModbusTransport, read: Read) -> list[int]:
        """The values of one request; bits as 0 and 1.

        Raises TimeoutError when the device is silent, CommandError for its exceptions, LinkError for the line's end.
        """
        client = self._client
        function = {
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
        }[read.space]
        answer = await self._ask(partial(function, read.address, count=read.count, device_id=address), transport)
        values = answer.bits if read.space in ("coil", "discrete") else answer.registers
        if len(values) < read.count:
            raise CommandError(f"{len(values)} values in the answer to a request for {read.count}")
        return [int(value) for value in values[: read.count]]

    async def write(self, address: int, transport: ModbusTransport, write: RegisterWrite) -> None:
        """One write. Raises as `read`, and LinkError when the device is silent."""
        client = self._client
        request: Callable[[], Awaitable[ModbusPDU]]
        at = (write.holding if write.coil is None else write.coil) or 0
        at -= transport.address_base
        match write.coil is not None, write.value:
            case True, list() as values:
                request = partial(client.write_coils, at, [bool(item) for item in values], device_id=address)
            case True, value:
                request = partial(client.write_coil, at, bool(value), device_id=address)
            case False, list() as values:
                request = partial(client.write_registers, at, values, device_id=address)
            case False, value:
                request = partial(client.write_register, at, int(value), device_id=address)
        try:
            await self._ask(request, transport)
        except TimeoutError:
            raise LinkError(f"address {address} does not answer a write") from None

    async def _ask(self, request: Callable[[], Awaitable[ModbusPDU]], transport: ModbusTransport) -> ModbusPDU:
        self.is_hearing = False
        try:
            answer = await asyncio.wait_for(request(), transport.timeout_s)
        except TimeoutError:
            self._check_line()
            raise
        except ConnectionException as error:
            raise LinkError(f"{self._bus.port}: {error.string}") from error
        except ModbusException as error:
            self._check_line()
            raise TimeoutError(str(error)) from error
        if answer.isError():
            code = getattr(answer, "exception_code", 0)
            raise CommandError(f"exception {code} ({EXCEPTIONS.get(code, 'unknown')})")
        return answer

    def _check_line(self) -> None:
        if self._bridge is not None and self._bridge.fault is not None:
            raise LinkError(f"{self._bus.port}: {self._bridge.fault}")
        if self._lost.is_set() or not self._client.connected:
            raise LinkError(f"{self._bus.port}: unplugged or connection lost")

    def _trace_packet(self, sending: bool, data: bytes) -> bytes:
        self.is_hearing = not sending and bool(data)
        if self._tap is not None:
            self._tap(">" if sending else "<", data)
        return data

    def _trace_connect(self, is_connected: bool) -> None:
        if not is_connected:
            self._lost.set()


def _client_of(
    bus: BusSection, trace_connect: object, trace_packet: object, *, has_local_echo: bool
) -> AsyncModbusSerialClient | AsyncModbusTcpClient:
    # Our own time-out ends a request; pymodbus's is longer, so that the two never race.
    common: dict[str, object] = {"timeout": CONNECT_TIMEOUT_S, "retries": 0, "reconnect_delay": 0}
    common |= {"trace_connect": trace_connect, "trace_packet": trace_packet}
    with contextlib.suppress(ValueError):
        parts = urlsplit(bus.port)
        if parts.scheme in ("tcp", "modbus-tcp") and parts.hostname:
            framer = FramerType.RTU if parts.scheme == "tcp" else FramerType.SOCKET
            port = parts.port or 502
            return AsyncModbusTcpClient(parts.hostname, port=port, framer=framer, **common)  # type: ignore[arg-type]  # one table of keywords for both clients
    if "://" in bus.port and not bus.port.startswith("rfc2217://"):
        raise ConfigError(f"bus {bus.name}: port {bus.port}: write /dev/…, tcp://host:port or modbus-tcp://host:port")
    return AsyncModbusSerialClient(
        bus.port,
        baudrate=bus.baud,
        parity=bus.parity,
        stopbits=bus.stop_bits,
        handle_local_echo=has_local_echo,
        **common,  # type: ignore[arg-type]  # one table of keywords for both clients
    )
