"""The embedded broker: amqtt in the hub's process, on the loopback, for a demo without system packages.

MQTT 3.1.1, queues in memory: harmless, because only the hub's own acknowledgement deletes an event at a gateway.
"""

import asyncio
import contextlib
import ipaddress
import logging
import threading
from typing import Final

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker

from hub.errors import ConfigError

_START_S: Final = 10.0
_FIRST_PACKET_S: Final = 10.0
_LEVEL_3_1_1: Final = 4
_OTHER_VERSION: Final = b"\x20\x02\x00\x01"
"""CONNACK, "unacceptable protocol version"."""


class _PushedBack(StreamReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """A reader that first gives what was read ahead."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._head = head

    async def read(self, n: int = -1) -> bytes:
        """`n` bytes, as amqtt asks for them."""
        head, self._head = self._head[:n], self._head[n:]
        return head if len(head) == n else head + bytes(await super().read(n - len(head)))


class _Broker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt reads an MQTT 5 CONNECT as if it were 3.1.1 and waits for ever; here clients learn at once to fall back."""

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Look at the version before amqtt does."""
        try:
            async with asyncio.timeout(_FIRST_PACKET_S):
                head = await _connect_head(reader)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        if head[-1] != _LEVEL_3_1_1:
            writer.write(_OTHER_VERSION)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            writer.close()
            return
        await self.external_connected(_PushedBack(head, reader), StreamWriterAdapter(writer), listener_name)


async def _connect_head(reader: asyncio.StreamReader) -> bytes:
    """The first bytes of a CONNECT packet, up to the protocol's level: type, length (1 to 4 bytes), "MQTT", level."""
    head = await reader.readexactly(2)
    while head[-1] & 0x80 and len(head) < 5:
        head += await reader.readexactly(1)
    return head + await reader.readexactly(7)


class EmbeddedBroker:
    """Runs on a thread of its own. `start`, then `stop`."""

    def __init__(self, host: str, port: int) -> None:
        """Raises ConfigError for an address that is not of this machine alone: there is no access control."""
        try:
            is_local = host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_local = False
        if not is_local:
            raise ConfigError(f"--embedded-broker: {host} is not the loopback; use 127.0.0.1, or run Mosquitto")
        self._address = f"{host}:{port}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._started = threading.Event()
        self._broker: _Broker | None = None
        self._failure: Exception | None = None

    def start(self) -> None:
        """Return when it accepts connections. Raises ConfigError when the port is taken."""
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.CRITICAL)
        self._thread.start()
        if not self._started.wait(_START_S) or self._failure is not None:
            why = str(self._failure) if self._failure else f"it did not start within {_START_S:.0f} s"
            raise ConfigError(f"--embedded-broker: {self._address}: {why}; is another broker there?")

    def stop(self) -> None:
        """Disconnect everybody and end."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._open())
        except Exception as error:  # noqa: BLE001 - the library wraps whatever the socket said
            self._failure = error
            return
        finally:
            self._started.set()
        self._loop.run_forever()
        with contextlib.suppress(Exception):  # going down: the port is closed whatever it complains of
            self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _open(self) -> None:
        self._broker = _Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": self._address, "max_connections": 200}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await self._broker.start()

    async def _close(self) -> None:
        if self._broker is not None:
            await self._broker.shutdown()
        pending = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
