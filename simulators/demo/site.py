"""Where the demo lives: its folder, its ports, and the gateway's configuration in it."""

import json
import os
import re
import shutil
import socket
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from simulators.cameras.clips import Clip
from simulators.errors import StartError
from simulators.scenario import Camera, ModbusSmoke, OsdpReader, Scenario

_MARK: Final = ".anfang-demo"
_HTTP_PORT: Final = 8080
_MQTT_PORT: Final = 1883


@dataclass(frozen=True, slots=True)
class Site:
    """The demo's folder and ports."""

    folder: Path
    http_port: int
    mqtt_port: int
    rtsp_port: int

    @property
    def http_url(self) -> str:
        """The address of the pages and of the API."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def mqtt_url(self) -> str:
        """The broker, for gateways and for the Zigbee2MQTT topics of the house."""
        return f"mqtt://127.0.0.1:{self.mqtt_port}"

    @property
    def hub_dir(self) -> Path:
        """The hub's data."""
        return self.folder / "hub"

    @property
    def agent_config(self) -> Path:
        """The gateway's configuration."""
        return self.folder / "gateway.toml"

    @property
    def registry(self) -> Path:
        """The registry seed, with dates."""
        return self.folder / "registry.yaml"

    @property
    def ground_truth(self) -> Path:
        """What the simulated devices did."""
        return self.folder / "ground_truth.jsonl"

    @property
    def organisation_key(self) -> Path:
        """The key under which gateway and hub know cards; the hub makes it."""
        return self.hub_dir / "organisation.key"

    def log(self, name: str) -> Path:
        """The output of one part."""
        return self.folder / "logs" / f"{name}.log"

    def key_of(self, reader: str) -> Path:
        """The key of a reader's secure channel."""
        return self.folder / "keys" / f"{reader}.key"

    def access_list_of(self, reader: str) -> Path:
        """The references of the cards that open at a reader."""
        return self.folder / "keys" / f"{reader}.access"

    def port_of_bus(self, bus: str) -> Path:
        """The link to the pty at which a bus of the simulated house ends."""
        return self.folder / "dev" / bus


def make_site(folder: Path) -> Site:
    """An empty folder with free ports: 8080 and 1883 where nobody has them. Raises StartError.

    What an earlier demo left in the folder is removed; a folder that holds something else is left alone.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise StartError(f"{folder}: holds something that is not an earlier demo; give another folder with --dir")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    (folder / "dev").mkdir()
    (folder / "keys").mkdir(mode=0o700)
    (folder / _MARK).touch()
    ports = free_ports([_HTTP_PORT, _MQTT_PORT, 0])
    return Site(folder.resolve(), *ports)


def free_ports(wanted: list[int]) -> list[int]:
    """For each wanted port of the loopback itself where it is free, otherwise another one; 0 wants any."""
    probes: list[socket.socket] = []
    try:
        for port in wanted:
            probe = socket.socket()
            probes.append(probe)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError:
                probe.close()
                probe = socket.socket()
                probes[-1] = probe
                probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def program(name: str) -> str:
    """The console script `name` of the environment that runs the demo. Raises StartError."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise StartError(f"{path}: not there; install Anfang with the extras agent, hub and sim (`make setup`)")
    return str(path)


_DAY: Final = re.compile(r"\{today([+-]\d+)?\}")


def dated(registry: str, today: date) -> str:
    """A registry seed with `{today-10}` and the like replaced by dates."""
    return _DAY.sub(lambda found: (today + timedelta(days=int(found[1] or 0))).isoformat(), registry)


def environment() -> dict[str, str]:
    """The environment of every part: output at once, and in UTF-8."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def agent_toml(scenario: Scenario, site: Site, clip: Clip | None) -> str:
    """The gateway's configuration for a scenario. Every value is ours, so plain quoting suffices."""
    lines = [
        "# Written by `anfang-sim demo`.",
        "[gateway]",
        f'id = "{scenario.gateway}"',
        f'data_dir = "{site.folder / "gateway"}"',
        f'organisation_key_file = "{site.organisation_key}"',
        f'building = "{scenario.building}"',
        "health_interval_s = 10",
        "",
        "[hub]",
        f'url = "{site.mqtt_url}"',
        "",
        "[mqtt]",
        f'url = "{site.mqtt_url}"',
        "",
        "[reflexes]",
        f"sirens = {json.dumps(scenario.sirens)}",
        "",
        "[log]",
        'format = "json"',
    ]
    buses = {device.is_a for device in scenario.devices}
    if "osdp_reader" in buses:
        lines += ["", "[[bus]]", 'name = "readers"', 'kind = "osdp"', f'port = "{site.port_of_bus("readers")}"']
    if "modbus_smoke" in buses:
        lines += ["", "[[bus]]", 'name = "sensors"', 'kind = "modbus"', f'port = "{site.port_of_bus("sensors")}"']
        lines += ["stop_bits = 2"]
    for device in scenario.devices:
        lines += ["", "[[device]]", f'id = "{device.id}"', f'profile = "{device.profile}"']
        if device.unit is not None:
            lines += [f'unit = "{device.unit}"']
        if isinstance(device, OsdpReader):
            lines += ['bus = "readers"', f"address = {device.address}", f'key_file = "{site.key_of(device.id)}"']
            if device.opens_for:
                lines += [f'access_file = "{site.access_list_of(device.id)}"']
        elif isinstance(device, ModbusSmoke):
            lines += ['bus = "sensors"', f"address = {device.address}"]
        else:
            lines += [f'address = "{device.address}"']
    if scenario.camera is not None and clip is not None:
        lines += _camera_lines(scenario.camera, site, clip)
    return "\n".join(lines) + "\n"


def _camera_lines(camera: Camera, site: Site, clip: Clip) -> list[str]:
    lines = ["", "[[camera]]", f'id = "{camera.id}"', f'url = "{rtsp_url(site, clip)}"']
    lines += [f"line = {json.dumps(clip.line)}", f'in_side = "{clip.in_side}"']
    lines += [f"bucket_s = {camera.bucket_s:g}"]
    return lines if camera.unit is None else [*lines, f'unit = "{camera.unit}"']


def rtsp_url(site: Site, clip: Clip) -> str:
    """Where the simulated camera plays the clip, over and over."""
    return f"rtsp://127.0.0.1:{site.rtsp_port}/{clip.path.name}?play_count=0"
