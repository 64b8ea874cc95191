"""The one place where the hub validates what gateways send: payloads become typed values, or say why they cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import structs

from hub.store.base import to_ms
from wire.errors import ContractError
from wire.events import AnyEvent
from wire.messages import decode_batch, decode_event
from wire.topics import Leaf, parse_topic

# Columns and time zone arithmetic hold what lies between. A clock beyond these years is kept in the event's body.
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
_EARLIEST_MS: Final = to_ms(EARLIEST)
_LATEST_MS: Final = to_ms(LATEST)

where = lru_cache(maxsize=10_000)(parse_topic)
"""`parse_topic`, remembered: a site has few gateways and each sends for years."""


class Good(NamedTuple):
    """A well-formed event and its body as it came."""

    event: AnyEvent
    observed_ms: int
    body: str


class Bad(NamedTuple):
    """An event that cannot be stored, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A batch, its events opened. Event *i* has number `first_seq + i`. `payload` is the message as it came.

    `arrived_at`: of a recording, when each event came; otherwise all of them come when they are taken.
    """

    topic: str
    gateway_id: str
    epoch: str
    first_seq: int
    floor_seq: int | None
    sent_ms: int
    clock: str
    events: list[Good | Bad]
    payload: bytes
    arrived_at: Sequence[datetime] = ()

    @property
    def last_seq(self) -> int:
        """The number of the last event."""
        return self.first_seq + len(self.events) - 1


@dataclass(frozen=True, slots=True)
class Broken:
    """A message that is no batch at all. `seq` is the number that it would have begun at, where that can be read."""

    topic: str
    gateway_id: str
    epoch: str
    seq: int
    reason: str
    payload: bytes


def read_batch(topic: str, payload: bytes) -> Delivered | Broken:
    """The batch in a message to an `event` topic. Raises ContractError when the topic is none."""
    gateway_id, leaf = where(topic)
    if leaf is not Leaf.EVENT:
        raise ContractError(f"topic {topic!r} carries no events")
    try:
        batch = decode_batch(payload)
    except ContractError as error:
        return Broken(topic, gateway_id, error.epoch, error.seq, error.reason, payload)
    if batch.gateway != gateway_id:
        reason = f"the batch says gateway {batch.gateway!r}, its topic {gateway_id!r}: one of them is wrong"
        return Broken(topic, gateway_id, batch.epoch, batch.first_seq, reason, payload)
    return Delivered(
        topic=topic,
        gateway_id=gateway_id,
        epoch=batch.epoch,
        first_seq=batch.first_seq,
        floor_seq=batch.floor_seq,
        sent_ms=clamped_ms(batch.sent_at),
        clock=batch.clock,
        events=[_read_event(bytes(raw)) for raw in batch.events],
        payload=payload,
    )


def _read_event(raw: bytes) -> Good | Bad:
    try:
        event = decode_event(raw)
        body = raw.decode()
    except ContractError as error:
        return Bad(error.reason)
    except UnicodeDecodeError as error:
        return Bad(f"the event cannot be decoded: it is not UTF-8: {error}")
    # PostgreSQL keeps no NUL in a text, and no name of a device has one.
    if "\\u0000" in body and "\0" in f"{event.device}{event.unit}{event.kind}":
        return Bad("the event cannot be decoded: device, unit or kind contains a NUL")
    observed_ms = to_ms(event.observed_at)
    if not _EARLIEST_MS <= observed_ms <= _LATEST_MS:
        observed_ms = min(max(observed_ms, _EARLIEST_MS), _LATEST_MS)
        event = structs.replace(event, observed_at=min(max(event.observed_at, EARLIEST), LATEST))
    return Good(event, observed_ms, body)


def clamped_ms(at: datetime) -> int:
    """Milliseconds since 1970, kept within what the columns and time zones can hold."""
    return min(max(to_ms(at), _EARLIEST_MS), _LATEST_MS)
