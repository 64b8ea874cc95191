"""Opens the house of a scenario, lets it happen on time, and writes the ground truth while it does."""

import asyncio
from typing import IO, Final

from simulators.demo.ground_truth import STARTED, STRANGER, Entry, TruthWriter
from simulators.demo.house import House
from simulators.demo.site import Site
from simulators.fleet import FleetGateway, FleetPlan, FleetReport
from simulators.mqtt_loop import probe_version
from simulators.scenario import Scenario, Stranger
from wire.clock import Clock
from wire.messages import encode_event

_TURN_S: Final = 0.2


async def play(scenario: Scenario, site: Site, go: IO[bytes], clock: Clock) -> None:
    """Open the devices; on a line from `go` do the steps, each at its time; end when it closes."""
    house = await asyncio.to_thread(House, scenario, site)
    ground_truth = TruthWriter(site.ground_truth)
    try:
        for device in scenario.devices:
            ground_truth.write(Entry(at=clock.now(), device=device.id, step=STARTED, what="started"))
        reader = await _reader_of(go)
        if not await reader.readline():
            return
        tasks = [
            asyncio.create_task(_until_closed(reader)),
            asyncio.create_task(_steps(scenario, house, ground_truth, clock)),
        ]
        if scenario.stranger is not None:
            tasks.append(asyncio.create_task(_stranger(scenario.stranger, site, ground_truth, clock)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except _ClosedError:
            return
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        ground_truth.close()
        await asyncio.to_thread(house.close)


class _ClosedError(Exception):
    """Whoever started the house has gone."""


async def _until_closed(reader: asyncio.StreamReader) -> None:
    await reader.read()
    raise _ClosedError


async def _reader_of(pipe: IO[bytes]) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


async def _steps(scenario: Scenario, house: House, ground_truth: TruthWriter, clock: Clock) -> None:
    began_s = clock.monotonic()
    for index, step in enumerate(scenario.steps):
        await clock.sleep(began_s + step.at_s - clock.monotonic())
        # Written first: what the gateway makes of it must not be older than the entry.
        ground_truth.write(Entry(at=clock.now(), device=step.device, step=index, what=step.do))
        await asyncio.to_thread(house.do, step)


async def _stranger(spec: Stranger, site: Site, ground_truth: TruthWriter, clock: Clock) -> None:
    """Numbers and sends its events until they are acknowledged, and stays connected."""
    plan = FleetPlan(site.mqtt_url, gateways=1, rate=1)
    gateway = FleetGateway(spec.id, plan, await probe_version(site.mqtt_url), clock, FleetReport())
    began_s = clock.monotonic()
    waiting = sorted(enumerate(spec.events), key=lambda item: item[1].at_s)
    try:
        while True:
            while waiting and clock.monotonic() - began_s >= waiting[0][1].at_s:
                index, event = waiting.pop(0)
                now = clock.now()
                ground_truth.write(Entry(at=now, device=event.device, step=index, what=STRANGER))
                gateway.stream.add(encode_event(event.event(now)))
            await gateway.mend()
            gateway.send_due()
            await clock.sleep(_TURN_S)
    finally:
        gateway.leave()
