"""Opens the house of a scenario, lets it happen on time, and writes the ledger while it does."""

import asyncio
from typing import IO, Final

from simulators.demo.house import House
from simulators.demo.ledger import STARTED, Entry, LedgerWriter
from simulators.demo.site import Site
from simulators.fleet import FleetGateway, FleetPlan, FleetReport
from simulators.mqtt_loop import probe_version
from simulators.scenario import Scenario, WireGateway
from wire.clock import Clock
from wire.events import DoorState, DoorStateData
from wire.messages import encode_event

_TURN_S: Final = 0.2


async def play(scenario: Scenario, site: Site, go: IO[bytes], clock: Clock) -> None:
    """Open the devices; on a line from `go` do the steps, each at its time; end when it closes."""
    house = await asyncio.to_thread(House, scenario, site)
    ledger = LedgerWriter(site.ledger)
    try:
        for device in scenario.devices:
            ledger.write(Entry(at=clock.now(), device=device.id, step=STARTED, what="started"))
        reader = await _reader_of(go)
        if not await reader.readline():
            return
        tasks = [
            asyncio.create_task(_until_closed(reader)),
            asyncio.create_task(_steps(scenario, house, ledger, clock)),
        ]
        if scenario.second_gateway is not None:
            tasks.append(asyncio.create_task(_second_gateway(scenario.second_gateway, site, clock)))
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
        ledger.close()
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


async def _steps(scenario: Scenario, house: House, ledger: LedgerWriter, clock: Clock) -> None:
    began_s = clock.monotonic()
    for index, step in enumerate(scenario.steps):
        await clock.sleep(began_s + step.at_s - clock.monotonic())
        # Written first: what the gateway makes of it must not be older than the entry.
        ledger.write(Entry(at=clock.now(), device=step.device, step=index, what=step.do))
        await asyncio.to_thread(house.do, step)


async def _second_gateway(spec: WireGateway, site: Site, clock: Clock) -> None:
    """A stranger's gateway that says something and is never heard of again."""
    plan = FleetPlan(site.mqtt_url, gateways=1, rate=1)
    gateway = FleetGateway(spec.id, plan, await probe_version(site.mqtt_url), clock, FleetReport())
    await gateway.connect()
    try:
        for number in range(spec.events):
            data = DoorStateData(open=number % 2 == 0)
            event = DoorState(observed_at=clock.now(), device=spec.device, unit=spec.unit, data=data)
            gateway.stream.add(encode_event(event))
        began_s = clock.monotonic()
        while clock.monotonic() - began_s < spec.falls_silent_at_s:
            gateway.send_due()
            await clock.sleep(_TURN_S)
    finally:
        gateway.vanish()
