"""How badly sensors see: what turns the truth into what gateways report.

A noise has a name, or is a YAML file that says what differs from a named one:

    base: typical
    counter: {miss: 0.08, covered_hours: 12}
    link: {uplink_outages_per_day: 0.2}
"""

from pathlib import Path
from random import Random
from typing import Annotated, Any, Final

import msgspec
import yaml
from msgspec import Meta, Struct
from msgspec.structs import replace

from simulators.errors import SimulatorError

Share = Annotated[float, Meta(ge=0, le=1)]
Chance = Annotated[float, Meta(ge=0, le=0.9)]
PerDay = Annotated[float, Meta(ge=0, le=100)]
Hours = Annotated[float, Meta(gt=0, le=1000)]


class CounterNoise(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A door counter. `miss`, `double`: of each crossing; `crowd`: how much likelier a miss is behind somebody else.

    `false_per_day`: crossings reported of which none happened. `spread`: log-normal deviation of one device from these.
    `infant_seen`: chance that a carried child is counted at all.
    """

    miss: Chance = 0.05
    double: Chance = 0.02
    crowd: Annotated[float, Meta(ge=0, le=10)] = 1.5
    false_per_day: PerDay = 0.02
    spread: Annotated[float, Meta(ge=0, le=2)] = 0.25
    infant_seen: Share = 0.1
    covered_per_day: PerDay = 0.003
    covered_hours: Hours = 6.0

    def of_device(self, rng: Random) -> "CounterNoise":
        """One device of the kind: a little better or worse than what was measured."""
        return replace(
            self,
            miss=min(0.6, self.miss * rng.lognormvariate(0, self.spread)),
            double=min(0.4, self.double * rng.lognormvariate(0, self.spread)),
        )


class LockNoise(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A door lock. `unlogged`: openings by mechanical key or behind somebody; `wrong_try`: a refused try before one."""

    unlogged: Share = 0.04
    wrong_try: Share = 0.02
    battery_per_day: PerDay = 0.12


class SmokeNoise(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A smoke detector. False alarms by cooking and steam, per day; a dying battery, per day; heartbeat in hours."""

    cooking_per_day: PerDay = 0.0008
    battery_fault_per_day: PerDay = 0.0001
    heartbeat_h: Hours = 12.0


class LinkNoise(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway. Outages of its uplink (it stores and sends later) and of its power (nothing is seen), per day."""

    uplink_outages_per_day: PerDay = 0.02
    uplink_hours: Hours = 1.5
    power_outages_per_day: PerDay = 0.004
    power_hours: Hours = 2.0
    health_every_s: Annotated[float, Meta(ge=10, le=290)] = 240.0


class Noise(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that comes between the truth and the hub."""

    counter: CounterNoise = CounterNoise()
    lock: LockNoise = LockNoise()
    smoke: SmokeNoise = SmokeNoise()
    link: LinkNoise = LinkNoise()


NOISES: Final[dict[str, Noise]] = {
    "none": Noise(
        counter=CounterNoise(miss=0, double=0, crowd=1, false_per_day=0, spread=0, covered_per_day=0),
        lock=LockNoise(unlogged=0, wrong_try=0),
        smoke=SmokeNoise(cooking_per_day=0, battery_fault_per_day=0),
        link=LinkNoise(uplink_outages_per_day=0, power_outages_per_day=0),
    ),
    "good": Noise(counter=CounterNoise(miss=0.02, double=0.01, false_per_day=0.01), lock=LockNoise(unlogged=0.02)),
    "typical": Noise(),
    "poor": Noise(
        counter=CounterNoise(miss=0.12, double=0.05, false_per_day=0.1, covered_per_day=0.01),
        lock=LockNoise(unlogged=0.15, wrong_try=0.05),
        smoke=SmokeNoise(cooking_per_day=0.003),
        link=LinkNoise(uplink_outages_per_day=0.1, power_outages_per_day=0.02),
    ),
}
"""By the names that `--noise` takes."""


def noise_named(text: str) -> Noise:
    """A named noise, or that of a YAML file. Raises SimulatorError: what, where and the mend."""
    if text in NOISES:
        return NOISES[text]
    path = Path(text)
    if not path.is_file():
        raise SimulatorError(f"--noise {text!r} is neither a file nor one of {', '.join(NOISES)}")
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SimulatorError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(plain, dict):
        raise SimulatorError(f"{path}: sections are needed: counter, lock, smoke, link; and perhaps base")
    base = plain.pop("base", "typical")
    if base not in NOISES:
        raise SimulatorError(f"{path}: base: {base!r} is not one of {', '.join(NOISES)}")
    merged: dict[str, Any] = msgspec.to_builtins(NOISES[base])
    for section, values in plain.items():
        known = merged.get(section)
        merged[section] = known | values if isinstance(known, dict) and isinstance(values, dict) else values
    try:
        return msgspec.convert(merged, Noise)
    except msgspec.ValidationError as error:
        raise SimulatorError(f"{path}: {error}") from error
