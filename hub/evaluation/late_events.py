"""What devices said after an event that arrives late: their last word must stay the last.

A gateway sends again what was not acknowledged, and several workers store in any order. So an old state may be stored
after a newer one of the same device. It is folded, for what it says may be an alarm; then what the device said after it
is folded once more.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from hub.domain.stored_event import StoredEvent
from hub.store.tables.ingest import EventRow, Stream
from hub.store.upsert import table_of
from wire.events import CameraState, DeviceHealth, DoorState, FireComponent, LockState, SmokeState
from wire.messages import MAX_SEQ, decode_event

_STATES: Final[dict[type, str]] = {
    SmokeState: "smoke.state",
    FireComponent: "fire.component",
    LockState: "lock.state",
    DoorState: "door.state",
    CameraState: "camera.state",
    DeviceHealth: "device.health",
}
_EVENT = table_of(EventRow).c
_NUMBERS: Final = 20_000
"""So far behind a late number newer words are looked for: a stream that far on has long told every state again."""
_MOST_WORDS: Final = 50
"""Of one late event, the newest."""


def later_words(session: Session, events: Sequence[StoredEvent]) -> Mapping[int, Sequence[StoredEvent]]:
    """For each late state among `events`, by its id: what its device has said after it."""
    streams: dict[tuple[str, str], list[StoredEvent]] = defaultdict(list)
    for stored in events:
        if stored.is_late and type(stored.event) in _STATES:
            streams[stored.gateway_id, stored.epoch].append(stored)
    found: dict[int, Sequence[StoredEvent]] = {}
    for (gateway, epoch), late in streams.items():
        words = _words(session, gateway, epoch, late)
        for stored in late:
            kind = _STATES[type(stored.event)]
            after = [word for word in words[stored.event.device, kind] if word.seq > stored.seq]
            if after:
                found[stored.id] = after[-_MOST_WORDS:]
    return found


def _words(
    session: Session, gateway: str, epoch: str, late: Sequence[StoredEvent]
) -> Mapping[tuple[str, str], Sequence[StoredEvent]]:
    """What the devices of these events have said, by device and kind, in the order of numbers."""
    first = min(stored.seq for stored in late)
    query = (
        select(_EVENT.id, _EVENT.seq, _EVENT.received_at, _EVENT.device, _EVENT.kind, _EVENT.body)
        .join(Stream, col(Stream.id) == _EVENT.stream_id)
        .where(col(Stream.gateway_id) == gateway, col(Stream.epoch) == epoch)
        .where(_EVENT.seq > first, _EVENT.seq <= min(first + _NUMBERS, MAX_SEQ))
        .where(_EVENT.kind.in_({_STATES[type(stored.event)] for stored in late}))
        .order_by(_EVENT.seq)
    )
    devices = {stored.event.device for stored in late}
    found: dict[tuple[str, str], list[StoredEvent]] = defaultdict(list)
    for event_id, seq, received_at, device, kind, body in session.connection().execute(query):
        if device in devices:
            event = decode_event(body.encode())
            found[device, kind].append(StoredEvent(event_id, gateway, epoch, seq, received_at, event))
    return found
