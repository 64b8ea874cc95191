"""A gateway between its devices and the hub: numbering in two lanes, outages, and events that come late or never."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Literal, NamedTuple

from simulators.residents.noise import LinkNoise
from simulators.residents.people import DAY_S
from simulators.residents.plan import Calendar
from simulators.residents.sensors import Report, event_body
from wire.events import Lane
from wire.messages import format_instant


@dataclass(frozen=True, slots=True)
class Outage:
    """`uplink`: events are kept and sent afterwards. `power`: nothing is seen at all."""

    from_s: float
    to_s: float
    kind: Literal["uplink", "power"]


class Line(NamedTuple):
    """One line of `events.ndjson`, with what it is sorted by."""

    sent_s: float
    rank: int
    at_s: float
    gateway: str
    lane: int
    body: bytes


@dataclass(slots=True)
class GatewayLink:
    """One gateway."""

    gateway: str
    epoch: str
    calendar: Calendar
    noise: LinkNoise
    rng: Random
    outages: list[Outage] = field(default_factory=list)
    _seq: dict[int, int] = field(default_factory=lambda: {Lane.URGENT: 0, Lane.ROUTINE: 0})
    _booted_s: float = -3600.0
    _next_health_s: float = 0.0

    def plan_outages(self) -> None:
        """Draw the outages of the whole run; they do not overlap."""
        planned: list[Outage] = []
        kinds: tuple[tuple[Literal["uplink", "power"], float, float], ...] = (
            ("uplink", self.noise.uplink_outages_per_day, self.noise.uplink_hours),
            ("power", self.noise.power_outages_per_day, self.noise.power_hours),
        )
        for kind, per_day, hours in kinds:
            at = 0.0
            while per_day > 0 and (at := at + self.rng.expovariate(per_day) * DAY_S) < self.calendar.end_s:
                planned.append(Outage(at, at + 60 + self.rng.expovariate(1 / hours) * 3600, kind))
        for outage in sorted(planned, key=lambda found: found.from_s):
            if not self.outages or self.outages[-1].to_s + 3600 < outage.from_s:
                self.outages.append(outage)
        self._next_health_s = self.rng.uniform(0, self.noise.health_every_s)

    def health(self, to_s: float) -> list[Report]:
        """`gateway.health` up to `to_s`, at its interval."""
        reports: list[Report] = []
        while self._next_health_s < to_s:
            at = self._next_health_s
            down = self._during(at)
            if down is not None and down.kind == "power":
                self._booted_s = down.to_s
                self._next_health_s = down.to_s + 20.0
                continue
            data = {"uptime_s": round(at - self._booted_s, 1), "outbox_depth": 0, "clock_offset_s": 0.0}
            body = event_body(self.calendar.at(at), self.gateway, None, "gateway.health", data)
            reports.append(Report(at, Lane.ROUTINE, body))
            self._next_health_s = at + self.noise.health_every_s
        return reports

    def _during(self, at_s: float) -> Outage | None:
        return next((outage for outage in self.outages if outage.from_s <= at_s < outage.to_s), None)

    def lines(self, reports: Iterable[Report]) -> list[Line]:
        """When each report reaches the hub. What happened without power is not there."""
        lines: list[Line] = []
        for report in reports:
            down = self._during(report.at_s) if self.outages else None
            if down is None:
                # Reports of one minute pass each other on the wire as little as on the box.
                lines.append(Line(report.at_s + 0.3, 2, report.at_s, self.gateway, report.lane, report.body))
            elif down.kind == "uplink":
                # The urgent lane overtakes what else has waited.
                lines.append(Line(down.to_s + 0.1, report.lane, report.at_s, self.gateway, report.lane, report.body))
        return lines

    def number(self, line: Line) -> bytes:
        """The line as it is written, with the next number of its lane."""
        self._seq[line.lane] += 1
        sent_at = format_instant(self.calendar.at(line.sent_s))
        name = f'"gateway":"{self.gateway}","epoch":"{self.epoch}-{line.lane}"'
        head = f'{{{name},"seq":{self._seq[line.lane]},"sent_at":"{sent_at}",'
        return head.encode() + line.body[1:] + b"\n"
