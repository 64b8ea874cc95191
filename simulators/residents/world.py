"""A whole run: plans the units, lets the days pass, and writes the events, the registry and the truth."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from simulators.residents import truth
from simulators.residents.gateway_link import GatewayLink, Line
from simulators.residents.incidents import card_of, deal_incidents
from simulators.residents.noise import Noise
from simulators.residents.people import DAWN_S, DAY_S
from simulators.residents.plan import Builder, Calendar, Expected, UnitPlan
from simulators.residents.sensors import CardRefs, Report, UnitSensors
from simulators.residents.site import UNITS_PER_BUILDING, address_of, buildings_for
from simulators.residents.stories import STORIES, deal, plain
from simulators.residents.writers import write_seed, write_spreadsheet


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to simulate. The same plan gives the same files, byte for byte."""

    units: int
    days: int
    seed: int
    noise: Noise
    noise_name: str
    first: date


class World:
    """One run."""

    def __init__(self, run: RunPlan) -> None:
        self.run = run
        self.calendar = Calendar(run.first, run.days)
        self.organisation_key = sha256(f"anfang residents {run.seed}".encode()).digest()
        self.buildings = buildings_for(run.units)
        numbers = count(1)
        builders = [
            Builder(
                self.calendar,
                address_of(n),
                self.buildings[n // UNITS_PER_BUILDING],
                Random(f"{run.seed}/plan/{n}"),
                lambda: next(numbers),
            )
            for n in range(run.units)
        ]
        self.plans: list[UnitPlan] = []
        for story, builder in zip(deal(run.units, Random(f"{run.seed}/deal")), builders, strict=True):
            plan = STORIES[story][1](builder) if story in STORIES else plain(builder)
            plan.story = story
            self.plans.append(plan)
        deal_incidents(self.plans, builders, run.noise, Random(f"{run.seed}/incidents"))
        refs = CardRefs(self.organisation_key)
        self._sensors = [
            UnitSensors(
                plan.entry.code,
                plan.entry.door,
                has_counter=plan.has_counter,
                calendar=self.calendar,
                noise=run.noise,
                refs=refs,
                rng=Random(f"{run.seed}/sensors/{n}"),
            )
            for n, plan in enumerate(self.plans)
        ]
        self._lives = [Random(f"{run.seed}/life/{n}") for n in range(run.units)]
        self.openings: list[dict[str, list[float]]] = [defaultdict(list) for _ in range(run.units)]
        self.inside = [truth.Inside(plan.household.inside) for plan in self.plans]
        self.links = [
            GatewayLink(
                b.gateway,
                f"sim{run.seed}-{b.number}",
                self.calendar,
                run.noise.link,
                Random(f"{run.seed}/link/{b.number}"),
            )
            for b in self.buildings
        ]
        for link in self.links:
            link.plan_outages()

    def lines(self, on_day: Callable[[int], None] = lambda day: None) -> Iterator[bytes]:
        """The lines of `events.ndjson`, in the order in which they reach the hub. To be read once."""
        waiting: list[Line] = []
        by_gateway = {link.gateway: link for link in self.links}
        for day in range(-1, self.run.days):
            to_s = min((day + 1) * DAY_S + DAWN_S, self.calendar.end_s)
            waiting += self._day(day, to_s)
            waiting.sort()
            due = [line for line in waiting if line.sent_s < to_s]
            waiting = waiting[len(due) :]
            for line in due:
                yield by_gateway[line.gateway].number(line)
            on_day(day + 1)

    def _day(self, day: int, to_s: float) -> list[Line]:
        """From 04:00 of `day` to 04:00 of the next, or the run's end; day -1 is its first four hours."""
        from_s = max(0.0, day * DAY_S + DAWN_S)
        reports: list[list[Report]] = [link.health(to_s) for link in self.links]
        weekday = self.calendar.date(day).weekday()
        for index, (plan, sensors) in enumerate(zip(self.plans, self._sensors, strict=True)):
            found = sensors.first() if day < 0 else []
            for incident in plan.incidents:
                if from_s <= incident.at_s < to_s:
                    found += sensors.befall(incident, card_of(plan, incident.kind))
            found += sensors.day(from_s, to_s)
            passages = plan.household.day(day, weekday, self._lives[index]) if day >= 0 else []
            passages = [passage for passage in passages if passage.at_s < self.calendar.end_s]
            for passage in passages:
                self.inside[index].change(passage.at_s, passage.people if passage.is_in else -passage.people)
                if passage.card:
                    self.openings[index][passage.card].append(passage.at_s)
            if passages or sensors.has_counter:
                found += sensors.passages(passages, from_s, to_s)
            reports[index // UNITS_PER_BUILDING] += found
        return [line for link, of_link in zip(self.links, reports, strict=True) for line in link.lines(of_link)]

    def truth(self) -> dict[str, Any]:
        """`truth.json`. Complete once `lines` has been read to its end."""
        expected: list[Expected] = []
        units: dict[str, Any] = {}
        for index, (plan, inside) in enumerate(zip(self.plans, self.inside, strict=True)):
            is_strict = self.buildings[index // UNITS_PER_BUILDING].is_strict
            truth.expect_by_registry(plan, self.calendar, is_strict=is_strict)
            truth.expect_by_quiet(plan, inside, self.calendar)
            truth.expect_by_credentials(plan, self.openings[index], self.calendar)
            if plan.has_counter:
                truth.expect_by_nights(plan, inside, self.calendar, is_strict=is_strict)
            units[plan.entry.code] = truth.unit_truth(plan, inside, is_strict=is_strict)
            sensors = self._sensors[index]
            left = sensors.lock_battery + self.run.noise.lock.battery_per_day * (self.run.days + 1)
            if sensors.lock_battery < 21:
                days = max(0.0, (left - 21) / max(self.run.noise.lock.battery_per_day, 1e-9))
                sure = (days + 12) * DAY_S
                plan.expect(
                    "T3", days * DAY_S, sure if sure < self.calendar.end_s - DAY_S else None, "a lock's battery"
                )
            expected += plan.expected
        for link in self.links:
            for outage in link.outages:
                is_long = outage.to_s - outage.from_s > 1800 and outage.to_s < self.calendar.end_s
                by_s = outage.from_s + 1800 if is_long else None
                expected.append(Expected("T1", link.gateway, outage.from_s, by_s, outage.kind, outage.to_s + 1200))
        for number, building in enumerate(self.buildings):
            first = number * UNITS_PER_BUILDING
            uncovered = truth.expect_by_detectors(self.plans[first : first + UNITS_PER_BUILDING], self.calendar)
            if uncovered is not None:
                expected.append(Expected("L6", building.code, *uncovered, "rooms without a detector"))
            if building.is_strict and not building.has_manager:
                expected.append(Expected("C13", building.code, 0.0, 2 * DAY_S, "let in many rooms without a manager"))
        end_s = self.calendar.end_s
        return {
            "version": 1,
            "seed": self.run.seed,
            "noise": self.run.noise_name,
            "start": self.calendar.start.isoformat(),
            "days": self.run.days,
            "utc_offset_s": 8 * 3600,
            "expected": [_as_json(found, end_s) for found in expected if found.from_s < end_s],
            "outages": [
                {"gateway": link.gateway, "kind": outage.kind, "from_s": outage.from_s, "to_s": outage.to_s}
                for link in self.links
                for outage in link.outages
            ],
            "units": units,
        }

    def devices(self) -> dict[str, list[dict[str, Any]]]:
        """Unit -> its devices in the hub's seed format; a counter's errors are those measured for its kind."""
        found: dict[str, list[dict[str, Any]]] = {}
        noise = self.run.noise
        for index, (plan, sensors) in enumerate(zip(self.plans, self._sensors, strict=True)):
            gateway = self.links[index // UNITS_PER_BUILDING].gateway
            heartbeat_s = round(noise.smoke.heartbeat_h * 3600)
            devices: list[dict[str, Any]] = [
                {"gateway": gateway, "device": sensors.lock, "kind": "lock"},
                {
                    "gateway": gateway,
                    "device": sensors.smoke,
                    "kind": "smoke",
                    "placement": "room",
                    "heartbeat_s": heartbeat_s,
                    "made_on": "2024-05-01",
                    "installed_on": "2024-06-01",
                },
            ]
            if plan.has_counter:
                devices.append(
                    {
                        "gateway": gateway,
                        "device": sensors.counter,
                        "kind": "camera",
                        "miss_rate": noise.counter.miss,
                        "double_rate": noise.counter.double,
                    }
                )
            found[plan.entry.code] = devices
        return found

    def write(self, out: Path, on_day: Callable[[int], None] = lambda day: None) -> int:
        """Write everything into the folder `out`, which is made. Gives the number of events."""
        out.mkdir(parents=True, exist_ok=True)
        entries = [plan.entry for plan in self.plans]
        write_spreadsheet(out / "registry.xlsx", entries)
        write_seed(out / "site.yaml", self.buildings, entries, self.devices())
        (out / "organisation.key").write_text(self.organisation_key.hex() + "\n", encoding="ascii")
        written = 0
        with (out / "events.ndjson").open("wb") as file:
            for line in self.lines(on_day):
                file.write(line)
                written += 1
        text = json.dumps(self.truth(), ensure_ascii=False, separators=(",", ":"))
        (out / "truth.json").write_text(text, encoding="utf-8")
        return written


def _as_json(expected: Expected, end_s: float) -> dict[str, Any]:
    """`by_s` is absent when nobody is blamed for missing it; also when the run ends before."""
    plain: dict[str, Any] = {"rule": expected.rule, "subject": expected.subject, "from_s": round(expected.from_s, 1)}
    if expected.by_s is not None and expected.by_s <= end_s:
        plain["by_s"] = round(expected.by_s, 1)
    if expected.until_s < end_s:
        plain["until_s"] = round(expected.until_s, 1)
    return plain | {"why": expected.why}
