"""How badly sensors see: what turns the truth into what gateways report."""

from dataclasses import dataclass, replace
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True)
class CounterNoise:
    """A door counter. `miss`, `double`: of each crossing; `crowd`: how much likelier a miss is behind somebody else.

    `false_per_day`: crossings reported of which none happened. `spread`: log-normal deviation of one device from these.
    `infant_seen`: chance that a carried child is counted at all.
    """

    miss: float = 0.05
    double: float = 0.02
    crowd: float = 1.5
    false_per_day: float = 0.02
    spread: float = 0.25
    infant_seen: float = 0.1
    covered_per_day: float = 0.003
    covered_hours: float = 6.0

    def of_device(self, rng: Random) -> "CounterNoise":
        """One device of the kind: a little better or worse than what was measured."""
        return replace(
            self,
            miss=min(0.6, self.miss * rng.lognormvariate(0, self.spread)),
            double=min(0.4, self.double * rng.lognormvariate(0, self.spread)),
        )


@dataclass(frozen=True, slots=True)
class LockNoise:
    """A door lock. `unlogged`: openings by mechanical key or behind somebody; `wrong_try`: a refused try before one."""

    unlogged: float = 0.04
    wrong_try: float = 0.02
    battery_per_day: float = 0.12


@dataclass(frozen=True, slots=True)
class SmokeNoise:
    """A smoke detector. False alarms by cooking and steam, per day; a dying battery, per day; heartbeat in hours."""

    cooking_per_day: float = 0.0008
    battery_fault_per_day: float = 0.0001
    heartbeat_h: float = 12.0


@dataclass(frozen=True, slots=True)
class LinkNoise:
    """A gateway. Outages of its uplink (it stores and sends later) and of its power (nothing is seen), per day."""

    uplink_outages_per_day: float = 0.02
    uplink_hours: float = 1.5
    power_outages_per_day: float = 0.004
    power_hours: float = 2.0
    health_every_s: float = 240.0


@dataclass(frozen=True, slots=True)
class Noise:
    """Everything that comes between the truth and the hub."""

    counter: CounterNoise = CounterNoise()
    lock: LockNoise = LockNoise()
    smoke: SmokeNoise = SmokeNoise()
    link: LinkNoise = LinkNoise()


NOISES: Final[dict[str, Noise]] = {
    "none": Noise(
        CounterNoise(miss=0, double=0, crowd=1, false_per_day=0, spread=0, covered_per_day=0),
        LockNoise(unlogged=0, wrong_try=0),
        SmokeNoise(cooking_per_day=0, battery_fault_per_day=0),
        LinkNoise(uplink_outages_per_day=0, power_outages_per_day=0),
    ),
    "good": Noise(CounterNoise(miss=0.02, double=0.01, false_per_day=0.01), LockNoise(unlogged=0.02)),
    "typical": Noise(),
    "poor": Noise(
        CounterNoise(miss=0.12, double=0.05, false_per_day=0.1, covered_per_day=0.01),
        LockNoise(unlogged=0.15, wrong_try=0.05),
        SmokeNoise(cooking_per_day=0.003),
        LinkNoise(uplink_outages_per_day=0.1, power_outages_per_day=0.02),
    ),
}
"""By the names that `--noise` takes."""
