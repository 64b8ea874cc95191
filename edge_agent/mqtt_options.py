"""How to connect to an MQTT broker, and what passes over the connection."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from edge_agent.errors import ConfigError

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
