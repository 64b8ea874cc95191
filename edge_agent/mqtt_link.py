"""One MQTT connection on the event loop: connects, connects again, hands messages over. The only user of paho here.

MQTT 5 is tried first and 3.1.1 where the broker does not know it. Every connection is a new paho client, so nothing of
an old one is sent again behind our back: what must be sent again is its owner's business, and durable.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.backoff import Backoff
from edge_agent.errors import ConfigError, UplinkError
from wire.clock import Clock

KEEPALIVE_S: Final = 10
_CONNECT_TIMEOUT_S: Final = 5.0
_CONNACK_TIMEOUT_S: Final = 10.0
# A broker may neither answer nor hang up on a protocol that it does not know (amqtt 0.11 does so with MQTT 5).
_OTHER_VERSION_TIMEOUT_S: Final = 3.0
_SESSION_EXPIRY_S: Final = 300
_UNSUPPORTED_VERSION: Final = "Unsupported protocol version"
MqttVersion = Literal["auto", "5", "3.1.1"]


class _TlsSocket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho forgets such a socket, and every retry would leave one behind."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


class Message(NamedTuple):
    """A message as it came. `mid` and `qos` are for `MqttLink.confirm`."""

    topic: str
    payload: bytes
    is_retained: bool
    mid: int
    qos: int


class Will(NamedTuple):
    """What the broker says for us when we are gone; retained, QoS 1."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """Where and how to connect."""

    url: str
    client_id: str
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    version: MqttVersion = "auto"
    is_persistent: bool = False
    """Whether the broker keeps the session (five minutes) while we are away."""
    confirms_itself: bool = True
    """False: a QoS 1 message stays unacknowledged until `confirm`; the broker sends it again after a reconnection."""

    @property
    def address(self) -> tuple[str, int, bool]:
        """(host, port, whether TLS). Raises ConfigError."""
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"{self.url}: {error}; write mqtt://host:1883 or mqtts://host:8883") from error
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise ConfigError(f"{self.url}: write mqtt://host:1883 or mqtts://host:8883")
        is_tls = parts.scheme == "mqtts"
        return parts.hostname, port or (8883 if is_tls else 1883), is_tls

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context (1.2 or newer, hostname checked), or None. Raises ConfigError for files that do not fit."""
        if not self.address[2]:
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.sslsocket_class = _TlsSocket
            if self.cert_file is not None:
                context.load_cert_chain(str(self.cert_file), str(self.key_file) if self.key_file else None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{self.url}: the TLS files cannot be used: {error}; check ca, cert and key") from error
        return context


class MqttLink:
    """Keeps one connection. `run` until cancelled; `on_message`, `on_up` and `on_down` are called on the loop."""

    def __init__(
        self,
        options: MqttOptions,
        clock: Clock,
        *,
        subscriptions: Sequence[str],
        on_message: Callable[[Message], None],
        on_up: Callable[[], None] = lambda: None,
        on_down: Callable[[str], None] = lambda reason: None,
        will: Will | None = None,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self._options = options
        self._clock = clock
        self._subscriptions = list(subscriptions)
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._will = will
        self._backoff = Backoff(first_s=0.5, most_s=5.0, jitter=jitter)
        self._is_v5 = options.version != "3.1.1"
        self._session: _Session | None = None
        self.detail = "not connected yet"
        """Why there is no connection, for a person; the protocol when there is one."""

    @property
    def is_up(self) -> bool:
        """Whether the broker has accepted us and the subscriptions are made."""
        return self._session is not None and self._session.is_up

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand a message to the connection. False when there is none; True promises nothing about its arrival."""
        session = self._session
        if session is None or not session.is_up:
            return False
        return session.client.publish(topic, payload, qos=qos, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def subscribe(self, topic: str) -> None:
        """Listen to one topic more, now and after every reconnection. A broker's refusal shows as silence."""
        if topic in self._subscriptions:
            return
        self._subscriptions.append(topic)
        if self._session is not None and self._session.is_up:
            self._session.client.subscribe(topic, qos=1)

    def confirm(self, message: Message) -> None:
        """Acknowledge a message to the broker, when `confirms_itself` is off and the connection it came by lives."""
        if self._session is not None and message.qos:
            self._session.client.ack(message.mid, message.qos)

    async def run(self) -> None:
        """Connect, stay connected, connect again: until cancelled. Raises ConfigError for TLS files that do not fit."""
        tls = self._options.tls()
        while True:
            session = _Session(self._options, tls, self._will, is_v5=self._is_v5)
            self._session = session
            try:
                await session.connect(self._subscriptions, self._on_message)
                self._backoff.reset()
                self.detail = f"connected, MQTT {'5' if self._is_v5 else '3.1.1'}"
                self._on_up()
                await session.lost
            except UplinkError as error:
                self.detail = str(error)
            finally:
                was_up = session.is_up
                session.drop()
                self._session = None
                if was_up:
                    self._on_down(self.detail)
            if session.speaks_other_version and self._options.version == "auto":
                self._is_v5 = not self._is_v5
            await self._clock.sleep(self._backoff.next_s())

    async def say_goodbye(self, topic: str, payload: bytes) -> None:
        """Publish a last retained message and disconnect properly, within a second."""
        session = self._session
        if session is None or not session.is_up:
            return
        info = session.client.publish(topic, payload, qos=1, retain=True)
        for _ in range(50):
            if info.is_published():
                break
            await asyncio.sleep(0.02)
        self.detail = "disconnected: the agent is stopping"
        session.client.disconnect()
        await asyncio.sleep(0)


class _Session:
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
