"""The kinds of event that a gateway reports, as a tagged union on `kind`.

Every struct ignores fields that it does not know, because hubs are upgraded months before gateways. Units stand in
the fields' names. No kind has a field for bytes or images: frames never leave the gateway (privacy P1).
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta, Struct

from wire.ids import CREDENTIAL_REF_PATTERN

Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset; written in UTC with milliseconds")]
DeviceId = Annotated[str, Meta(min_length=1, max_length=128)]
UnitCode = Annotated[str, Meta(min_length=1, max_length=128)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Note = Annotated[str, Meta(max_length=512)]
Confidence = Annotated[float, Meta(ge=0, le=1)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Direction = Literal["in", "out", "unknown"]


class Data(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What happened, beside who and when."""


class Credential(Struct, frozen=True, omit_defaults=True):
    """What opened, or was to open, a lock. Never the number itself: `ref` is an HMAC, `slot` the lock's own index."""

    type: Literal["card", "pin", "fingerprint", "face_on_lock", "app", "key", "remote", "unknown"]
    ref: Annotated[str, Meta(pattern=CREDENTIAL_REF_PATTERN)] | None = None
    slot: Annotated[int, Meta(ge=0)] | None = None


class LockAccessData(Data, frozen=True):
    result: Literal["granted", "denied"]
    # ok, unknown_credential, outside_schedule, expired, locked_out, … : open, because locks have reasons of their own
    reason: Word = "ok"
    credential: Credential | None = None
    direction: Direction = "unknown"


class LockStateData(Data, frozen=True):
    state: Literal["locked", "unlocked", "jammed", "unknown"]


class LockAlarmData(Data, frozen=True):
    alarm: Literal["forced", "duress", "lockout", "tamper", "held_open"]


class DoorStateData(Data, frozen=True):
    open: bool


class SmokeStateData(Data, frozen=True):
    alarm: bool
    test: bool = False
    # The sounder was silenced by hand (GB 20517-2025): smoke may still be there, so this is not "clear".
    silenced: bool = False
    obscuration_pct_per_m: float | None = None
    smoke_ppm: float | None = None
    temperature_c: float | None = None


class FireComponentData(Data, frozen=True):
    """A component state of GB/T 26875.3-2011, 8.2.1.2."""

    system_type: Annotated[int, Meta(ge=0, le=255)]
    component_type: Annotated[int, Meta(ge=0, le=255)]
    address: Word
    states: Annotated[list[Word], Meta(max_length=16)]
    note: Note = ""


class HelpCallData(Data, frozen=True):
    """Somebody pressed a button for help. When, and no more: neither who it was nor how they are."""

    # The call was taken back at the device itself; a person still looks.
    cancelled: bool = False


class PeopleCrossingData(Data, frozen=True):
    direction: Literal["in", "out"]
    count: Annotated[int, Meta(ge=1, le=100_000)]
    line: Word
    confidence: Confidence
    # Crossings are reported per bucket, not per person (privacy P3); absent when the sender does not say.
    window_s: Annotated[float, Meta(ge=0)] | None = None


class PeoplePresentData(Data, frozen=True):
    count: Count
    confidence: Confidence
    window_s: Annotated[float, Meta(ge=0)]


class CameraStateData(Data, frozen=True):
    state: Literal["ok", "lost", "covered", "dark", "moved"]
    detail: Note = ""
    # What a calibration of this very counter found: shares of crossings missed, and of counted ones that are none.
    miss_rate: Confidence | None = None
    double_rate: Confidence | None = None


class DeviceHealthData(Data, frozen=True):
    battery_pct: Percent | None = None
    battery_low: bool | None = None
    tamper: bool | None = None
    rssi_dbm: float | None = None
    fault: str | bool | None = None
    online: bool | None = None
    # Which file of ours reads the device: `vendor/model@` and eight hex digits of its SHA-256. Told as it comes online.
    profile: Annotated[str, Meta(min_length=1, max_length=160)] | None = None
    # What the device itself says of its software.
    firmware: Annotated[str, Meta(min_length=1, max_length=80)] | None = None


class DriverHealth(Struct, frozen=True, omit_defaults=True):
    """How one driver or camera worker of a gateway fares."""

    state: Literal["starting", "running", "degraded", "backing_off", "failed", "stopped"]
    detail: Note = ""
    restarts: Count = 0


