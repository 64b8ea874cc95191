"""The messages of the five topics, and their codec. The wire form is JSON, or zlib-compressed JSON.

gateway --- event  (Batch) ------------> hub
gateway <-- ack    (Ack) --------------- hub
gateway --- status (Status, retained) -> hub
gateway <-- command (Command) ---------- hub
gateway --- reply  (Reply) ------------> hub
"""

import re
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from wire.errors import ContractError
from wire.events import EVENT_TYPES, AnyEvent, Instant, KnownEvent, UnknownEvent
from wire.ids import EPOCH_PATTERN, GATEWAY_ID_PATTERN

VERSION: Final = 1
MAX_EVENTS: Final = 500
MAX_BATCH_BYTES: Final = 256 * 1024
MAX_SEQ: Final = (1 << 63) - 1
_ZLIB_FIRST_BYTE: Final = 0x78

GatewayId = Annotated[str, Meta(pattern=GATEWAY_ID_PATTERN)]
Epoch = Annotated[str, Meta(pattern=EPOCH_PATTERN)]
Seq = Annotated[int, Meta(ge=1, le=MAX_SEQ)]
SeqOrZero = Annotated[int, Meta(ge=0, le=MAX_SEQ)]
ClockQuality = Literal["synced", "holdover", "unsynced"]


class Batch(Struct, frozen=True, kw_only=True):
    """Consecutive events of one epoch. `events` are kept as they came; `decode_event` opens one."""

    v: Literal[1] = VERSION
    gateway: GatewayId
    epoch: Epoch
    first_seq: Seq
    # Everything up to and including this number will never be sent again: a hub acknowledged it, or the gateway's
    # drop policy gave it up. Lets a hub that lost its memory acknowledge further on; its holes stay visible.
    floor_seq: SeqOrZero | None = None
    sent_at: Instant
    clock: ClockQuality = "unsynced"
    events: Annotated[list[Raw], Meta(min_length=1, max_length=MAX_EVENTS)]


class Ack(Struct, frozen=True, kw_only=True):
    """All events of `epoch` up to `seq` are committed.

    With `error`, instead: event `seq` cannot be decoded (0: nothing of the batch could be).
    """

    v: int = VERSION
    epoch: str
    seq: SeqOrZero
    error: str | None = None


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a gateway is there; retained, and the broker's will when it goes."""

    state: Literal["online", "offline"]
    since: Instant | None = None
    agent_version: str | None = None
    epoch: str | None = None


