"""GB/T 26875.3-2011 against frames that other people published, and against noise."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.protocols.gb26875 import (
    Analog,
    AppData,
    Command,
    ComponentState,
    Frame,
    Framer,
    Operation,
    SystemConfig,
    SystemTime,
    TransmitterState,
    Unparsed,
    Version,
    answer_to,
    decode_app_data,
    encode_frame,
)
from edge_agent.protocols.gb26875.frame import CHINA_TIME, MAX_APP_DATA, FrameError
from edge_agent.protocols.gb26875.names import TYPE_FLAGS
from edge_agent.protocols.gb26875.objects import decode_note, encode_note
from edge_agent.protocols.gb26875_items import CHANNELS
from firmware_profiles.checks import GB_CHANNELS

HEAD = "40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00"
FROM_CENTRE = "40 40 01 00 01 01 20 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00"
AT = datetime(2012, 9, 26, 9, 58, 2, tzinfo=CHINA_TIME)

# The worked examples in the notes of github.com/ActorLancer/GB-T-26875.3.2011-rs.
EXAMPLES = {
    "smoke detector on fire": f"{HEAD} 30 00 02 02 01 01 01 28 0A 00 02 00 02 00 {'20 ' * 30} 00 02 3A 09 1A 09 0C 46 23 23",
    "centre confirms": "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 03 AB 23 23",
    "centre denies": "40 40 01 00 01 01 23 3A 09 1A 09 0C 38 5B 01 00 00 00 79 03 00 00 00 00 00 00 06 AE 23 23",
    "mains failure": f"{HEAD} 09 00 02 15 01 08 02 3A 09 1A 09 0C 42 23 23",
    "duty answer": f"{HEAD} 0A 00 02 18 01 20 01 02 3A 09 1A 09 0C 5F 23 23",
    "version": f"{HEAD} 04 00 02 19 01 01 01 C7 23 23",
    "time": f"{HEAD} 08 00 02 1C 01 02 3A 09 1A 09 0C 40 23 23",
    "read state": f"{FROM_CENTRE} 03 00 04 51 01 00 FE 23 23",
    "answer to it": f"{HEAD} 09 00 05 15 01 08 02 3A 09 1A 09 0C 45 23 23",
    "initialise": f"{FROM_CENTRE} 03 00 01 59 01 00 03 23 23",
    "synchronise": f"{FROM_CENTRE} 08 00 01 5A 01 02 3A 09 1A 09 0C 7D 23 23",
    "duty check": f"{FROM_CENTRE} 03 00 01 5B 01 0A 0F 23 23",
}
# A field capture in the tests of github.com/shootingfans/codec_gb26875_3_2011: fire, although bit 0 is unset.
CAPTURE = bytes.fromhex(
    "404000000101180d11160a1400000000000006050403020130000202010103 00d9000600 0200"
    "a3c1c7f8a3b1b2e3dfc8b2b8d7dfc0c80000000000000000000000000000003012130108146823 23"
)


def frames_of(data: bytes) -> list[Frame | FrameError]:
    return list(Framer().feed(data))


def only_frame(data: bytes) -> Frame:
    (frame,) = frames_of(data)
    assert isinstance(frame, Frame)
    return frame


def objects_of(name: str) -> tuple[object, ...]:
    data = decode_app_data(only_frame(bytes.fromhex(EXAMPLES[name])).app_data)
    assert data is not None
    return data.objects


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_published_frame_decodes_and_encodes_to_the_same_bytes(name: str) -> None:
    data = bytes.fromhex(EXAMPLES[name])
    frame = only_frame(data)
    assert encode_frame(frame) == data
    assert (frame.serial, frame.version) == (1, (1, 1))
    assert {frame.source, frame.destination} == {0x379, 0x15B38}


def test_the_published_objects_mean_what_their_notes_say() -> None:
    assert objects_of("smoke detector on fire") == (ComponentState(1, 1, 40, 10, 2, 2, "", AT),)
    assert objects_of("mains failure") == (TransmitterState(8, AT),)
    assert objects_of("mains failure")[0].states == ("mains_fault",)  # type: ignore[attr-defined]  # seen one line up
    assert objects_of("duty answer") == (Operation(0x20, 1, AT),)
    assert objects_of("duty answer")[0].operations == ("duty_answer",)  # type: ignore[attr-defined]  # as above
    assert objects_of("version") == (Version(1, 1),)
    assert objects_of("time") == (SystemTime(AT),)
    assert decode_app_data(only_frame(bytes.fromhex(EXAMPLES["centre confirms"])).app_data) is None
    (request,) = objects_of("read state")
    assert isinstance(request, Unparsed)
    assert request.data == b"\0"


def test_a_field_capture_is_a_fire_although_its_normal_bit_is_unset() -> None:
    data = decode_app_data(only_frame(CAPTURE).app_data)
    assert data is not None
    (state,) = data.objects
    assert isinstance(state, ComponentState)
    assert state.is_fire
    assert state.states == ("fire",)
    assert state.note == "Ａ区１层呷哺走廊"
    assert state.at == datetime(2020, 8, 1, 19, 18, 48, tzinfo=CHINA_TIME)


def test_an_answer_goes_back_with_the_same_serial_and_exchanged_addresses() -> None:
    asked = only_frame(bytes.fromhex(EXAMPLES["mains failure"]))
    answer = answer_to(asked, Command.CONFIRM, datetime(2012, 9, 26, 9, 58, 35, tzinfo=CHINA_TIME))
    published = only_frame(bytes.fromhex(EXAMPLES["centre confirms"]))
    assert (answer.serial, answer.source, answer.destination, answer.command) == (
        published.serial,
        published.source,
        published.destination,
        published.command,
    )


frames = st.builds(
    Frame,
    serial=st.integers(0, 0xFFFF),
    command=st.integers(0, 255),
    # Heads and tails inside the data must not confuse the framer.
    app_data=st.lists(st.sampled_from([b"@@", b"##", b"@", b"#", b"\0"]) | st.binary(max_size=40), max_size=20).map(b"".join),
    source=st.integers(0, 2**48 - 1),
    destination=st.integers(0, 2**48 - 1),
    at=st.none()
    | st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(CHINA_TIME)).map(lambda at: at.replace(microsecond=0)),
    version=st.tuples(st.integers(0, 255), st.integers(0, 255)),
)  # fmt: skip


@given(frames)
def test_a_frame_comes_back_as_it_went(frame: Frame) -> None:
    assert only_frame(encode_frame(frame)) == frame


@given(st.lists(frames, max_size=5), st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_any_chunking_gives_the_same_frames(sent: list[Frame], sizes: list[int]) -> None:
    data = b"".join(map(encode_frame, sent))
    framer, got, at, turn = Framer(), list[Frame | FrameError](), 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        got += framer.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert got == sent


@given(st.binary(max_size=5000))
def test_noise_never_grows_the_buffer(noise: bytes) -> None:
    framer = Framer()
    for at in range(0, len(noise), 100):
        list(framer.feed(noise[at : at + 100]))
        assert len(framer._buffer) <= MAX_APP_DATA + 30


@given(st.binary(max_size=200).filter(lambda noise: b"@" not in noise), frames, frames)
def test_a_good_frame_behind_noise_and_a_broken_frame_is_found(noise: bytes, first: Frame, second: Frame) -> None:
    broken = bytearray(encode_frame(first))
    broken[-3] ^= 0xFF
    framer = Framer()
    got = list(framer.feed(noise + bytes(broken) + noise + encode_frame(second)))
    # A false head inside the broken frame may still wait for bytes; silence ends that.
    got += framer.idle()
    assert second in got
    assert len(framer._buffer) < 2
    assert any(isinstance(item, FrameError) for item in got)


@given(st.binary(max_size=300))
def test_application_data_never_raises(data: bytes) -> None:
    decoded = decode_app_data(data)
    assert decoded is None if not data else isinstance(decoded, AppData)


def test_a_cut_object_keeps_the_good_ones_before_it() -> None:
    good = bytes([21, 2, 8]) + bytes.fromhex("023A091A090C")
    assert decode_app_data(good + b"\x01\x02") == AppData(
        21, (TransmitterState(8, AT), Unparsed("object 2 of 2 is cut off", b"\x01\x02"))
    )
    assert decode_app_data(bytes([200, 1]) + b"own") == AppData(
        200, (Unparsed("type flag 200 has no layout here", b"own"),)
    )
    behind = decode_app_data(bytes([25, 1, 3, 4, 9]))
    assert behind == AppData(25, (Version(3, 4), Unparsed("1 bytes behind the last of 1 objects", b"\x09")))


def test_analog_values_carry_their_units() -> None:
    body = bytes([3, 1, 1, 1, 31, 5, 0, 7, 0, 3]) + (-55).to_bytes(2, "little", signed=True) + bytes(6)
    decoded = decode_app_data(body)
    assert decoded is not None
    (analog,) = decoded.objects
    assert isinstance(analog, Analog)
    assert (analog.value, analog.unit, analog.zone, analog.position, analog.at) == (-5.5, "°C", 5, 7, None)


def test_configurations_are_text() -> None:
    text = "三层走廊".encode("gb18030")
    assert decode_app_data(bytes([6, 1, 1, 2, len(text)]) + text) == AppData(6, (SystemConfig("三层走廊", 1, 2),))
    assert decode_app_data(bytes([26, 1, 2]) + b"v2") == AppData(26, (SystemConfig("v2"),))


@given(st.text(alphabet="楼层走廊Ａ1a @#", max_size=40))
def test_a_note_is_cut_between_characters(text: str) -> None:
    encoded = encode_note(text)
    assert len(encoded) == 31
    assert "�" not in decode_note(encoded)
    assert text.strip().startswith(decode_note(encoded)[:1])


def test_all_type_flags_of_the_standard_have_a_name() -> None:
    assert set(TYPE_FLAGS) == {*range(1, 9), 21, 24, 25, 26, 28, *range(61, 69), 81, 84, 85, 86, 88, 89, 90, 91}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (Frame(70_000, 2), "does not fit"),
        (Frame(1, 300), "does not fit"),
        (Frame(1, 2, source=-1), "does not fit"),
        (Frame(1, 2, app_data=bytes(1025)), "over 1024"),
        (Frame(1, 2, at=datetime(2012, 1, 1)), "no time zone"),
        (Frame(1, 2, at=datetime(1999, 1, 1, tzinfo=UTC)), "two digits"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(frame: Frame, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        encode_frame(frame)


@pytest.mark.slow
def test_a_million_mutated_frames_never_raise() -> None:
    dice = random.Random(26875)
    originals = [bytes.fromhex(example) for example in EXAMPLES.values()] + [CAPTURE]
    framer, good = Framer(), 0
    for _ in range(1_000_000):
        data = bytearray(dice.choice(originals))
        for _ in range(dice.randrange(4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        for item in framer.feed(bytes(data)):
            if isinstance(item, Frame):
                good += 1
                decode_app_data(item.app_data)
    assert good > 200_000
    assert len(framer._buffer) <= MAX_APP_DATA + 60


def test_the_profile_language_knows_the_names_of_all_types():
    assert set(GB_CHANNELS) == set(CHANNELS.values())
