"""What passes from a codec to the interpreter: a message in the device's words, and the reading of its values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from firmware_profiles.base import Scalar

Hasher = Callable[[str, str], str | None]
"""(`card` or `pin`, canonical number) -> the credential's reference; None when the gateway has no key."""


class _Absent:
    """Tells "no JSON" from JSON's null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Message:
    """What a device said, before its profile has explained it. A transport fills the parts it has."""

    registers: Mapping[tuple[str, int], int] = field(default_factory=dict)
    """(space, address) -> value; bits are 0 or 1."""
    data: bytes | None = None
    json: Any = ABSENT
    text: str | None = None
    items: Mapping[str, Scalar] = field(default_factory=dict)
    """Values that the protocol itself names."""
    whole: Any = ABSENT
    """The JSON that `json` is an element of, where a profile says `each`."""
    channel: str = ""
    """Name of the topic, or message type."""
    topic: str = ""
    number: int = 0
    """Which of the profile's `channels`, from 0."""
    is_old: bool = False
    """Kept by a broker from before: true of a state, no news of something that happened."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The values of a message by the profile's field names. A field that the message does not speak of is absent."""

    values: Mapping[str, Scalar | None]
    faults: tuple[str, ...] = ()
    """Why parts of the message could not be read; the rest counts."""
    is_old: bool = False


def no_hash(kind: str, canonical: str) -> str | None:
    """The hasher of a gateway without an organisation key: no reference at all."""
    del kind, canonical
    return None
