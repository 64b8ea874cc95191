"""Many MQTT connections on one event loop, for simulated gateways and for listening in. The only user of paho here."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulators.errors import SimulatorError

KEEPALIVE_S: Final = 30
_CONNECT_TIMEOUT_S: Final = 10.0
MqttVersion = Literal["5", "3.1.1"]
OnMessage = Callable[[str, bytes], None]


def address_of(url: str) -> tuple[str, int]:
    """Host and port of `mqtt://host:1883`. Raises SimulatorError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SimulatorError(f"{url}: {error}; write mqtt://host:1883") from error
    if parts.scheme != "mqtt" or not parts.hostname:
        raise SimulatorError(f"{url}: write mqtt://host:1883")
    return parts.hostname, port or 1883


async def probe_version(url: str) -> MqttVersion:
    """5 where the broker speaks it, else 3.1.1. Raises SimulatorError when it cannot be reached at all."""
    for version in ("5", "3.1.1"):
        link = MqttLoopClient(url, f"anfang-sim-probe-{version.replace('.', '')}", version=version)
        try:
            await link.connect()
        except UnsupportedVersionError:
            continue
        link.disconnect()
        return version
    raise SimulatorError(f"{url}: the broker speaks neither MQTT 5 nor 3.1.1")


class UnsupportedVersionError(SimulatorError):
    """The broker does not know this version of MQTT."""


class MqttLoopClient:
    """One connection. Nothing is reconnected: its owner does that, or not."""

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        version: MqttVersion = "5",
        on_message: OnMessage = lambda topic, payload: None,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self._url = url
        self._address = address_of(url)
        self._loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._subscribed: dict[int, asyncio.Future[None]] = {}
        self._socket: socket.socket | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()
        is_v5 = version == "5"
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if is_v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.max_inflight_messages_set(1000)
        if will is not None:
            self._client.will_set(will[0], will[1], qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda client, userdata: None
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = lambda client, userdata, message: on_message(message.topic, bytes(message.payload))
        self._client.on_socket_open = self._on_socket_open
        self._client.on_socket_close = self._on_socket_close
        self._client.on_socket_register_write = self._on_socket_register_write
        self._client.on_socket_unregister_write = self._on_socket_unregister_write
        self._ticker: asyncio.TimerHandle | None = None

    async def connect(self) -> None:
        """Return when the broker accepted us. Raises UnsupportedVersionError or SimulatorError."""
        try:
            self._client.connect(*self._address, keepalive=KEEPALIVE_S)
        except OSError as error:
            raise SimulatorError(f"{self._url}: {error}; is the broker running?") from error
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await self._connected
        except TimeoutError:
            self.drop()
            raise SimulatorError(f"{self._url}: no answer within {_CONNECT_TIMEOUT_S:.0f} s") from None
        self._tick()

    async def subscribe(self, topic_filter: str, qos: int = 1) -> None:
        """Return when the broker has made the subscription. Raises SimulatorError."""
        _, mid = self._client.subscribe(topic_filter, qos)
        if mid is None:
            raise SimulatorError(f"{self._url}: not connected")
        done: asyncio.Future[None] = self._loop.create_future()
        self._subscribed[mid] = done
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await done
        except TimeoutError:
            raise SimulatorError(f"{self._url}: {topic_filter} was not subscribed") from None

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a QoS 1 message over; False when the connection is gone."""
        return self._client.publish(topic, payload, qos=1, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def disconnect(self) -> None:
        """Say goodbye: the broker forgets the will."""
        self._stop_ticking()
        self._client.disconnect()
        # paho writes at once; what remains of the socket goes with it.
        self._client.loop_write()
        self.drop()

    def drop(self) -> None:
        """Break off without a word, as a power cut would: the broker publishes the will."""
        self._stop_ticking()
        if self._socket is not None:
            sock, self._socket = self._socket, None
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _tick(self) -> None:
        self._client.loop_misc()
        self._ticker = self._loop.call_later(1.0, self._tick)

    def _stop_ticking(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None

    def _on_socket_open(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        self._socket = sock
        self._loop.add_reader(sock, self._client.loop_read)

    def _on_socket_close(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        self._socket = None
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    def _on_socket_register_write(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        self._loop.add_writer(sock, self._client.loop_write)

    def _on_socket_unregister_write(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        self._loop.remove_writer(sock)

    def _on_connect(
        self, client: mqtt.Client, userdata: Any, flags: mqtt.ConnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        if self._connected.done():
            return
        if not reason.is_failure:
            self._connected.set_result(None)
        elif reason.getName() == "Unsupported protocol version":
            self._connected.set_exception(UnsupportedVersionError(f"{self._url}: {reason}"))
        else:
            self._connected.set_exception(SimulatorError(f"{self._url}: refused: {reason}"))

    def _on_disconnect(
        self, client: mqtt.Client, userdata: Any, flags: mqtt.DisconnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        self._stop_ticking()
        if not self._connected.done():
            # A broker of 3.1.1 may hang up on a CONNECT of version 5 without a word.
            self._connected.set_exception(UnsupportedVersionError(f"{self._url}: hung up: {reason}"))
        if not self.lost.done():
            self.lost.set_result(str(reason))

    def _on_subscribe(
        self, client: mqtt.Client, userdata: Any, mid: int, reasons: list[ReasonCode], properties: Any
    ) -> None:
        done = self._subscribed.pop(mid, None)
        if done is None or done.done():
            return
        if any(reason.is_failure for reason in reasons):
            done.set_exception(SimulatorError(f"{self._url}: the subscription was refused: {reasons[0]}"))
        else:
            done.set_result(None)
