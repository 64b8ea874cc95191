"""One paho client on the event loop, from connect to loss. The only user of paho in the agent."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.errors import UplinkError
from edge_agent.mqtt_options import Message, MqttOptions, Will

KEEPALIVE_S: Final = 10
_CONNECT_TIMEOUT_S: Final = 5.0
_CONNACK_TIMEOUT_S: Final = 10.0
# A broker may neither answer nor hang up on a protocol that it does not know (amqtt 0.12 does so with MQTT 5).
_OTHER_VERSION_TIMEOUT_S: Final = 3.0
_SESSION_EXPIRY_S: Final = 300
_UNSUPPORTED_VERSION: Final = "Unsupported protocol version"


class Session:
    """One paho client from connect to loss."""

    def __init__(self, options: MqttOptions, tls: ssl.SSLContext | None, will: Will | None, *, is_v5: bool) -> None:
        self._options = options
        self._is_v5 = is_v5
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self.is_up = False
        self.speaks_other_version = False
        self._answered: asyncio.Future[None] = self._loop.create_future()
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self._ticker: asyncio.TimerHandle | None = None
        clean = None if is_v5 else not options.is_persistent
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            clean_session=clean,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=not options.confirms_itself,
            reconnect_on_failure=False,
        )
        client = self.client
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(2000)
        if tls is not None:
            client.tls_set_context(tls)
        if options.username is not None:
            client.username_pw_set(options.username, options.password)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write

    async def connect(self, subscriptions: list[str], on_message: Callable[[Message], None]) -> None:
        """Connect and subscribe. Raises UplinkError that says what failed."""
        host, port, _ = self._options.address

        def take(client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
            on_message(Message(message.topic, bytes(message.payload), message.retain, message.mid, message.qos))

        self.client.on_message = take
        where = f"{self._options.url}"
        try:
            await _in_thread(lambda: self._open(host, port))
        except (OSError, ssl.SSLError) as error:
            raise UplinkError(f"{where}: {_plain(error)}") from error
        self._tick()
        timeout_s = _OTHER_VERSION_TIMEOUT_S if self._options.version == "auto" and self._is_v5 else _CONNACK_TIMEOUT_S
        try:
            await asyncio.wait_for(asyncio.shield(self._answered), timeout_s)
            if subscriptions:
                self.client.subscribe([(topic, 1) for topic in subscriptions])
                await asyncio.wait_for(asyncio.shield(self._subscribed), _CONNACK_TIMEOUT_S)
        except TimeoutError:
            self.speaks_other_version = not self._answered.done()
            raise UplinkError(f"{where}: connected, but no MQTT answer within {timeout_s:.0f} s") from None
        self.is_up = True

    def _open(self, host: str, port: int) -> None:
        """Blocking: name, TCP, TLS; the CONNECT packet is queued."""
        if self._is_v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
            if self._options.is_persistent:
                properties.SessionExpiryInterval = _SESSION_EXPIRY_S
            clean = not self._options.is_persistent
            self.client.connect(host, port, keepalive=KEEPALIVE_S, clean_start=clean, properties=properties)
        else:
            self.client.connect(host, port, keepalive=KEEPALIVE_S)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
        """Queue a message on the socket. False when there is no room or no connection."""
        return self.client.publish(topic, payload, qos=qos, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def drop(self) -> None:
        """Let go of the socket and of the timers."""
        self.is_up = False
        if self._ticker is not None:
            self._ticker.cancel()
        sock = self.client.socket()
        if isinstance(sock, socket.socket):
            self._forget(sock)
            with contextlib.suppress(OSError):
                sock.close()
        for future in (self._answered, self._subscribed, self.lost):
            if not future.done():
                future.cancel()
            elif not future.cancelled():
                future.exception()  # seen, or of no interest any more

    def _tick(self) -> None:
        """Pings and their time-out."""
        self.client.loop_misc()
        self._ticker = self._loop.call_later(1.0, self._tick)

    # -- paho's callbacks; the first three on the loop, the socket's possibly on the connecting thread ---------------

    def _on_connect(
        self, client: mqtt.Client, userdata: Any, flags: mqtt.ConnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        if self._answered.done():
            return
        if reason.is_failure:
            self.speaks_other_version = str(reason) == _UNSUPPORTED_VERSION
            self._answered.set_exception(UplinkError(f"{self._options.url}: the broker refuses us: {reason}"))
        else:
            self._answered.set_result(None)

    def _on_subscribe(
        self, client: mqtt.Client, userdata: Any, mid: int, reasons: list[ReasonCode], properties: Any
    ) -> None:
        if self._subscribed.done():
            return
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._subscribed.set_exception(
                UplinkError(f"{self._options.url}: the broker refuses our subscription: {refused[0]}")
            )
        else:
            self._subscribed.set_result(None)

    def _on_disconnect(
        self, client: mqtt.Client, userdata: Any, flags: mqtt.DisconnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        error = UplinkError(f"{self._options.url}: connection lost: {reason}")
        if not self._answered.done():
            # A broker that does not know MQTT 5 may just hang up on it.
            self.speaks_other_version = True
            self._answered.set_exception(error)
        if not self._subscribed.done():
            self._subscribed.set_exception(error)
        if not self.lost.done():
            self.lost.set_exception(error)

    def _on_socket_open(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        # The second of two small messages, say to a second siren, does not wait 40 ms for the first one's TCP ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.call_soon_threadsafe(self._watch, sock)

    def _watch(self, sock: Any) -> None:
        if self.lost.done():  # given up while the connecting thread was still at it
            sock.close()
        elif sock.fileno() >= 0:
            self._loop.add_reader(sock, self._read, sock)

    def _read(self, sock: Any) -> None:
        self.client.loop_read()
        # TLS may have decrypted more than one packet's worth: the socket itself would not become readable for it.
        while isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
            self.client.loop_read()

    def _on_socket_close(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        self._forget(sock)

    def _forget(self, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def _on_register_write(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        self._loop.call_soon_threadsafe(self._watch_writing, sock)

    def _watch_writing(self, sock: Any) -> None:
        if sock.fileno() >= 0 and not self.lost.done():
            self._loop.add_writer(sock, self.client.loop_write)

    def _on_unregister_write(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock)


async def _in_thread(function: Callable[[], None]) -> None:
    """Run on a daemon thread, so that a name server that does not answer never delays the end of the program."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def work() -> None:
        error: BaseException | None = None
        try:
            function()
        except (OSError, ssl.SSLError, ValueError) as caught:
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=work, name="mqtt-connect", daemon=True).start()
    await done


def _plain(error: OSError) -> str:
    """What a person needs of a socket's or TLS's error."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not good: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved: {error.strerror}"
    return error.strerror or str(error) or type(error).__name__
