"""Modbus smoke sensors: pymodbus's server on a serial line. The register map is that of a profile."""

import asyncio
import logging
import threading
from collections.abc import Iterable
from typing import Any, Final

from pymodbus.logging import Log
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from firmware_profiles.loader import find_profile, load_profile
from firmware_profiles.model import Profile
from simulators.devices.serial_line import SerialLine

# pymodbus prints the frames of every request for an address that it does not have; a bus is full of those.
Log.setLevel(logging.CRITICAL)  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped

_SET_CODES: Final = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_START_S: Final = 10.0
DEFAULT_PROFILE: Final = "calectro/ug-3-o-mb-r"


class ModbusHost:
    """A server with several addresses; it answers for these alone, as slaves on a bus do."""

    def __init__(self, line: SerialLine, addresses: Iterable[int], profile: Profile) -> None:
        self._line = line
        self._addresses = frozenset(addresses)
        self._profile = profile
        self._silent: set[int] = set()
        self._path = line.attach_pty()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._server: ModbusSerialServer | None = None
        self._thread = threading.Thread(target=self._serve, name="modbus-host", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise RuntimeError("the Modbus server did not start")

    def set(self, address: int, space: str, register: int, value: int) -> None:
        """What a register or bit of a device is worth from now on."""
        asyncio.run_coroutine_threadsafe(self._set(address, space, register, value), self._loop).result(5)

    def get(self, address: int, space: str, register: int) -> int:
        """What it is worth, e.g. after the gateway wrote it."""
        return asyncio.run_coroutine_threadsafe(self._get(address, space, register), self._loop).result(5)

    def silence(self, address: int, is_silent: bool) -> None:
        """Let a device no longer answer, or answer again."""
        (self._silent.add if is_silent else self._silent.discard)(address)

    def close(self) -> None:
        """Take it down."""
        if self._server is not None:
            shutdown: Any = self._server.shutdown  # pymodbus leaves it untyped
            asyncio.run_coroutine_threadsafe(shutdown(), self._loop).result(5)
        self._thread.join(5)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        devices = [_device(address, self._profile) for address in sorted(self._addresses)]
        self._server = ModbusSerialServer(devices, port=self._path, trace_packet=self._pass)
        await self._server.serve_forever(background=True)
        self._ready.set()
        await self._server.serving
        # Let the server's own tasks see their end before the loop goes.
        await asyncio.sleep(0.05)

    def _pass(self, sending: bool, data: bytes) -> bytes:
        """pymodbus answers for addresses that it does not have; a bus hears nothing of those."""
        is_ours = bool(data) and data[0] in self._addresses and data[0] not in self._silent
        return b"" if sending and not is_ours else data

    async def _set(self, address: int, space: str, register: int, value: int) -> None:
        assert self._server is not None
        values: Any = [bool(value)] if space in ("coil", "discrete") else [value]
        await self._server.async_setValues(address, _SET_CODES[space], register, values)

    async def _get(self, address: int, space: str, register: int) -> int:
        assert self._server is not None
        found: Any = await self._server.async_getValues(address, _SET_CODES[space], register, 1)
        return int(found[0])


class ModbusSmoke:
    """One smoke sensor, with a server of its own unless it is given a host."""

    def __init__(
        self,
        line: SerialLine,
        address: int,
        *,
        profile: str = DEFAULT_PROFILE,
        smoke_field: str = "smoke",
        host: ModbusHost | None = None,
    ) -> None:
        self._address = address
        self._profile = load_profile(find_profile(profile))
        self._field = self._profile.fields[smoke_field]
        self._owns_host = host is None
        self.host = host or ModbusHost(line, [address], self._profile)
        if "is_mounted" in self._profile.fields:
            self.set_field("is_mounted", 1)

    def alarm(self, is_smoke: bool) -> None:
        """Smoke comes, or has gone."""
        self._put(self._field, is_smoke)

    def set_field(self, name: str, raw: int) -> None:
        """The raw value of another field of its profile."""
        spec = self._profile.fields[name]
        self.host.set(self._address, str(spec.space), getattr(spec, str(spec.space)), raw)

    def silence(self, is_silent: bool = True) -> None:
        """Fall silent, as after a power cut."""
        self.host.silence(self._address, is_silent)

    def close(self) -> None:
        """Take it down."""
        if self._owns_host:
            self.host.close()

    def _put(self, spec: Any, is_on: bool) -> None:
        bit = 1 << spec.bit if spec.bit is not None else 1
        raw = bit if is_on != spec.invert else 0
        self.host.set(self._address, str(spec.space), getattr(spec, str(spec.space)), raw)


def _device(address: int, profile: Profile) -> SimDevice:
    """A device with every register that the profile reads or writes, all zero."""
    tops = {"coil": 0, "discrete": 0, "holding": 0, "input": 0}
    for spec in profile.fields.values():
        if spec.space is not None:
            tops[spec.space] = max(tops[spec.space], getattr(spec, spec.space) + 2)
    for command in profile.commands.values():
        for write in command.write or []:
            tops["coil"] = max(tops["coil"], (write.coil or 0) + 1)
            tops["holding"] = max(tops["holding"], (write.holding or 0) + 1)
    bits = {space: [False] * (16 * (tops[space] // 16 + 1)) for space in ("coil", "discrete")}
    return SimDevice(
        address,
        (
            [SimData(0, values=bits["coil"], datatype=DataType.BITS)],
            [SimData(0, values=bits["discrete"], datatype=DataType.BITS)],
            [SimData(0, values=[0] * (tops["holding"] + 8), datatype=DataType.REGISTERS)],
            [SimData(0, values=[0] * (tops["input"] + 8), datatype=DataType.REGISTERS)],
        ),
    )
