"""What an OSDP reader says, as the items that profiles name."""

from collections.abc import Mapping

from edge_agent.protocols.message import Message
from edge_agent.protocols.osdp import Frame
from edge_agent.protocols.wiegand import decode_card
from firmware_profiles.base import Scalar
from firmware_profiles.transports import OsdpTransport

RAW, KEYPAD, LSTATR, ISTATR, OSTATR, MFGREP = 0x50, 0x53, 0x48, 0x49, 0x4A, 0x90


def card_items(data: bytes, bits: int, reader: int, transport: OsdpTransport) -> dict[str, Scalar]:
    """A presented card; `decision` is left to whoever decides. A misread has `parity_ok` false and no number."""
    card = decode_card(data, bits, is_raw=transport.card_format == "raw", byte_order=transport.card_order)
    items: dict[str, Scalar] = {
        "reader": reader,
        "card_bits": bits,
        "parity_ok": card is not None and card.is_parity_ok,
    }
    if card is not None and card.is_parity_ok:
        items |= {"card": str(card.number), "credential_type": "card"}
    return items


def pin_items(pin: str, reader: int) -> dict[str, Scalar]:
    """An entered PIN."""
    return {"reader": reader, "pin": pin, "credential_type": "pin"}


def local_items(report: bytes) -> dict[str, Scalar]:
    """Tamper and power of LSTATR."""
    return {"tamper": bool(report[0]), "power_fault": bool(report[1])} if len(report) >= 2 else {}


def contact_items(kind: str, report: bytes) -> dict[str, Scalar]:
    """Inputs or outputs (`kind`) of ISTATR and OSTATR, one byte each."""
    return {f"{kind}.{index}": bool(value) for index, value in enumerate(report[:8])}


def message_of(frame: Frame, transport: OsdpTransport) -> Message | None:
    """What a plain reply frame says to a profile; None for frames that say nothing of the kind.

    A KEYPAD frame counts as a whole PIN when it ends with `#`: a recording has no time between keys.
    """
    items: Mapping[str, Scalar] = {}
    if not frame.is_reply or frame.is_encrypted:
        return None
    data = frame.data
    if frame.code == RAW and len(data) >= 4:
        items = card_items(data[4:], int.from_bytes(data[2:4], "little"), data[0], transport)
    elif frame.code == KEYPAD and data[2:].endswith(b"#"):
        items = pin_items(data[2:-1].decode("ascii", errors="replace"), data[0])
    elif frame.code == LSTATR:
        items = local_items(data)
    elif frame.code in (ISTATR, OSTATR):
        items = contact_items("input" if frame.code == ISTATR else "output", data)
    elif frame.code == MFGREP and len(data) >= 3:
        return vendor_message(int.from_bytes(data[:3], "big"), data[3:], transport)
    return Message(items=items) if items else None


def vendor_message(vendor: int, data: bytes, transport: OsdpTransport) -> Message | None:
    """A vendor reply, when it is of the vendor that the profile speaks of. `vendor`: as its bytes stand on the line."""
    return Message(data=data) if transport.vendor in (None, vendor) else None
