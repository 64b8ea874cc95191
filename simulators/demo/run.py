"""Starts everything, lets the scenario happen, watches or checks it, and stops everything."""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from simulators.cameras.clips import Clip
from simulators.demo.cameras import clip_of_the_demo
from simulators.demo.ground_truth import Entry, TruthReader
from simulators.demo.processes import Child, run_once, start_child
from simulators.demo.site import Site, agent_toml, dated, environment, make_site, program
from simulators.demo.tap import Tap
from simulators.errors import StartError
from simulators.hub_api import HubApi, is_healthy
from simulators.scenario import OsdpReader, Scenario
from wire.clock import Clock
from wire.ids import canonical_card, credential_ref

_HEALTHY_S: Final = 90.0
_READY_S: Final = 90.0
_POLL_S: Final = 0.1
USER: Final = "demo"


@dataclass(slots=True)
class Running:
    """A demo that runs: what is needed to watch and to check it."""

    site: Site
    scenario: Scenario
    scenario_path: Path
    clip: Clip | None
    tap: Tap
    ground_truth: TruthReader
    children: dict[str, Child] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    token: str = ""
    sign_in_link: str = ""

    def read_ground_truth(self) -> list[Entry]:
        """What happened since the last look; it is kept in `entries` too."""
        new = list(self.ground_truth.new_entries())
        self.entries += new
        return new

    def watch_children(self) -> None:
        """Raises StartError when a part has ended by itself."""
        for child in self.children.values():
            if not child.is_running:
                status = child.process.returncode
                raise StartError(f"{child.name} has ended (status {status}); {child.log}:\n{child.tail()}")


@contextlib.asynccontextmanager
async def running_demo(scenario_path: Path, scenario: Scenario, folder: Path, clock: Clock) -> AsyncIterator[Running]:
    """Everything up and ready to begin; all of it stopped at the end. Raises SimulatorError."""
    clip = await asyncio.to_thread(clip_of_the_demo) if scenario.camera is not None else None
    site = make_site(folder)
    running = Running(site, scenario, scenario_path, clip, Tap(), TruthReader(site.ground_truth))
    try:
        await _start(running, clock)
        yield running
    finally:
        running.tap.close()
        # The gateway first: it hands over what it still has; then the house; then the hub.
        for child in reversed(running.children.values()):
            await child.stop()


async def _start(running: Running, clock: Clock) -> None:
    site, scenario, children = running.site, running.scenario, running.children
    hub = [program("anfang-hub"), "serve", "--data-dir", str(site.hub_dir), "--embedded-broker"]
    hub += ["--http", f"127.0.0.1:{site.http_port}", "--mqtt", site.mqtt_url]
    children["hub"] = await start_child("hub", hub, log=site.log("hub"), env=environment())
    await _until_healthy(site, children["hub"], clock)
    await running.tap.open(site.mqtt_url)
    _write_keys(site, scenario)
    house = [program("anfang-sim"), "play", str(running.scenario_path), "--dir", str(site.folder)]
    house += ["--mqtt", site.mqtt_url]
    children["house"] = await start_child("house", house, log=site.log("house"), env=environment())
    if running.clip is not None:
        camera = [sys.executable, "-m", "simulators.cameras.rtsp", str(running.clip.path)]
        camera += ["--port", str(site.rtsp_port)]
        children["camera"] = await start_child("camera", camera, log=site.log("camera"), env=environment())
    site.agent_config.write_text(agent_toml(scenario, site, running.clip), encoding="utf-8")
    seed = (running.scenario_path.parent / scenario.registry).read_text(encoding="utf-8")
    site.registry.write_text(dated(seed, clock.now().astimezone().date()), encoding="utf-8")
    await _together(_prepare_hub(running), _start_gateway(running, clock))
    await _until_ready(running, clock)


