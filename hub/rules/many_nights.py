"""How likely it is that a limit was passed on so many of the last nights: all of them judged together.

A night by itself is seldom certain to within one person. Seven verdicts, each with its own margin, throw away most of
what seven nights say together. So each night keeps its whole distribution, and its tie to the night before: how likely
each pair of numbers is. The nights are then a chain, and the chance that on at least k of them more people were inside
than the limit allows is worked out over the chain, from the newest night backwards. So later evidence speaks about
earlier nights; and one error that lasts for a week, a person who was never seen to leave, counts once and not seven
times. Where the tie is missing, a night stands for itself. What was measured: docs/decisions/0003.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.local_time import local_day
from hub.domain.observations import Night, UnitObservations
from hub.domain.text import Text
from hub.rules.model import Evidence

_POSSIBLE: Final = 0.01
WIDE: Final = "uncertain"
"""A night whose estimate is wide says little, and says how little: it is judged with the others."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A night, the limit that held then, and how likely it was passed."""

    night: Night
    limit: int
    chance: float


def chance_above(night: Night, limit: int) -> float:
    """How likely more people than `limit` were inside."""
    return min(1.0, max(0.0, sum(night.chances[limit + 1 :])))


def chance_of_at_least(needed: int, judged: Sequence[Judged]) -> float:
    """How likely the limits of at least `needed` of these nights (oldest first) were passed."""
    if sum(found.chance >= _POSSIBLE for found in judged) < needed:
        return 0.0
    newest = judged[-1]
    # passed[n][k]: the chance that n people were inside on the night at hand, and k limits were passed from it on.
    passed = [_counted([share], n > newest.limit) for n, share in enumerate(newest.night.chances)]
    for later, found in zip(reversed(judged), reversed(judged[:-1]), strict=False):
        inside = _told_back(later.night, found.night, passed)
        passed = [_counted(shares, n > found.limit) for n, shares in enumerate(inside)]
    whole = sum(sum(shares) for shares in passed)
    return sum(sum(shares[needed:]) for shares in passed) / whole if whole > 0 else 0.0


def _counted(shares: list[float], is_passed: bool) -> list[float]:
    return [0.0, *shares] if is_passed else [*shares, 0.0]


def _told_back(later: Night, night: Night, passed: list[list[float]]) -> list[list[float]]:
    """From what is known from `later` on, by its number of people, to the same by the number of `night`."""
    if not later.before or later.night - night.night != timedelta(days=1):
        at_all = [sum(shares) for shares in zip(*passed, strict=True)]
        return [[share * count for count in at_all] for share in night.chances]
    size = max(n for n, _ in later.before) + 1
    found = [[0.0] * len(passed[0]) for _ in range(size)]
    for n, shares in enumerate(passed):
        pairs = [(a, joint[n]) for a, joint in later.before if n < len(joint) and joint[n] > 0]
        # A number that the tie never considered says nothing of the night before.
        pairs = pairs or [(a, share) for a, share in enumerate(night.chances) if a < size and share > 0]
        total = sum(weight for _, weight in pairs)
        for a, weight in pairs:
            for k, share in enumerate(shares):
                found[a][k] += share * weight / total
    return found


def in_percent(chance: float) -> int:
    """For people, who should never read 100 % of an estimate."""
    return min(99, int(chance * 100))


def usable_nights(
    seen: UnitObservations, window_days: int, min_coverage: float, now: datetime
) -> tuple[list[Night], Text | None]:
    """The nights of the window that can be relied on, oldest first, and why others (or all) cannot.

    The window ends with the newest night that is over, so that it has as many nights at midnight as in the morning.
    """
    last = local_day(now)
    if not any(night.night == last for night in seen.nights):
        last -= timedelta(days=1)
    first = last - timedelta(days=window_days - 1)
    inside = sorted((night for night in seen.nights if first <= night.night <= last), key=lambda night: night.night)
    usable = [night for night in inside if night.abstained in {"", WIDE} and night.coverage >= min_coverage]
    if len(usable) == window_days:
        return usable, None
    if not inside:
        return usable, Text("没有覆盖本户的人数统计", "no counter covers this unit")
    return usable, Text(
        "在线率不足的夜晚不作判断", "nights on which the devices were not up for long enough are not judged"
    )


def likelier_than_not(judged: Sequence[Judged]) -> list[Judged]:
    """The nights on which the limit was rather passed than not: what an alert shows as its evidence.

    Where there is none (somebody set a low `confidence`), the likeliest one.
    """
    over = [found for found in judged if found.chance >= 0.5]
    return over or [max(judged, key=lambda found: found.chance)]


def night_evidence(unit: str, night: Night, judged: Judged | None = None) -> Evidence:
    """One night's estimate as evidence, with how likely its limit was passed, where one was judged."""
    zh = en = ""
    if judged is not None:
        zh = f"超过 {judged.limit} 人的可能性 {judged.chance:.0%}，"
        en = f"more than {judged.limit} with {judged.chance:.0%}, "
    return Evidence(
        "estimate",
        night.at,
        Text(
            f"{night.night} 夜间估计 {night.mean:.1f} 人（{night.lower}–{night.upper}），{zh}"
            f"在线率 {night.coverage:.0%}",
            f"night to {night.night}: {night.mean:.1f} people ({night.lower} to {night.upper}), {en}coverage "
            f"{night.coverage:.0%}",
        ),
        ref=f"night:{unit}:{night.night}",
    )