class Command(Struct, frozen=True, kw_only=True):
    """What the hub asks of a gateway. Never executed after `expires_at`: an unlock must not come late."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: Annotated[str, Meta(min_length=1, max_length=64)]
    args: dict[str, Any] = {}
    expires_at: Instant


class Reply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a command."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    ok: bool
    result: Any = None
    error: str | None = None


class _Envelope(Struct):
    """Just enough of a broken batch to say where it stood."""

    epoch: str = ""
    first_seq: int = 0


class _Kind(Struct):
    kind: str = ""


_batch_decoder = msgspec.json.Decoder(Batch)
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_event_decoder: msgspec.json.Decoder[KnownEvent] = msgspec.json.Decoder(KnownEvent)
_unknown_decoder: msgspec.json.Decoder[UnknownEvent] = msgspec.json.Decoder(UnknownEvent)
_kind_decoder = msgspec.json.Decoder(_Kind)
_encoder = msgspec.json.Encoder()
_SMALL = TypeVar("_SMALL", Ack, Status, Command, Reply)


def format_instant(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and a `Z`. Raises ValueError for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError(f"instant {at!r} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _format_instants(message: dict[str, Any]) -> dict[str, Any]:
    for name in ("observed_at", "sent_at", "since", "expires_at"):
        if isinstance(message.get(name), datetime):
            message[name] = format_instant(message[name])
    return message


def _plain(message: Struct | UnknownEvent) -> dict[str, Any]:
    plain = msgspec.to_builtins(message, builtin_types=(datetime, Raw))
    if not isinstance(plain, dict):
        raise TypeError(f"{type(message).__name__} is not a message")
    return _format_instants({key: value for key, value in plain.items() if value is not None})


def encode_event(event: AnyEvent) -> bytes:
    """One event as JSON. The inverse of `decode_event`, to the millisecond."""
    return _encoder.encode(_plain(event))


def encode_batch(
    *,
    gateway: str,
    epoch: str,
    first_seq: int,
    floor_seq: int | None,
    sent_at: datetime,
    clock: ClockQuality,
    events: Sequence[bytes],
    compress: bool = False,
) -> bytes:
    """A batch from events that `encode_event` made; `events[i]` has sequence number `first_seq + i`.

    Raises ContractError when there are none or more than MAX_EVENTS, or when the JSON is over MAX_BATCH_BYTES.
    """
    if not 1 <= len(events) <= MAX_EVENTS:
        raise ContractError(f"a batch carries 1 to {MAX_EVENTS} events, not {len(events)}", epoch=epoch, seq=first_seq)
    message: dict[str, Any] = {"v": VERSION, "gateway": gateway, "epoch": epoch, "first_seq": first_seq}
    if floor_seq is not None:
        message["floor_seq"] = floor_seq
    message |= {"sent_at": format_instant(sent_at), "clock": clock, "events": [Raw(event) for event in events]}
    payload = _encoder.encode(message)
    if len(payload) > MAX_BATCH_BYTES:
        raise ContractError(f"a batch of {len(payload)} bytes is over {MAX_BATCH_BYTES}", epoch=epoch, seq=first_seq)
    return zlib.compress(payload) if compress else payload


def _inflate(payload: bytes) -> bytes:
    """The JSON of a payload; never more than MAX_BATCH_BYTES, however far it would unpack."""
    if payload[:1] != bytes([_ZLIB_FIRST_BYTE]):
        if len(payload) > MAX_BATCH_BYTES:
            raise ContractError(f"a batch of {len(payload)} bytes is over {MAX_BATCH_BYTES}")
        return payload
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(payload, MAX_BATCH_BYTES + 1)
    except zlib.error as error:
        raise ContractError(f"the batch is not valid zlib: {error}") from error
    if len(plain) > MAX_BATCH_BYTES:
        raise ContractError(f"the batch unpacks to more than {MAX_BATCH_BYTES} bytes")
    if not inflater.eof:
        raise ContractError("the batch is cut off: its zlib stream has no end")
    return plain


def decode_batch(payload: bytes) -> Batch:
    """The batch in a payload, its events still closed. Raises ContractError with epoch and first_seq if readable."""
    plain = _inflate(payload)
    try:
        batch = _batch_decoder.decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        epoch, seq = _where(plain)
        raise ContractError(f"the batch cannot be decoded: {error}", epoch=epoch, seq=seq) from error
    if batch.first_seq + len(batch.events) - 1 > MAX_SEQ:
        raise ContractError("sequence numbers end at 2^63 - 1", epoch=batch.epoch, seq=batch.first_seq)
    return batch


def _where(plain: bytes) -> tuple[str, int]:
    try:
        envelope = _envelope_decoder.decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "", 0
    is_epoch = re.fullmatch(EPOCH_PATTERN, envelope.epoch) is not None
    return (envelope.epoch if is_epoch else ""), (envelope.first_seq if 0 <= envelope.first_seq <= MAX_SEQ else 0)


def decode_event(raw: bytes | Raw) -> AnyEvent:
    """One event of a batch. An unknown kind gives UnknownEvent; raises ContractError for anything undecodable."""
    try:
        return _event_decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)
        cause: Exception = error
    try:
        if _kind_decoder.decode(raw).kind not in EVENT_TYPES:
            return _unknown_decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)
        cause = error
    raise ContractError(f"the event cannot be decoded: {reason}") from cause


def encode(message: Ack | Status | Command | Reply) -> bytes:
    """An acknowledgement, status, command or reply as JSON."""
    return _encoder.encode(_plain(message))


def decode(payload: bytes, kind: type[_SMALL]) -> _SMALL:
    """The message of type `kind` in a payload. Raises ContractError."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"the {kind.__name__.lower()} cannot be decoded: {error}") from error