async def _start_gateway(running: Running, clock: Clock) -> None:
    """As soon as every device of the house is there: a port that is not would be reported as a fault."""
    give_up_s = clock.monotonic() + _READY_S
    while len(running.entries) < len(running.scenario.devices):
        running.watch_children()
        if clock.monotonic() > give_up_s:
            raise StartError(f"the house did not open within {_READY_S:.0f} s; see {running.site.log('house')}")
        await clock.sleep(_POLL_S)
        running.read_ground_truth()
    agent = [program("anfang-agent"), "run", str(running.site.agent_config)]
    log = running.site.log("gateway")
    running.children["gateway"] = await start_child("gateway", agent, log=log, env=environment())


async def _prepare_hub(running: Running) -> None:
    """Load the registry, make a token for the check and a link for the person; at once, as each takes seconds."""
    site, hub, env = running.site, program("anfang-hub"), environment()
    data = ["--data-dir", str(site.hub_dir)]

    async def load() -> None:
        await run_once("registry load", [hub, "registry", "load", str(site.registry), *data], env=env)

    async def make_token() -> None:
        command = [hub, "token", "create", *data, "--role", "admin", "--name", "demo"]
        running.token = (await run_once("token create", command, env=env)).strip()

    async def make_link() -> None:
        command = [hub, "user", "add", USER, *data, "--role", "admin", "--link", "--address", site.http_url]
        running.sign_in_link = (await run_once("user add", command, env=env)).strip().splitlines()[-1]

    await _together(load(), make_token(), make_link())


async def _together(*work: Coroutine[None, None, None]) -> None:
    """All at once; when one fails the others are cancelled, and its error is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in work:
                group.create_task(part)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _until_healthy(site: Site, hub: Child, clock: Clock) -> None:
    give_up_s = clock.monotonic() + _HEALTHY_S
    # The key too: what answers at that address may be somebody else's hub, and ours about to fail for its port.
    while not (site.organisation_key.exists() and await is_healthy(site.http_url)):
        if not hub.is_running:
            raise StartError(f"the hub did not start; {hub.log}:\n{hub.tail()}")
        if clock.monotonic() > give_up_s:
            raise StartError(f"the hub is not healthy after {_HEALTHY_S:.0f} s; {hub.log}:\n{hub.tail()}")
        await clock.sleep(_POLL_S)


async def _until_ready(running: Running, clock: Clock) -> None:
    """Until the hub has heard every device with which the scenario begins; then the gateway is adopted."""
    scenario = running.scenario
    wanted = {(device.id, outcome.kind) for device in scenario.devices for outcome in device.begins}
    if scenario.camera is not None and running.clip is not None:
        wanted.add((scenario.camera.id, "camera.state"))
    give_up_s = clock.monotonic() + _READY_S
    heard: set[tuple[str, str]] = set()
    async with HubApi(running.site.http_url, running.token) as api:
        while missing := wanted - heard:
            running.watch_children()
            if clock.monotonic() > give_up_s:
                names = ", ".join(sorted({device for device, _ in missing}))
                raise StartError(
                    f"not heard of after {_READY_S:.0f} s: {names}; see {running.site.log('gateway')} "
                    f"and {running.site.log('house')}"
                )
            heard = {(event.device, event.kind) for event in await api.events(scenario.gateway)}
            await clock.sleep(_POLL_S)
        await api.adopt(scenario.gateway, scenario.building)


def begin(running: Running) -> None:
    """Let the scenario happen."""
    running.children["house"].tell("go")


def _write_keys(site: Site, scenario: Scenario) -> None:
    organisation_key = read_organisation_key(site)
    for device in scenario.devices:
        if not isinstance(device, OsdpReader):
            continue
        key_path = site.key_of(device.id)
        key_path.touch(mode=0o600)
        key_path.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
        if device.opens_for:
            refs = [credential_ref(organisation_key, "card", canonical_card(card)) for card in device.opens_for]
            site.access_list_of(device.id).write_text("\n".join(refs) + "\n", encoding="utf-8")


def read_organisation_key(site: Site) -> bytes:
    """The key that the hub made at its first start. Raises StartError."""
    try:
        return bytes.fromhex(site.organisation_key.read_text(encoding="utf-8").strip())
    except (OSError, ValueError) as error:
        raise StartError(f"{site.organisation_key}: {error}; the hub writes it at its first start") from error
