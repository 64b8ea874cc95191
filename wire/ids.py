"""Identities on the wire: gateways, epochs (ULIDs) and references to credentials."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Final

GATEWAY_ID_PATTERN: Final = r"^[a-z0-9-]{3,64}$"
# A ULID is what our agent makes; other clients may number their epochs in another way.
EPOCH_PATTERN: Final = r"^[0-9A-Za-z_-]{1,64}$"
CREDENTIAL_REF_PATTERN: Final = r"^hmac:\S{4,128}$"

_GATEWAY_ID = re.compile(GATEWAY_ID_PATTERN)
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_MAX_MS: Final = (1 << 48) - 1


def is_gateway_id(text: str) -> bool:
    """Whether `text` may stand in a topic as a gateway's identity."""
    return _GATEWAY_ID.fullmatch(text) is not None


def new_ulid(at: datetime) -> str:
    """A ULID (26 characters of Crockford's base 32): 48 bits of milliseconds since 1970, then 80 random bits.

    A clock before 1970 or after the year 10889 is clamped: an epoch must be made even on a box with a dead RTC.
    """
    milliseconds = min(max(int(at.timestamp() * 1000), 0), _ULID_MAX_MS)
    value = (milliseconds << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def credential_ref(organisation_key: bytes, kind: str, canonical: str) -> str:
    """The reference under which both sides know a credential, without either sending or storing its number.

    `kind` is `card` or `pin`. `canonical` is the number in the form that `canonical_card` gives, or the PIN's digits.
    Returns `hmac:` and 64 hex digits: HMAC-SHA-256 over `kind:canonical` under the organisation's key (>= 16 bytes).
    """
    if len(organisation_key) < 16:
        raise ValueError("organisation key: at least 16 bytes are needed; make one with `openssl rand -hex 32`")
    digest = hmac.new(organisation_key, f"{kind}:{canonical}".encode(), hashlib.sha256).hexdigest()
    return f"hmac:{digest}"


_FACILITY_AND_NUMBER = re.compile(r"^(\d{1,3})\s*[,，/:-]\s*(\d{1,5})$")
_HEX_UID = re.compile(r"^(?:0[xX])?([0-9A-Fa-f]{2}(?:[: ]?[0-9A-Fa-f]{2}){2,9})$")


def canonical_card(printed: str) -> str:
    """A card's number as people print or export it, in one form: the decimal integer of the bits that a reader sends.

    Accepted: `0001701559` (decimal, leading zeros or not), `25,63159` (facility, number; 8 + 16 bits as in Wiegand 26)
    and `04A1B2C3`, `04:A1:B2:C3`, `0x19F6B7` (hex, first byte most significant; needs a letter, a colon or `0x`).
    Raises ValueError that says what was expected.
    """
    text = printed.strip().lstrip("'")
    if text.isascii() and text.isdigit():
        return str(int(text))
    pair = _FACILITY_AND_NUMBER.fullmatch(text)
    if pair:
        facility, number = int(pair[1]), int(pair[2])
        if facility > 0xFF or number > 0xFFFF:
            raise ValueError(f"card number {printed!r}: a facility is at most 255 and a number at most 65535")
        return str((facility << 16) | number)
    uid = _HEX_UID.fullmatch(text)
    if uid:
        return str(int(re.sub(r"[: ]", "", uid[1]), 16))
    raise ValueError(
        f"card number {printed!r}: expected decimal digits, 'facility,number' (25,63159) or a hex UID (04A1B2C3)"
    )
