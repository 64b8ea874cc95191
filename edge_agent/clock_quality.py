"""What the gateway thinks of its own clock, from the kernel's own account of it (adjtimex(2), read only)."""

import ctypes
import ctypes.util
from datetime import UTC, datetime
from typing import Final, NamedTuple

from wire.clock import Clock
from wire.messages import ClockQuality

_STA_UNSYNC: Final = 0x0040
_STA_NANO: Final = 0x2000
_TIME_ERROR: Final = 5
BUILT_AFTER: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No gateway of this release ran before: an earlier clock is a dead battery, whatever the kernel says."""
HOLDOVER_S: Final = 7 * 86_400.0
"""A quartz drifts about 2 s a day: after a week without a source the clock is not to be relied on."""


class _Timex(ctypes.Structure):
    """struct timex of Linux; the long fields have the machine's word length."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("rest", ctypes.c_byte * 256),
    )


class KernelClock(NamedTuple):
    """The kernel's account: whether something disciplines the clock, and by how much it was off last."""

    is_disciplined: bool
    offset_s: float | None


def read_kernel_clock() -> KernelClock:
    """Ask the kernel. Where it does not say (no libc, no permission), the clock counts as not disciplined."""
    try:
        libc = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)
        timex = _Timex()
        state = libc.adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return KernelClock(is_disciplined=False, offset_s=None)
    if state < 0:
        return KernelClock(is_disciplined=False, offset_s=None)
    unit = 1e-9 if timex.status & _STA_NANO else 1e-6
    is_disciplined = state != _TIME_ERROR and not timex.status & _STA_UNSYNC
    return KernelClock(is_disciplined, round(timex.offset * unit, 6) if is_disciplined else None)


class ClockJudge:
    """Turns the kernel's account into `synced`, `holdover` (was synced, within a week) or `unsynced`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._synced_at_s: float | None = None
        self.quality: ClockQuality = "unsynced"
        self.offset_s: float | None = None

    def look(self, kernel: KernelClock) -> ClockQuality:
        """Judge again; call every minute or so."""
        self.offset_s = kernel.offset_s
        now_s = self._clock.monotonic()
        if self._clock.now() < BUILT_AFTER:
            self.quality = "unsynced"
        elif kernel.is_disciplined:
            self._synced_at_s = now_s
            self.quality = "synced"
        elif self._synced_at_s is not None and now_s - self._synced_at_s < HOLDOVER_S:
            self.quality = "holdover"
        else:
            self.quality = "unsynced"
        return self.quality
