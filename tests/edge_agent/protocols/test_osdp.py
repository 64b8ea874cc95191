"""OSDP frames: the five tests of a framer, the standard's and recorded vectors, and recordings without secrets."""

import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.protocols.osdp import MAX_FRAME, Frame, FrameError, Framer, build, parse, scrub
from edge_agent.protocols.osdp_items import message_of
from firmware_profiles.transports import OsdpTransport

# Recorded between libosdp 3.2.9's control panel and its peripheral device, address 0x65.
RECORDED = {
    "ID": "53 65 09 00 04 61 00 d9 7a",
    "PDID": "53 e5 14 00 04 45 ff000a 01 01 78563412 010203 c1 a1",
    "POLL": "53 65 08 00 06 60 02 f6",
    "ACK": "53 e5 08 00 06 40 b0 f0",
    "RAW": "53 e5 10 00 05 50 00 01 1a00 8cb2c140 e3 3a",
    "KEYPAD": "53 e5 10 00 05 53 00 06 31 32 33 34 35 23 21 9f",
    "LSTATR": "53 e5 0a 00 05 48 01 00 16 3e",
    "BUZ": "53 65 0d 00 06 6a 00 02 01 01 01 3d 17",
    "OUT": "53 65 0c 00 07 68 00 05 32 00 53 16",
}
# SIA OSDP v2.2, annex E (as in libosdp's unit tests).
ANNEX_E = {"COMSET": "53 7F 0D 00 04 6E 00 80 25 00 00 6E 38", "ID": "53 00 09 00 04 61 00 C0 66"}

FRAMES = st.builds(
    build,
    address=st.integers(0, 0x7F),
    code=st.integers(0, 0xFF),
    data=st.binary(max_size=200),
    sequence=st.integers(0, 3),
    is_reply=st.booleans(),
)


def frames_in(found: list[Frame | FrameError]) -> list[bytes]:
    return [item.raw for item in found if isinstance(item, Frame)]


@pytest.mark.parametrize(("name", "text"), [*RECORDED.items(), *ANNEX_E.items()])
def test_every_recorded_frame_is_read_and_named(name: str, text: str):
    [frame] = Framer().feed(b"\xff" + bytes.fromhex(text))
    assert isinstance(frame, Frame)
    assert frame.name == name


def test_a_checksum_of_one_byte_is_read_too():
    body = bytes.fromhex("53 65 07 00 00 60")
    [frame] = Framer().feed(body + bytes([-sum(body) & 0xFF]))
    assert isinstance(frame, Frame)
    assert frame.name == "POLL"


@given(st.integers(0, 0x7F), st.integers(0, 0xFF), st.binary(max_size=300), st.integers(0, 3), st.booleans())
def test_what_is_built_is_parsed_to_the_same(address, code, data, sequence, is_reply):
    frame = parse(build(address, code, data, sequence=sequence, is_reply=is_reply))
    assert isinstance(frame, Frame)
    assert (frame.address, frame.code, frame.data, frame.sequence, frame.is_reply) == (
        address,
        code,
        data,
        sequence,
        is_reply,
    )


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(1, 40), min_size=1))
def test_any_chunking_gives_the_same_frames(frames, sizes):
    stream = b"\xff".join(frames)
    framer, found, position, turn = Framer(), [], 0, 0
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        found += framer.feed(stream[position : position + size])
        position += size
        turn += 1
    assert frames_in(found) == frames_in(Framer().feed(stream)) == frames


@given(st.binary(max_size=20_000))
def test_noise_never_raises_and_never_grows_the_buffer(noise):
    framer = Framer()
    for start in range(0, len(noise), 97):
        framer.feed(noise[start : start + 97])
        assert len(framer._buffer) <= MAX_FRAME + 97


@given(st.binary(max_size=60), FRAMES)
def test_after_noise_a_frame_is_found_again(noise, frame):
    framer = Framer()
    found = framer.feed(noise)
    # A length in the noise may ask for more than follows: as many good frames as that are the most that it can swallow.
    for _ in range(MAX_FRAME // len(frame) + 2):
        found += framer.feed(frame)
    assert frame in frames_in(found)


@given(FRAMES, st.data())
def test_a_frame_with_a_flipped_bit_is_never_taken_for_good(frame, data):
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    broken = bytearray(frame)
    broken[bit // 8] ^= 1 << bit % 8
    # Bit 2 of CTRL turns the CRC into a sum: one in 256 such frames would pass, and is no frame of the CRC kind.
    found = [raw for raw in frames_in(Framer().feed(bytes(broken))) if raw[4] & 0x04]
    assert frame not in found
    assert all(raw != bytes(broken) for raw in found)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_million_mutated_frames_do_no_harm():
    count = int(os.environ.get("ANFANG_FUZZ_FRAMES", "1000000"))
    source = random.Random(26875)
    seeds = [bytes.fromhex(text) for text in [*RECORDED.values(), *ANNEX_E.values()]]
    framer, transport = Framer(), OsdpTransport(kind="osdp")
    for _ in range(count):
        frame = bytearray(source.choice(seeds))
        for _ in range(source.randint(1, 4)):
            frame[source.randrange(len(frame))] = source.randrange(256)
        if source.random() < 0.3:
            frame = frame[: source.randrange(1, len(frame) + 1)]
        for found in framer.feed(bytes(frame)):
            if isinstance(found, Frame):
                message_of(found, transport)
                scrub(found)
        assert len(framer._buffer) <= MAX_FRAME + 64
    assert frames_in(framer.feed(b"\xff" * MAX_FRAME + seeds[0]))[-1:] == [seeds[0]]


@pytest.mark.parametrize("name", ["RAW", "KEYPAD"])
def test_a_recording_keeps_no_card_and_no_digit(name: str):
    [frame] = Framer().feed(bytes.fromhex(RECORDED[name]))
    assert isinstance(frame, Frame)
    blank = parse(scrub(frame))
    assert isinstance(blank, Frame)
    assert blank.name == name
    assert len(blank.data) == len(frame.data)
    assert set(blank.data[4 if name == "RAW" else 2 :]) == {0}


def test_a_recording_keeps_what_is_no_secret():
    [frame] = Framer().feed(bytes.fromhex(RECORDED["LSTATR"]))
    assert isinstance(frame, Frame)
    assert scrub(frame) == frame.raw
