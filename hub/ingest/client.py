"""paho's client on a socket of our own, which frames packets, decodes PUBLISH itself and joins small writes.

paho reads a packet in three system calls and, in MQTT 5, makes a table of all properties for each message: 45 µs a
message, where everything else that ingest does with a single event takes 25. So PUBLISH is decoded here; every other
packet, and everything about the session, is paho's.

    PUBLISH: 0011 dup qos qos retain | remaining length (1-4) | topic length (2) | topic | packet id (2, QoS 1) |
             MQTT 5: properties length (1-4) | properties | payload
"""

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTProtocolVersion

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

_READ_BYTES: Final = 256 * 1024
_WRITE_BYTES: Final = 1024 * 1024
_PUBLISH: Final = 0x30
_QOS_2: Final = 0x04


class Publish(NamedTuple):
    """A message from the broker. `mid` is 0 at QoS 0. `topic` is as it came."""

    topic: bytes
    payload: bytes
    qos: int
    mid: int


class FramedSocket:
    """Gives paho whole packets only, and keeps what is to be written until `flush`."""

    def __init__(self, inner: "SocketLike") -> None:
        self._inner = inner
        self._buffer = bytearray()
        self._at = 0
        self._out = bytearray()
        self.is_dry = False
        """The last read found nothing: wait before the next."""
        self.has_ended = False

    def next_packet(self) -> tuple[int, int, int] | None:
        """(first byte's place, body's place, end's place) of the next whole packet; None when it is not there yet."""
        while True:
            found = _frame(self._buffer, self._at)
            if found is not None:
                return found
            if len(self._buffer) - self._at >= 5 and _length(self._buffer, self._at + 1) is None:
                # No length has five bytes: this is no MQTT, and waiting for more would fill the memory.
                self._buffer.clear()
                self._at, self.has_ended = 0, True
            if self.has_ended or not self._fill():
                return None

    def _fill(self) -> bool:
        """Read more; False when there is nothing now, or nothing ever."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        try:
            data = self._inner.recv(_READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            self.is_dry = True
            return False
        self.has_ended = not data
        self._buffer += data
        return bool(data)

    def take_publish(self, packet: tuple[int, int, int], *, is_v5: bool) -> Publish | None:
        """The packet decoded when it is a PUBLISH of QoS 0 or 1, else None; then it is still there for paho."""
        start, at, end = packet
        head = self._buffer[start]
        if head & 0xF0 != _PUBLISH or head & _QOS_2 or end - at < 2:
            return None
        topic_end = at + 2 + int.from_bytes(self._buffer[at : at + 2], "big")
        topic = bytes(self._buffer[at + 2 : topic_end])
        qos, mid, at = (head >> 1) & 1, 0, topic_end
        if qos:
            mid = int.from_bytes(self._buffer[at : at + 2], "big")
            at += 2
        if is_v5:
            properties = _length(self._buffer, at)
            if properties is None:
                return None
            at = properties[1] + properties[0]
        if at > end or not topic:
            return None
        self._at = end
        return Publish(topic, bytes(self._buffer[at:end]), qos, mid)

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._out)

    def flush(self) -> None:
        """Write what waits, as far as the kernel takes it. Raises OSError when the connection is lost."""
        while self._out:
            try:
                sent = self._inner.send(self._out[:_READ_BYTES])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            del self._out[:sent]

    # -- what paho asks of a socket -----------------------------------------------------------------------------------

    def recv(self, size: int) -> bytes:
        """From the buffer only: `next_packet` has seen the whole packet."""
        if self._at >= len(self._buffer):
            if self.has_ended:
                return b""
            raise BlockingIOError
        piece = bytes(self._buffer[self._at : self._at + size])
        self._at += len(piece)
        return piece

    def send(self, buffer: bytes | bytearray) -> int:
        """Keep it for `flush`."""
        if len(self._out) > _WRITE_BYTES:
            raise BlockingIOError
        self._out += buffer
        return len(buffer)

    def close(self) -> None:
        """Try to say what waits, then close."""
        with contextlib.suppress(OSError):
            self.flush()
        self._inner.close()

    def fileno(self) -> int:
        """The descriptor, -1 when closed."""
        return self._inner.fileno()

    def pending(self) -> int:
        """Bytes that TLS has decrypted and nobody has read."""
        return self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0

    def setblocking(self, flag: bool) -> None:
        """As of any socket."""
        self._inner.setblocking(flag)


class FramedClient(mqtt.Client):
    """paho's client that is read one packet at a time."""

    framed: FramedSocket | None = None

    def _create_socket(self) -> "SocketLike":
        sock = super()._create_socket()
        if isinstance(sock, socket.socket):
            # An acknowledgement must not wait for a fuller packet.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.framed = FramedSocket(sock)
        return self.framed

    def read_packet(self) -> Publish | None:
        """Read one packet, if it is there: a message is returned, anything else is handled by paho."""
        framed = self.framed
        if self._sock is None or framed is None:
            return None
        packet = framed.next_packet()
        if packet is not None:
            message = framed.take_publish(packet, is_v5=self._protocol == MQTTProtocolVersion.MQTTv5)
            if message is not None:
                return message
        elif not framed.has_ended:
            return None
        code = self._packet_read()
        if code > 0:
            self._loop_rc_handle(code)
        return None

    def confirm(self, mids: list[int]) -> None:
        """PUBACK for each of these."""
        if self.framed is not None:
            self.framed.send(b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids))


def _frame(buffer: bytearray, start: int) -> tuple[int, int, int] | None:
    """Where the packet that begins at `start` has its body and its end; None when it is not whole."""
    length = _length(buffer, start + 1)
    if length is None or length[1] + length[0] > len(buffer):
        return None
    return start, length[1], length[1] + length[0]


def _length(buffer: bytearray, at: int) -> tuple[int, int] | None:
    """A variable byte integer at `at`: (value, the place after it); None when it is cut off or has no end."""
    value = 0
    for index in range(4):
        if at + index >= len(buffer):
            return None
        byte = buffer[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, at + index + 1
    return None
