"""One MQTT session with the broker, driven by the thread that owns it. The only user of paho on this side.

The owner reads when it has room and not otherwise: what it does not read stays in the socket and in the broker. That
is the back-pressure, because brokers send a resumed backlog far beyond the receive maximum (Mosquitto 2.0.11: 4,469
unacknowledged messages at a limit of 20). A message is acknowledged to the broker by `confirm`, after the commit.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub.errors import ConfigError, LinkError
from hub.ingest.client import FramedClient, FramedSocket, Publish
from wire.clock import Clock
from wire.topics import Leaf, every_gateway

KEEPALIVE_S: Final = 60
_ANSWER_S: Final = 10.0
_CONNECT_S: Final = 5.0
_SESSION_EXPIRY_S: Final = 120
"""Long enough for a restart. A share deals to sessions that are away, too: one that never comes back must end soon."""
_LARGEST_PACKET: Final = 1024 * 1024
_UNACKNOWLEDGED: Final = 20_000
_UNSUPPORTED_VERSION: Final = "Unsupported protocol version"
MqttVersion = Literal["auto", "5", "3.1.1"]


class Incoming(NamedTuple):
    """A message as it came. `mid`, `qos` and `generation` are for `HubLink.confirm`."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    generation: int
    arrived_s: float


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """Where and how to connect."""

    url: str
    client_id: str
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    version: MqttVersion = "auto"
    share: str = "hub"
    """Hubs that name the same share divide the events among them (MQTT 5)."""
    carries_events: bool = True
    """False: status and replies only."""

    @property
    def address(self) -> tuple[str, int, bool]:
        """(host, port, whether TLS). Raises ConfigError."""
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"--mqtt {self.url}: {error}; write mqtt://host:1883 or mqtts://host:8883") from error
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise ConfigError(f"--mqtt {self.url}: write mqtt://host:1883 or mqtts://host:8883")
        is_tls = parts.scheme == "mqtts"
        return parts.hostname, port or (8883 if is_tls else 1883), is_tls

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context (1.2 or newer, hostname checked), or None. Raises ConfigError for files that do not fit."""
        if not self.address[2]:
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert_file is not None:
                context.load_cert_chain(str(self.cert_file), str(self.key_file) if self.key_file else None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{self.url}: the TLS files cannot be used: {error}; check ca, cert and key") from error
        return context


class HubLink:
    """Connects, reads, answers. Everything but `wake` belongs to one thread."""

    def __init__(self, options: LinkOptions, clock: Clock) -> None:
        """Raises ConfigError for an address or TLS files that do not fit."""
        self._options = options
        self._address = options.address
        self._tls = options.tls()
        self._clock = clock
        self._is_v5 = options.version != "3.1.1"
        self._client: FramedClient | None = None
        self._generation = 0
        self._waiting: list[Incoming] = []
        self._refusal: str | None = None
        self._is_answered = False
        self._is_subscribed = False
        self._offers_shares = True
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self.is_up = False
        self.detail = "not connected yet"
        """Why there is no connection, for a person; the protocol when there is one."""

    def open(self) -> None:
        """Connect and subscribe. Raises LinkError that says what failed; call again later."""
        self.close()
        client = self._new_client()
        self._client = client
        self._generation += 1
        self._refusal, self._is_answered, self._is_subscribed = None, False, False
        try:
            self._connect(client)
            self._await("the connection", lambda: self._is_answered)
            for filters in self._filters():
                self._is_subscribed = False
                client.subscribe(filters)
                # A resumed session's backlog may come before the answer, and shows as well that we are subscribed.
                self._await("the subscription", lambda: self._is_subscribed or bool(self._waiting))
        except (OSError, ssl.SSLError) as error:
            self.close()
            self.detail = f"{self._options.url}: {_plain(error)}"
            raise LinkError(self.detail) from error
        except LinkError as error:
            is_hung_up = not self._is_answered
            self.close()
            self.detail = str(error)
            # A broker that does not know MQTT 5 says so, or just hangs up on it.
            if self._options.version == "auto" and (is_hung_up or _UNSUPPORTED_VERSION in self.detail):
                self._is_v5 = not self._is_v5
            raise
        self.is_up = True
        shared = ", shared" if self._shares else ""
        self.detail = f"connected, MQTT {'5' if self._is_v5 else '3.1.1'}{shared}"

    def receive(self, timeout_s: float, max_messages: int, max_bytes: int) -> list[Incoming]:
        """What has arrived, up to the bounds; waits for the first at most `timeout_s`. Raises LinkError when lost."""
        self._pump(0.0 if self._waiting else timeout_s, max_messages, max_bytes)
        messages, self._waiting = self._waiting, []
        return messages

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand a message to the connection, QoS 1. False when there is none or when too many wait unacknowledged."""
        if self._client is None or not self.is_up:
            return False
        return self._client.publish(topic, payload, qos=1).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def confirm(self, messages: Iterable[Incoming]) -> None:
        """Tell the broker that these are done with; those of an earlier connection it will send again by itself."""
        client = self._client
        if client is None or client.framed is None or not self.is_up:
            return
        client.confirm([message.mid for message in messages if message.qos and message.generation == self._generation])
        self._flush(client.framed)

    def wake(self) -> None:
        """From any thread: have `receive` return soon."""
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: nobody sleeps there
            self._wake_writer.send(b".")

    def close(self) -> None:
        """Let go of the connection; the broker keeps the session."""
        client, self._client = self._client, None
        self.is_up = False
        self._waiting = []
        if client is not None:
            client.on_disconnect = None
            client.disconnect()
            if client.framed is not None:
                client.framed.close()

    def end(self) -> None:
        """Close for good."""
        self.close()
        self._wake_reader.close()
        self._wake_writer.close()

    # -- inside ---------------------------------------------------------------------------------------------------

    def _new_client(self) -> FramedClient:
        client = FramedClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._options.client_id,
            clean_session=None if self._is_v5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if self._is_v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_S
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(_UNACKNOWLEDGED)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if self._options.username is not None:
            client.username_pw_set(self._options.username, self._options.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        return client

    def _connect(self, client: FramedClient) -> None:
        host, port, _ = self._address
        if self._is_v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
            properties.SessionExpiryInterval = _SESSION_EXPIRY_S
            properties.MaximumPacketSize = _LARGEST_PACKET
            client.connect(host, port, keepalive=KEEPALIVE_S, clean_start=False, properties=properties)
        else:
            client.connect(host, port, keepalive=KEEPALIVE_S)

    @property
    def _shares(self) -> bool:
        return self._is_v5 and self._offers_shares and self._options.carries_events

    def _filters(self) -> list[list[tuple[str, int]]]:
        """Each list is one SUBSCRIBE packet."""
        plain = [(every_gateway(leaf), 1) for leaf in (Leaf.STATUS, Leaf.REPLY)]
        if not self._options.carries_events:
            return [plain]
        share = self._options.share if self._shares else None
        return [[(every_gateway(Leaf.EVENT, share=share), 1), *plain]]

    def _await(self, what: str, is_done: Any) -> None:
        end_s = self._clock.monotonic() + _ANSWER_S
        while not is_done():
            left_s = end_s - self._clock.monotonic()
            if left_s <= 0:
                raise LinkError(f"{self._options.url}: no answer to {what} within {_ANSWER_S:.0f} s")
            self._pump(left_s, 1, 1)

    def _pump(self, timeout_s: float, max_messages: int, max_bytes: int) -> None:
        """Write what waits, read until dry or full. Raises LinkError when the connection is lost."""
        client = self._client
        if client is None or client.framed is None:
            raise LinkError(self.detail)
        framed = client.framed
        if timeout_s > 0 and framed.is_dry and not framed.pending():
            self._poll(client, framed, timeout_s)
        framed.is_dry = False
        size = sum(len(message.payload) for message in self._waiting)
        arrived_s = self._clock.monotonic()
        while not framed.is_dry and len(self._waiting) < max_messages and size < max_bytes:
            message = client.read_packet()
            if message is not None:
                size += len(message.payload)
                self._take(message, arrived_s)
            elif self._refusal is not None or client.socket() is None:
                self._refusal = self._refusal or f"{self._options.url}: connection lost"
                break
        if client.want_write():
            client.loop_write()
        client.loop_misc()
        self._flush(framed)
        if self._refusal is not None:
            refusal = self._refusal
            was_up = self.is_up
            if was_up:
                self.close()
            self.detail = refusal
            raise LinkError(refusal)

    def _flush(self, framed: FramedSocket) -> None:
        try:
            framed.flush()
        except OSError as error:
            self._refusal = self._refusal or f"{self._options.url}: connection lost: {_plain(error)}"

    def _take(self, message: Publish, arrived_s: float) -> None:
        try:
            topic = message.topic.decode()
        except UnicodeDecodeError:
            topic = ""  # MQTT forbids it; what has no readable topic is no message of ours
        self._waiting.append(Incoming(topic, message.payload, message.mid, message.qos, self._generation, arrived_s))

    def _poll(self, client: FramedClient, framed: FramedSocket, timeout_s: float) -> None:
        """Wait for the socket or a wake-up. poll, because select knows no descriptor above 1023."""
        if framed.fileno() < 0:
            raise LinkError(self._refusal or self.detail)
        poll = select.poll()
        wants_write = framed.wants_write or client.want_write()
        poll.register(framed.fileno(), select.POLLIN | (select.POLLOUT if wants_write else 0))
        poll.register(self._wake_reader.fileno(), select.POLLIN)
        # Pings are due between: never sleep longer than a part of the keep-alive.
        for descriptor, _ in poll.poll(min(timeout_s, KEEPALIVE_S / 4) * 1000):
            if descriptor == self._wake_reader.fileno():
                self._drain_wakes()

    def _drain_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_reader.recv(4096):
                pass

    # -- paho's callbacks, on the owner's thread --------------------------------------------------------------------

    def _on_connect(
        self, client: mqtt.Client, userdata: Any, flags: mqtt.ConnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = f"{self._options.url}: the broker refuses us: {reason}"
            return
        self._offers_shares = getattr(properties, "SharedSubscriptionAvailable", 1) == 1
        self._is_answered = True

    def _on_subscribe(
        self, client: mqtt.Client, userdata: Any, mid: int, reasons: Sequence[ReasonCode], properties: Any
    ) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._refusal = f"{self._options.url}: the broker refuses our subscription: {refused[0]}"
        self._is_subscribed = True

    def _on_disconnect(
        self, client: mqtt.Client, userdata: Any, flags: mqtt.DisconnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        if self._refusal is None:
            self._refusal = f"{self._options.url}: connection lost: {reason}"


def _plain(error: OSError) -> str:
    """What a person needs of a socket's or TLS's error."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not good: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved: {error.strerror}"
    return error.strerror or str(error) or type(error).__name__
