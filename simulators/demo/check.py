"""Lets the scenario happen with nobody watching, and then asks the public API whether every promise was kept."""

from typing import Final

from simulators.demo.cameras import counting_row, over_after_s
from simulators.demo.matching import match, match_stranger
from simulators.demo.run import Running, begin, read_organisation_key
from simulators.demo.verdict import (
    Row,
    alert_rows,
    continuity_row,
    device_rows,
    is_about,
    rejected_row,
    wire_row,
)
from simulators.hub_api import AlertDetail, HubApi, StoredEvent
from wire.clock import Clock

_POLL_S: Final = 0.5
_ARRIVE_S: Final = 40.0
_ALERTS_S: Final = 40.0


async def check(running: Running, clock: Clock) -> list[Row]:
    """The rows of the table. Takes as long as the scenario lasts, and some seconds more. Raises SimulatorError."""
    begin(running)
    await _let_it_happen(running, clock)
    scenario = running.scenario
    async with HubApi(running.site.http_url, running.token) as api:
        # The gateway hands over what it has and says no more: from here on the figures stand still.
        await running.children.pop("gateway").stop()
        stored = await _until_arrived(running, api, scenario.gateway, clock)
        alerts = await _until_alerts(running, api, clock)
        camera = scenario.camera.id if scenario.camera is not None else ""
        of_devices = [event for event in stored if event.device != camera and event.kind != "gateway.health"]
        rows = device_rows(match(scenario, running.entries, of_devices, read_organisation_key(running.site)))
        if running.clip is not None:
            rows.append(counting_row(running.clip, camera, stored))
        rows += await _stream_rows(running, api, scenario.gateway, stored)
        everything = list(stored)
        if scenario.stranger is not None:
            theirs = await _until_arrived(running, api, scenario.stranger.id, clock)
            rows += device_rows([match_stranger(scenario.stranger, running.entries, theirs)])[:1]
            rows += await _stream_rows(running, api, scenario.stranger.id, theirs)
            everything += theirs
        rows.append(rejected_row(await api.rejected()))
        rows.append(Row("what passed the broker", f"{running.tap.batches} batches", running.tap.faults))
        rows += alert_rows(scenario.alerts, alerts, everything)
    return rows


async def _let_it_happen(running: Running, clock: Clock) -> None:
    """Until every step is done and its time is over, and the clip has been seen to its end."""
    lasts_s = running.scenario.lasts_s
    if running.clip is not None and running.scenario.camera is not None:
        lasts_s = max(lasts_s, over_after_s(running.clip, running.scenario.camera.bucket_s))
    end_s = clock.monotonic() + lasts_s
    while clock.monotonic() < end_s:
        running.watch_children()
        running.read_ground_truth()
        await clock.sleep(_POLL_S)
    running.read_ground_truth()


async def _stream_rows(running: Running, api: HubApi, gateway: str, stored: list[StoredEvent]) -> list[Row]:
    epochs = await api.continuity(gateway)
    return [wire_row(gateway, running.tap.sent, stored), continuity_row(gateway, epochs, stored)]


async def _until_arrived(running: Running, api: HubApi, gateway: str, clock: Clock) -> list[StoredEvent]:
    """A gateway's stored events, once every one that passed the broker is among them; or those there after a while."""
    give_up_s = clock.monotonic() + _ARRIVE_S
    while True:
        stored = await api.events(gateway)
        held = {(event.gateway, event.epoch, event.seq) for event in stored}
        sent = {identity for identity in running.tap.sent if identity[0] == gateway}
        if sent <= held or clock.monotonic() > give_up_s:
            return stored
        await clock.sleep(_POLL_S)


async def _until_alerts(running: Running, api: HubApi, clock: Clock) -> list[AlertDetail]:
    """All alerts, once each expected one is among them; or those that are there after a while."""
    give_up_s = clock.monotonic() + _ALERTS_S
    while True:
        found = await api.alerts()
        is_complete = all(any(is_about(item, alert) for alert in found) for item in running.scenario.alerts)
        if is_complete or clock.monotonic() > give_up_s:
            return [await api.alert(alert.id) for alert in found]
        await clock.sleep(_POLL_S)
