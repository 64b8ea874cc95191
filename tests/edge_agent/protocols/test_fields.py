"""Fields out of registers, bytes, TLV and JSON: orders, signs, masks, sentinels, checksums, and no exception ever."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.protocols.checksums import WIDTHS, checksum
from edge_agent.protocols.fields import read_fields
from edge_agent.protocols.message import Message, no_hash
from edge_agent.protocols.payload import MAX_ELEMENTS, split, value_at, walk
from firmware_profiles.model import Profile
from wire.ids import credential_ref

KEY = bytes(16)


def profile(field: dict[str, object], transport: dict[str, object], **more: object) -> Profile:
    return Profile.model_validate(
        {
            "profile": 1, "vendor": "A", "model": "B", "family": "other", "source": "test", "transport": transport,
            "fields": {"value": field}, "events": [{"kind": "device.health", "from": {"fault": "value"}}],
            "examples": [
                {"name": "a", "input": {}, "fields": {}},
                {"name": "b", "input": {}, "fails": "xxx"},
            ],
            **more,
        }
    )  # fmt: skip


MODBUS = {"kind": "modbus"}
BYTES = {"kind": "mqtt", "payload": "bytes", "topics": {"up": "x/{address}"}}
JSON = {"kind": "mqtt", "topics": {"up": "x/{address}"}}


def registers(*words: int) -> Message:
    return Message(registers={("holding", index): word for index, word in enumerate(words)})


def value(found: Profile, message: Message) -> object:
    reading = read_fields(found, message, no_hash)
    assert reading.faults == ()
    return reading.values["value"]


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ({}, (0x4048, 0xF5C3)),
        ({"word_order": "little"}, (0xF5C3, 0x4048)),
        ({"byte_order": "little"}, (0x4840, 0xC3F5)),
        ({"byte_order": "little", "word_order": "little"}, (0xC3F5, 0x4840)),
    ],
)
def test_the_four_orders_of_a_float_in_two_registers(orders, words):
    found = value(profile({"holding": 0, "type": "float32", **orders}, MODBUS), registers(*words))
    assert found == pytest.approx(3.14, abs=1e-5)


@pytest.mark.parametrize(
    ("field", "word", "expected"),
    [
        ({"type": "int16"}, 0xFFFE, -2),
        ({"type": "int16", "scale": 0.1}, 0xFF9C, -10.0),
        ({"scale": 0.5, "offset": -40.0}, 130, 25.0),
        ({"bit": 3}, 0b1000, True),
        ({"bit": 3, "invert": True}, 0b1000, False),
        ({"mask": 0x0F00}, 0x0A00, 10),
        ({"missing": [0x8000], "type": "int16"}, 0x8000, None),
        ({"missing": [-32768], "type": "int16"}, 0x8000, None),
        ({"enum": {0: False, 1: True, 2: "other"}}, 2, "other"),
        ({"enum": {1: True}, "otherwise": False}, 7, False),
        ({"scale": 0.1, "offset": -200.0, "clamp": [0.0, 100.0]}, 3600, 100.0),
        ({"at_least": 50}, 50, True),
        ({"at_least": 10, "at_most": 20}, 21, False),
        ({"type": "uint8"}, 0x12FE, 0xFE),
        ({"type": "bcd", "length": 2}, 0x1234, 1234),
        ({"type": "hex", "length": 2}, 0x12AB, "12ab"),
    ],
)
def test_how_a_register_is_read(field, word, expected):
    assert value(profile({"holding": 0, **field}, MODBUS), registers(word)) == expected


def test_a_value_that_enum_does_not_list_is_a_fault_and_not_a_guess():
    reading = read_fields(profile({"holding": 0, "enum": {1: True}}, MODBUS), registers(9), no_hash)
    assert reading.values == {}
    assert reading.faults == ("value: 9 is not listed in enum",)


def test_registers_that_came_in_part_are_a_fault():
    reading = read_fields(profile({"holding": 0, "type": "uint32"}, MODBUS), registers(9), no_hash)
    assert "some are missing" in reading.faults[0]


def test_text_in_the_code_of_the_standard_is_read():
    raw = "3号楼".encode("gb18030").ljust(12, b"\0")
    words = struct.unpack(">6H", raw)
    assert value(profile({"holding": 0, "type": "gb18030", "length": 12}, MODBUS), registers(*words)) == "3号楼"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("crc16-modbus", 0x4B37),
        ("crc16-ccitt-false", 0x29B1),
        ("crc16-xmodem", 0x31C3),
        ("crc16-aug-ccitt", 0xE5CC),
        ("crc8", 0xF4),
        ("crc32", 0xCBF43926),
        ("sum8", 0xDD),
        ("sum8-zero", 0x23),
        ("xor8", 0x31),
    ],
)
def test_checksums_give_the_check_values_of_the_catalogue(kind, expected):
    # "Catalogue of parametrised CRC algorithms": the check value is that of the digits 1 to 9.
    assert checksum(kind, b"123456789") == expected


@given(st.sampled_from(sorted(WIDTHS)), st.binary(min_size=1, max_size=40), st.integers(0, 7), st.data())
def test_a_flipped_bit_is_refused_by_every_checksum(kind, body, bit, data):
    width = WIDTHS[kind]
    whole = body + checksum(kind, body).to_bytes(width, "big")
    decoder = {"checksum": {"kind": kind, "at": -width}}
    good = profile({"at": 0}, BYTES, decoder=decoder)
    assert read_fields(good, Message(data=whole), no_hash).faults == ()
    where = data.draw(st.integers(0, len(whole) - 1))
    broken = bytearray(whole)
    broken[where] ^= 1 << bit
    assert read_fields(good, Message(data=bytes(broken)), no_hash).faults


def test_a_checksum_of_a_part_of_the_message():
    body = b"\x55" + b"\x01\x02\x03"
    whole = body + bytes([sum(body[1:]) & 0xFF]) + b"\xaa"
    decoder = {"starts_with": "55", "checksum": {"kind": "sum8", "at": 4, "start": 1, "end": 4}}
    assert value(profile({"at": 2}, BYTES, decoder=decoder), Message(data=whole)) == 2


def test_tlv_with_known_lengths_and_with_lengths_of_its_own():
    known = {"tlv": {"tag_bytes": 2, "lengths": {"0175": 1, "0300": 1}}}
    assert value(profile({"tag": "0300"}, BYTES, decoder=known), Message(data=bytes.fromhex("017564030001"))) == 1
    own = {"tlv": {"tag_bytes": 1, "length_bytes": 1}}
    found = value(
        profile({"tag": "02", "type": "uint16"}, BYTES, decoder=own), Message(data=bytes.fromhex("01010002020102"))
    )
    assert found == 0x0102


def test_a_path_with_brackets_a_list_and_a_key_with_a_dot():
    body = json.loads('{"a": {"b": [1, {"c": 7}]}, "x.y": 8}')
    assert walk(body, "a.b[1].c") == 7
    assert walk(body, ["x.y"]) == 8
    assert value(profile({"json": "a.b[0]"}, JSON), Message(json=body)) == 1


def test_numbers_in_words_are_read_when_asked_for():
    assert value(profile({"json": "v", "type": "number", "scale": 2.0}, JSON), Message(json={"v": "21.5"})) == 43.0


def test_a_card_is_only_kept_as_its_reference_and_never_in_a_fault():
    found = profile({"json": "card", "hash": "card"}, JSON, events=[
        {"kind": "lock.access", "set": {"result": "granted", "credential.type": "card"}, "from": {"credential.ref": "value"}}
    ])  # fmt: skip

    def hasher(kind: str, canonical: str) -> str:
        return credential_ref(KEY, kind, canonical)

    reading = read_fields(found, Message(json={"card": "04:A1:B2:C3"}), hasher)
    assert reading.values["value"] == credential_ref(KEY, "card", "77705923")
    assert read_fields(found, Message(json={"card": "04:A1:B2:C3"}), no_hash).values["value"] is None
    reading = read_fields(found, Message(json={"card": "geheim-99"}), hasher)
    assert "geheim" not in str(reading)
    assert reading.faults


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("vabc"), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(
        [
            {}, {"type": "number"}, {"scale": 0.1}, {"bit": 2}, {"mask": 6}, {"invert": True}, {"enum": {1: True}},
            {"at_least": 3.0}, {"hash": "card"}, {"missing": [1]},
        ]
    ),
)  # fmt: skip
def test_no_json_ever_raises(body, field):
    found = profile(
        {"json": "v", **field}, JSON, events=[{"kind": "device.health", "when": {"value": 1}, "set": {"fault": True}}]
    )
    read_fields(found, Message(json=body), no_hash)


@given(st.binary(max_size=64))
def test_no_bytes_ever_raise(data):
    decoder = {"tlv": {"tag_bytes": 1, "length_bytes": 1}, "checksum": {"kind": "crc8"}}
    for field in ({"at": 3, "type": "float64"}, {"at": -1}, {"tag": "01", "at": 1}):
        read_fields(profile(field, BYTES, decoder=decoder), Message(data=data), no_hash)


TEXT = {"kind": "mqtt", "payload": "text", "topics": {"up": "x/{address}"}}


@pytest.mark.parametrize(
    ("field", "word", "expected"),
    [
        ({"mask": 0xFF00, "signed": True}, 0xFB30, -5),
        ({"mask": 0xFF00, "signed": True}, 0x7F00, 127),
        ({"mask": 0x000C, "signed": True}, 0x0008, -2),
        ({"mask": 0x0003, "at_least": 1}, 0x0002, True),
    ],
)
def test_a_few_bits_are_a_signed_number_or_a_threshold(field, word, expected):
    assert value(profile({"holding": 0, **field}, MODBUS), registers(word)) == expected


@pytest.mark.parametrize(
    ("field", "body", "expected"),
    [
        ({"json": "list[code=b].value"}, {"list": [{"code": "a", "value": 1}, {"code": "b", "value": 2}]}, 2),
        ({"json": "list[n=3].value"}, {"list": [{"n": 3, "value": 7}]}, 7),
        ({"json": "[-1].v"}, [{"v": 1}, {"v": 2}], 2),
        ({"json": "a[0][1]"}, {"a": [[1, 2]]}, 2),
        ({"json": "dps.101", "type": "bool"}, {"dps": {"101": "ON"}}, True),
        ({"json": "action", "prefix": "user_", "type": "number"}, {"action": "user_12"}, 12),
        ({"json": "flags", "encoding": "hex", "type": "uint16", "bit": 9}, {"flags": "0x0200"}, True),
        ({"json": "raw", "encoding": "base64", "at": 1, "type": "int16"}, {"raw": "AP84"}, -200),
        ({"json": "flags", "mask": 0x0C}, {"flags": "8"}, 2),
        ({"json": "$.a"}, {"a": 5}, 5),
    ],
)
def test_how_json_is_read(field, body, expected):
    assert value(profile(field, JSON), Message(json=body)) == expected


@pytest.mark.parametrize(
    "field",
    [
        {"json": "list[code=c].value"},
        {"json": "list[0].value.x"},
        {"json": "action", "prefix": "door_"},
        {"json": "[9]"},
    ],
)
def test_what_json_does_not_have_is_absent_and_no_fault(field):
    body = {"list": [{"code": "a", "value": 1}, 5, "c"], "action": "user_12"}
    reading = read_fields(profile(field, JSON), Message(json=body), no_hash)
    assert (reading.values, reading.faults) == ({}, ())


@pytest.mark.parametrize(
    ("column", "expected"), [(0, "$SMK"), (2, "bat=87"), (-1, "t=21.5"), ("bat", "87"), ("t", "21.5")]
)
def test_a_text_is_cut_into_columns_by_place_and_by_name(column, expected):
    found = profile({"column": column}, TEXT, decoder={"separator": ",", "pairs": "="})
    assert value(found, Message(text="$SMK, A,bat=87,t=21.5")) == expected


def test_each_element_of_an_array_is_a_message_and_the_whole_stays_within_reach():
    decoder = profile({"json": "v"}, JSON, decoder={"each": "list"}).decoder
    messages, fault = split(Message(json={"id": 7, "list": [{"v": 1}, {"v": 2}]}), decoder)
    assert (fault, [message.json for message in messages]) == (None, [{"v": 1}, {"v": 2}])
    assert value_at(messages[1], "$.id") == 7
    assert value_at(messages[1], "v") == 2


@pytest.mark.parametrize("body", [{"list": 3}, {}, [], None, "x"])
def test_a_message_without_the_array_is_one_message(body):
    decoder = profile({"json": "v"}, JSON, decoder={"each": "list"}).decoder
    messages, fault = split(Message(json=body), decoder)
    assert ([message.json for message in messages], fault) == ([body], None)


def test_an_array_without_end_is_cut_and_said():
    decoder = profile({"json": "v"}, JSON, decoder={"each": "$"}).decoder
    messages, fault = split(Message(json=[{}] * 9000), decoder)
    assert len(messages) == MAX_ELEMENTS
    assert fault is not None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "list", "code", "v"]), inner),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_no_json_makes_a_field_raise(body):
    for field in (
        {"json": "list[code=a].v", "type": "number", "scale": 0.1},
        {"json": "a.list[0]", "encoding": "hex", "at": 1},
        {"json": "v", "type": "bool"},
        {"json": "v", "mask": 6},
        {"json": "v", "prefix": "a", "invert": True},
    ):
        found = profile(field, JSON, decoder={"each": "list"})
        for message in split(Message(json=body), found.decoder)[0]:
            read_fields(found, message, no_hash)


def test_of_a_credential_the_masked_bits_are_hashed():
    found = profile({"holding": 0, "mask": 0xFF00, "hash": "card"}, MODBUS)
    reading = read_fields(found, registers(0x1234), lambda kind, number: f"{kind}:{number}")
    assert reading.values["value"] == "card:18"


@pytest.mark.parametrize(
    ("said", "expected"),
    [("87%", 87), (" 87 %", 87), ("87 %", 87), ("87", None), ("%", None), (87, None), ("x%", None)],
)
def test_what_stands_behind_a_value_goes(said, expected):
    found = profile({"json": "a", "suffix": "%", "type": "number"}, JSON)
    reading = read_fields(found, Message(json={"a": said}), no_hash)
    assert reading.values.get("value") == expected


CHANNELS = {
    "decoder": {"channels": 4},
    "part": "channel",
    "events": [{"kind": "smoke.state", "from": {"alarm": "value"}}],
}


def channels(field: dict[str, object], transport: dict[str, object]) -> Profile:
    return profile(field, transport, **CHANNELS, fields={"channel": {"item": "channel"}, "value": field})


@given(st.lists(st.booleans(), min_size=4, max_size=4))
def test_each_channel_reads_its_own_bit_register_or_byte(states: list[bool]):
    bits = sum(1 << 2 * index for index, state in enumerate(states) if state)
    words = {("holding", 10 + 3 * index): int(state) for index, state in enumerate(states)}
    for found, message in (
        (channels({"holding": 0, "bit": 0, "bit_step": 2}, MODBUS), registers(bits)),
        (channels({"holding": 10, "step": 3, "type": "bool"}, MODBUS), Message(registers=words)),
        (
            channels({"discrete": 0, "step": 1}, MODBUS),
            Message(registers={("discrete", i): int(s) for i, s in enumerate(states)}),
        ),
        (channels({"at": 1, "step": 1, "bit": 7}, BYTES), Message(data=bytes([0, *(128 * state for state in states)]))),
    ):
        messages, fault = split(message, found.decoder)
        assert fault is None
        readings = [read_fields(found, item, no_hash).values for item in messages]
        assert [(item["channel"], item["value"]) for item in readings] == list(enumerate(states, 1))


def test_a_channel_that_the_message_does_not_have_is_absent():
    found = channels({"discrete": 0, "step": 1}, MODBUS)
    readings = [
        read_fields(found, item, no_hash).values
        for item in split(Message(registers={("discrete", 1): 1}), found.decoder)[0]
    ]
    assert ["value" in item for item in readings] == [False, True, False, False]
