"""What the hub says of itself to whoever starts and watches it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the hub takes in events, and how each of its parts fares, in words."""

    is_ready: bool
    parts: dict[str, str] = field(default_factory=dict)