class GatewayHealthData(Data, frozen=True):
    uptime_s: float | None = None
    outbox_depth: Annotated[int, Meta(ge=0)] | None = None
    outbox_oldest_s: float | None = None
    outbox_dropped: Annotated[int, Meta(ge=0)] | None = None
    dead_letters: Annotated[int, Meta(ge=0)] | None = None
    disk_free_bytes: Annotated[int, Meta(ge=0)] | None = None
    cpu_pct: float | None = None
    memory_bytes: Annotated[int, Meta(ge=0)] | None = None
    temperature_c: float | None = None
    clock_offset_s: float | None = None
    drivers: dict[str, DriverHealth] = {}


class LocalActionData(Data, frozen=True):
    """What the gateway did on its own. `because` holds sequence numbers of the same epoch."""

    action: Word
    rule: Word
    because: Annotated[list[int], Meta(max_length=64)] = []
    target: DeviceId | None = None
    ok: bool = True
    detail: Note = ""


class Event(Struct, frozen=True, tag_field="kind", kw_only=True):
    """Who and when. `unit` is absent for devices that belong to a building or to the gateway itself."""

    observed_at: Instant
    device: DeviceId
    unit: UnitCode | None = None
    data: Any

    @property
    def kind(self) -> str:
        return str(self.__struct_config__.tag)


class LockAccess(Event, frozen=True, tag="lock.access"):
    data: LockAccessData


class LockState(Event, frozen=True, tag="lock.state"):
    data: LockStateData


class LockAlarm(Event, frozen=True, tag="lock.alarm"):
    data: LockAlarmData


class DoorState(Event, frozen=True, tag="door.state"):
    data: DoorStateData


class SmokeState(Event, frozen=True, tag="smoke.state"):
    data: SmokeStateData


class FireComponent(Event, frozen=True, tag="fire.component"):
    data: FireComponentData


class HelpCall(Event, frozen=True, tag="help.call"):
    data: HelpCallData


class PeopleCrossing(Event, frozen=True, tag="people.crossing"):
    data: PeopleCrossingData


class PeoplePresent(Event, frozen=True, tag="people.present"):
    data: PeoplePresentData


class CameraState(Event, frozen=True, tag="camera.state"):
    data: CameraStateData


class DeviceHealth(Event, frozen=True, tag="device.health"):
    data: DeviceHealthData


class GatewayHealth(Event, frozen=True, tag="gateway.health"):
    data: GatewayHealthData


class LocalAction(Event, frozen=True, tag="local.action"):
    data: LocalActionData


class UnknownEvent(Struct, frozen=True, kw_only=True):
    """An event of a kind that this release does not know: stored as it came and shown as unknown."""

    observed_at: Instant
    device: DeviceId
    kind: Word
    unit: UnitCode | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


KnownEvent = (
    LockAccess
    | LockState
    | LockAlarm
    | DoorState
    | SmokeState
    | FireComponent
    | HelpCall
    | PeopleCrossing
    | PeoplePresent
    | CameraState
    | DeviceHealth
    | GatewayHealth
    | LocalAction
)
AnyEvent = KnownEvent | UnknownEvent

EVENT_TYPES: Final[dict[str, type[Event]]] = {
    str(cls.__struct_config__.tag): cls
    for cls in (
        LockAccess,
        LockState,
        LockAlarm,
        DoorState,
        SmokeState,
        FireComponent,
        HelpCall,
        PeopleCrossing,
        PeoplePresent,
        CameraState,
        DeviceHealth,
        GatewayHealth,
        LocalAction,
    )
}
"""Every kind of this release, by its tag."""


class Lane:
    """The two lanes of an outbox: an alarm overtakes a backlog of telemetry."""

    URGENT: ClassVar[int] = 0
    ROUTINE: ClassVar[int] = 1


_URGENT_KINDS: Final = frozenset(
    {
        "lock.access", "lock.state", "lock.alarm", "door.state", "smoke.state", "fire.component", "help.call",
        "local.action",
    }
)  # fmt: skip


def lane_of(event: KnownEvent) -> int:
    """Life safety, access and tamper go in the urgent lane, everything else in the routine one."""
    if isinstance(event, DeviceHealth) and event.data.tamper is not None:
        return Lane.URGENT
    return Lane.URGENT if event.kind in _URGENT_KINDS else Lane.ROUTINE
