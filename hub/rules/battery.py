"""When a battery will be low: a line through what it said, since it was last changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from hub.domain.observations import REPLACED_PCT, Charge

LEAST_SPAN: Final = timedelta(days=5)
LEAST_CHARGES: Final = 4
FURTHEST: Final = timedelta(days=3650)


def low_at(charges: Sequence[Charge], low_pct: float) -> datetime | None:
    """When the charge will have fallen to `low_pct`; None when too little is known, or it does not fall.

    The slope is the median of those between every two readings (Theil-Sen), so that one odd reading does not tell.
    A reading that came late counts at its own instant.
    """
    since = _since_change(sorted(charges, key=lambda charge: charge.at))
    if len(since) < LEAST_CHARGES or since[-1].at - since[0].at < LEAST_SPAN:
        return None
    days = [(charge.at - since[0].at) / timedelta(days=1) for charge in since]
    slope = median(
        (since[b].pct - since[a].pct) / (days[b] - days[a])
        for b in range(len(since))
        for a in range(b)
        if days[b] > days[a]
    )
    if slope >= 0:
        return None
    level = median(charge.pct - slope * day for charge, day in zip(since, days, strict=True))
    # A slope next to nothing puts the instant beyond any calendar, on either side.
    left = timedelta(days=max(0.0, min((low_pct - level) / slope, FURTHEST / timedelta(days=1))))
    return None if left >= FURTHEST else since[0].at + left


def _since_change(charges: Sequence[Charge]) -> Sequence[Charge]:
    begin = 0
    for n, (before, after) in enumerate(pairwise(charges), 1):
        if after.pct - before.pct >= REPLACED_PCT:
            begin = n
    return charges[begin:]
