"""The demo's check as a table: each row one promise, what was found, and what is wrong with it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulators.demo.matching import DeviceResult
from simulators.demo.tap import Identity, content_of
from simulators.hub_api import Alert, AlertDetail, Epoch, StoredEvent
from simulators.scenario import ExpectedAlert


@dataclass(frozen=True, slots=True)
class Row:
    """One promise. It is kept when there are no faults."""

    promise: str
    found: str
    faults: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def device_rows(results: Sequence[DeviceResult]) -> list[Row]:
    """What each device did = what the hub holds of it."""
    rows = []
    for result in results:
        found = f"{result.done} happened, {result.expected} events expected, {result.stored} stored"
        if result.repeats:
            found += f", {result.repeats} said again"
        rows.append(Row(f"device {result.device}", found, result.faults))
    total = Row(
        "events of all devices",
        f"{sum(item.expected for item in results)} expected, {sum(item.stored for item in results)} stored",
        [] if all(item.expected == item.stored for item in results) else ["the sums differ"],
    )
    return [*rows, total]


def wire_row(gateway: str, sent: Mapping[Identity, str], stored: Sequence[StoredEvent]) -> Row:
    """Every event that passed the broker is stored once, as it was sent, and nothing else is."""
    wanted = {identity: content for identity, content in sent.items() if identity[0] == gateway}
    times = Counter((event.gateway, event.epoch, event.seq) for event in stored)
    held = {
        (event.gateway, event.epoch, event.seq): content_of(
            event.observed_at, event.kind, event.device, event.unit, event.data
        )
        for event in stored
    }
    faults = [f"{identity[1]} {identity[2]}: sent and not stored" for identity in sorted(wanted.keys() - held.keys())]
    faults += [
        f"{identity[1]} {identity[2]}: stored and never sent" for identity in sorted(held.keys() - wanted.keys())
    ]
    faults += [f"{identity[1]} {identity[2]}: stored {count} times" for identity, count in times.items() if count > 1]
    faults += [
        f"{identity[1]} {identity[2]}: sent as {wanted[identity]}, stored as {held[identity]}"
        for identity in sorted(wanted.keys() & held.keys())
        if wanted[identity] != held[identity]
    ]
    if not wanted:
        faults.append("nothing was sent at all")
    return Row(f"wire of {gateway}", f"{len(wanted)} events sent, {len(held)} stored", faults)


def continuity_row(gateway: str, epochs: Sequence[Epoch], stored: Sequence[StoredEvent]) -> Row:
    """No holes: every epoch is stored from 1 to its end."""
    faults = []
    for epoch in epochs:
        held = sum(event.epoch == epoch.epoch for event in stored)
        if epoch.holes or epoch.contiguous_seq != epoch.stored:
            faults.append(f"{epoch.epoch}: {epoch.stored} stored, contiguous to {epoch.contiguous_seq}, {epoch.holes}")
        elif held != epoch.stored:
            faults.append(f"{epoch.epoch}: continuity says {epoch.stored} stored, the list of events has {held}")
    if not epochs:
        faults.append("the hub knows no stream of this gateway")
    stretches = ", ".join(f"1-{epoch.contiguous_seq}" for epoch in epochs)
    return Row(f"continuity of {gateway}", f"{len(epochs)} streams: {stretches}", faults)


def rejected_row(count: int) -> Row:
    """The hub had nothing to set aside."""
    return Row("rejected batches", str(count), [] if count == 0 else ["see /api/v1/rejected"])


def is_about(expected: ExpectedAlert, alert: Alert) -> bool:
    """Whether an alert is the expected one: the same rule, and every subject that the scenario names."""
    return (
        alert.rule == expected.rule
        and (expected.unit is None or alert.unit == expected.unit)
        and (expected.device is None or alert.device == expected.device)
        and (expected.gateway is None or alert.gateway == expected.gateway)
    )


def alert_rows(
    expected: Sequence[ExpectedAlert], found: Sequence[AlertDetail], stored: Sequence[StoredEvent]
) -> list[Row]:
    """Each expected alert is there exactly once, explained, on evidence that exists; and no other alert is there."""
    rows = []
    known_events = {event.id for event in stored}
    for item in expected:
        same = [alert for alert in found if is_about(item, alert)]
        faults = [] if len(same) == 1 else [f"there {'is none' if not same else f'are {len(same)}'}: {item.because.en}"]
        for alert in same:
            faults += [f"alert {alert.id}: {fault}" for fault in _unfounded(alert, known_events)]
        subject = item.unit or item.device or item.gateway or ""
        rows.append(Row(f"alert {item.rule} {subject}", f"{len(same)} × {item.because.en}", faults))
    others = [alert for alert in found if not any(is_about(item, alert) for item in expected)]
    faults = [f"{alert.rule} about {alert.subject}: {alert.title.en}" for alert in others]
    rows.append(Row("other alerts", str(len(others)), faults))
    return rows


def _unfounded(alert: AlertDetail, known_events: set[int]) -> list[str]:
    faults = []
    if not alert.explanation.zh.strip() or not alert.explanation.en.strip():
        faults.append("has no explanation in both languages")
    if not alert.evidence:
        faults.append("has no evidence")
    missing = [item.event_id for item in alert.evidence if item.event_id is not None]
    missing = [event_id for event_id in missing if event_id not in known_events]
    if missing:
        faults.append(f"rests on events that are not stored: {missing}")
    return faults
