"""Card bits to numbers: published vectors, parity, the conventions of Chinese readers, the keypad."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.protocols.keypad import GIVE_UP_S, MAX_DIGITS, Keypad
from edge_agent.protocols.wiegand import bits_of, decode_card, encode_card
from wire.ids import canonical_card


def test_proxmarks_h10301_vector():
    # `H10301 fc 118 cn 1603` is raw 2006ec0c86; its low 26 bits are the card's.
    data = (0x2EC0C86 << 6).to_bytes(4, "big")
    card = decode_card(data, 26)
    assert card is not None
    assert card.is_parity_ok
    assert card.number == int(canonical_card("118,1603"))


def test_the_card_that_libosdp_sent():
    card = decode_card(bytes.fromhex("8cb2c140"), 26)
    assert card is not None
    assert (card.number, card.is_parity_ok) == (int(canonical_card("25,25986")), True)


def test_three_and_four_byte_numbers_of_chinese_readers():
    assert decode_card(bytes.fromhex("19f6b7"), 24).number == 1701559 == int(canonical_card("0001701559"))
    assert decode_card(bytes.fromhex("04a1b2c3"), 32).number == 77705923 == int(canonical_card("04:A1:B2:C3"))
    assert decode_card(bytes.fromhex("04a1b2c3"), 32, byte_order="little").number == 3283263748


@given(st.sampled_from([26, 34, 37]), st.data())
def test_what_is_encoded_is_decoded_with_its_parity(bits, data):
    number = data.draw(st.integers(0, (1 << (bits - 2)) - 1))
    card = decode_card(encode_card(number, bits), bits)
    assert card is not None
    assert (card.number, card.is_parity_ok) == (number, True)


@given(st.sampled_from([26, 34, 37]), st.data())
def test_any_single_wrong_bit_is_a_misread(bits, data):
    number = data.draw(st.integers(0, (1 << (bits - 2)) - 1))
    wrong = data.draw(st.integers(0, bits - 1).filter(lambda bit: not (bits == 37 and bit == 18)))
    raw = bytearray(encode_card(number, bits))
    raw[wrong // 8] ^= 0x80 >> wrong % 8
    assert decode_card(bytes(raw), bits).is_parity_ok is False


@given(st.binary(max_size=80), st.integers(-5, 700))
def test_no_bits_ever_raise(data, count):
    card = decode_card(data, count)
    assert card is None or card.bits == count


def test_more_bits_than_bytes_are_refused():
    with pytest.raises(ValueError, match="30 bits in 3 bytes"):
        bits_of(b"abc", 30)


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        encode_card(1 << 24, 26)


def test_the_keypad_gives_a_pin_at_enter_and_forgets_at_star_and_at_a_pause():
    keypad = Keypad()
    assert keypad.press(b"12", 0) == []
    assert keypad.press(b"34#", 1) == ["1234"]
    assert keypad.press(b"9*5678#", 2) == ["5678"]
    assert keypad.press(b"11", 3) == []
    assert keypad.press(b"22#", 4 + GIVE_UP_S) == ["22"]
    assert keypad.press(b"#", 30) == []


@given(st.binary(max_size=300))
def test_the_keypad_never_holds_more_than_a_pin(keys):
    for pin in Keypad().press(keys, 0):
        assert 0 < len(pin) <= MAX_DIGITS
        assert pin.isdecimal()
