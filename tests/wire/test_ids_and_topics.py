"""Identities and topics."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import ContractError
from wire.ids import canonical_card, credential_ref, is_gateway_id, new_ulid
from wire.topics import Leaf, Topic, every_gateway, parse_topic, topic

AT = datetime(2026, 11, 23, tzinfo=UTC)


@given(st.from_regex(r"[a-z0-9-]{3,64}", fullmatch=True), st.sampled_from(Leaf))
def test_a_topic_parses_back(gateway: str, leaf: Leaf) -> None:
    assert parse_topic(topic(gateway, leaf)) == Topic(gateway, leaf)


@pytest.mark.parametrize(
    "text",
    ["", "anfang/v1/gw-1", "anfang/v2/gw-1/event", "anfang/v1/GW/event", "anfang/v1/a/b/event", "anfang/v1/gw-1/frames",
     "anfang/v1/gw-1\n/event", "anfang/v1/+/event"],
)  # fmt: skip
def test_another_topic_is_refused_by_name(text: str) -> None:
    with pytest.raises(ContractError, match="is none of"):
        parse_topic(text)


def test_filters() -> None:
    assert every_gateway(Leaf.EVENT) == "anfang/v1/+/event"
    assert every_gateway(Leaf.EVENT, share="hub") == "$share/hub/anfang/v1/+/event"
    with pytest.raises(ContractError, match="gateway 'a b'"):
        topic("a b", Leaf.ACK)
    assert not is_gateway_id("gw")


def test_ulids_sort_by_time_and_differ() -> None:
    early, late = new_ulid(AT), new_ulid(AT + timedelta(milliseconds=1))
    assert len(early) == 26
    assert early < late
    assert len({new_ulid(AT) for _ in range(1000)}) == 1000
    assert len(new_ulid(datetime(1901, 1, 1, tzinfo=UTC))) == 26


@pytest.mark.parametrize(
    ("printed", "canonical"),
    [
        ("0001701559", "1701559"),
        ("1701559", "1701559"),
        ("25,63159", "1701559"),  # protocols.md section 2: the same card in both prints
        ("25，63159", "1701559"),
        (" 25:63159 ", "1701559"),
        ("04A1B2C3", "77705923"),
        ("04:a1:b2:c3", "77705923"),
        ("0x19F6B7", "1701559"),
        ("'0001701559", "1701559"),
    ],
)
def test_one_card_has_one_number(printed: str, canonical: str) -> None:
    assert canonical_card(printed) == canonical


@pytest.mark.parametrize("printed", ["", "abc", "300,1", "25,70000", "1.5", "٣٤"])
def test_what_is_no_card_number_is_refused_with_the_forms_that_are(printed: str) -> None:
    with pytest.raises(ValueError, match="card number"):
        canonical_card(printed)


def test_a_reference_depends_on_key_kind_and_number_and_shows_none() -> None:
    key = bytes(range(32))
    refs = {
        credential_ref(key, "card", "1701559"),
        credential_ref(key, "pin", "1701559"),
        credential_ref(key, "card", "1701558"),
        credential_ref(bytes(32), "card", "1701559"),
    }
    assert len(refs) == 4
    assert all(ref.startswith("hmac:") and len(ref) == 69 and "1701559" not in ref for ref in refs)
    with pytest.raises(ValueError, match="16 bytes"):
        credential_ref(b"short", "card", "1")
