"""Packets from a socket: whole, in any chunking, and nothing unbounded from what is no MQTT."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ingest.client import FramedSocket, Publish


def length(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def packet(message: Publish, *, is_v5: bool, properties: bytes = b"") -> bytes:
    body = len(message.topic).to_bytes(2, "big") + message.topic
    body += message.mid.to_bytes(2, "big") if message.qos else b""
    body += length(len(properties)) + properties if is_v5 else b""
    body += message.payload
    return bytes([0x30 | message.qos << 1]) + length(len(body)) + body


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, FramedSocket]]:
    far, near = socket.socketpair()
    near.setblocking(False)
    framed = FramedSocket(near)
    yield far, framed
    far.close()
    framed.close()


def read(framed: FramedSocket, *, is_v5: bool) -> list[Publish]:
    found = []
    while (one := framed.next_packet()) is not None:
        message = framed.take_publish(one, is_v5=is_v5)
        assert message is not None
        found.append(message)
    return found


messages = st.builds(
    lambda topic, payload, mid: Publish(topic.encode(), payload, 1 if mid else 0, mid),
    st.text(min_size=1, max_size=20),
    st.binary(max_size=300),
    st.integers(0, 65535),
)


@settings(deadline=None)
@given(st.lists(messages, max_size=6), st.booleans(), st.binary(max_size=200), st.data())
def test_any_chunking_gives_the_same_messages(
    sent: list[Publish], is_v5: bool, properties: bytes, data: st.DataObject
) -> None:
    stream = b"".join(packet(message, is_v5=is_v5, properties=properties) for message in sent)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    far, near = socket.socketpair()
    near.setblocking(False)
    framed = FramedSocket(near)
    got: list[Publish] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        far.sendall(stream[start:end])
        got += read(framed, is_v5=is_v5)
    far.close()
    framed.close()
    assert got == sent


def test_other_packets_stay_for_paho(pair: tuple[socket.socket, FramedSocket]) -> None:
    far, framed = pair
    far.sendall(b"\xd0\x00" + packet(Publish(b"t", b"x", 1, 7), is_v5=False))
    pong = framed.next_packet()
    assert pong is not None
    assert framed.take_publish(pong, is_v5=False) is None
    assert framed.recv(1) + framed.recv(1) == b"\xd0\x00"
    assert read(framed, is_v5=False) == [Publish(b"t", b"x", 1, 7)]


def test_what_is_no_mqtt_ends_the_connection_instead_of_filling_the_memory(
    pair: tuple[socket.socket, FramedSocket],
) -> None:
    far, framed = pair
    far.sendall(b"\x30\xff\xff\xff\xff\xff" + b"x" * 1000)
    assert framed.next_packet() is None
    assert framed.has_ended
    assert framed.recv(1) == b""


def test_a_publish_that_lies_about_its_lengths_is_left_to_paho_to_refuse(
    pair: tuple[socket.socket, FramedSocket],
) -> None:
    far, framed = pair
    far.sendall(b"\x32\x05\x00\xffabc")
    lying = framed.next_packet()
    assert lying is not None
    assert framed.take_publish(lying, is_v5=False) is None


def test_what_is_sent_waits_for_a_flush_and_goes_in_one_piece(pair: tuple[socket.socket, FramedSocket]) -> None:
    far, framed = pair
    far.setblocking(False)
    framed.send(b"one")
    framed.send(b"two")
    with pytest.raises(BlockingIOError):
        far.recv(10)
    framed.flush()
    assert far.recv(10) == b"onetwo"
    assert not framed.wants_write


def test_more_than_a_megabyte_that_nobody_takes_is_not_kept(pair: tuple[socket.socket, FramedSocket]) -> None:
    _, framed = pair
    framed.send(b"x" * 1_100_000)
    with pytest.raises(BlockingIOError):
        framed.send(b"x")
