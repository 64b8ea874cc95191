"""Looks at what a configuration names on this machine: profiles, ports, files, folders. Reads only."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from edge_agent.config import AgentConfig
from edge_agent.errors import ConfigError
from edge_agent.mqtt_link import MqttOptions
from edge_agent.profile_examples import check_examples
from edge_agent.secrets import secret_fault
from firmware_profiles.errors import ProfileError
from firmware_profiles.loader import find_profile, load_profile


class Finding(NamedTuple):
    """One thing that was looked at. `fault` says what is wrong and how to mend it; None: it is good."""

    where: str
    what: str
    fault: str | None


def look_at(config: AgentConfig, base: Path) -> Iterator[Finding]:
    """Everything that can be told without talking to a device or the network. `base`: the configuration's folder."""
    yield Finding("gateway.data_dir", str(config.gateway.data_dir), _folder_fault(config.gateway.data_dir))
    yield from _secrets(config)
    yield _tls(config)
    for index, bus in enumerate(config.bus):
        yield Finding(f"bus.{index}.port", bus.port, _port_fault(bus.port))
    for index, device in enumerate(config.device):
        yield Finding(f"device.{index}.profile", f"{device.id}: {device.profile}", _profile_fault(device.profile, base))
    for index, camera in enumerate(config.camera):
        # A URL may carry a password before the @.
        yield Finding(f"camera.{index}.url", f"{camera.id}: {without_password(camera.url)}", _camera_fault(camera.url))
    for siren in config.reflexes.sirens:
        yield Finding("reflexes.sirens", siren, _siren_fault(config, siren, base))


def _secrets(config: AgentConfig) -> Iterator[Finding]:
    named: list[tuple[str, Path | None]] = [
        ("gateway.organisation_key_file", config.gateway.organisation_key_file),
        ("hub.password_file", config.hub.password_file),
        ("hub.key_file", config.hub.key_file),
        ("mqtt.password_file", config.mqtt.password_file if config.mqtt is not None else None),
    ]
    named += [(f"device.{index}.key_file", device.key_file) for index, device in enumerate(config.device)]
    named += [(f"camera.{index}.password_file", camera.password_file) for index, camera in enumerate(config.camera)]
    for where, path in named:
        if path is not None:
            yield Finding(where, str(path), secret_fault(path))


def _tls(config: AgentConfig) -> Finding:
    hub = config.hub
    options = MqttOptions(
        url=hub.url,
        client_id=config.gateway.id,
        ca_file=hub.ca_file,
        cert_file=hub.cert_file,
        key_file=hub.key_file,
    )
    try:
        options.tls()
    except ConfigError as error:
        return Finding("hub.url", hub.url, str(error))
    return Finding("hub.url", hub.url, None)


def _folder_fault(folder: Path) -> str | None:
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        return f"{nearest} is not a folder; give another one"
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"{nearest} cannot be written by this user; change its owner or give another folder"
    return None


def _port_fault(port: str) -> str | None:
    if "://" in port:
        parts = urlsplit(port)
        if parts.scheme not in {"tcp", "rfc2217", "modbus-tcp", "listen", "listen-udp"} or not parts.hostname:
            return (
                "not a port; write /dev/serial/by-id/…, tcp://host:port, rfc2217://host:port, "
                "modbus-tcp://host:port, listen://address:port or listen-udp://address:port"
            )
        return None
    path = Path(port)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        there = ", ".join(str(found) for found in sorted(Path("/dev/serial/by-id").glob("*"))) or "no serial adapter"
        return f"{error.strerror}; plugged in are: {there}"
    if not stat.S_ISCHR(mode):
        return "not a serial port; give a device such as /dev/serial/by-id/…"
    if not os.access(path, os.R_OK | os.W_OK):
        return "this user may not use it; add the user to the group dialout"
    return None


def _profile_fault(name: str, base: Path) -> str | None:
    try:
        profile = load_profile(find_profile(name, base))
    except ProfileError as error:
        return str(error)
    fault = next(check_examples(profile), None)
    return None if fault is None else f"example {fault.name!r}: {fault.reason}"


def _siren_fault(config: AgentConfig, siren: str, base: Path) -> str | None:
    """Why a siren of the reflexes would stay silent."""
    device = next(device for device in config.device if device.id == siren)
    try:
        profile = load_profile(find_profile(device.profile, base))
    except ProfileError:
        return None  # told of the device already
    lacking = [name for name in ("siren_on", "siren_off") if name not in profile.commands]
    if not lacking:
        return None
    return (
        f"{siren}: its profile {device.profile} has no {' and no '.join(lacking)}; give it one, or name another device"
    )


def _camera_fault(url: str) -> str | None:
    scheme = urlsplit(url).scheme
    if scheme in {"rtsp", "rtsps", "http", "https"}:
        return None
    if scheme not in {"", "file"}:
        return f"{scheme}:// is unknown; write rtsp://…, http(s)://…, /dev/video0 or a file"
    path = Path(url.removeprefix("file://"))
    if not path.exists():
        return f"{path}: no such file or device; mend the path or plug the camera in"
    return None if os.access(path, os.R_OK) else f"{path}: this user may not read it; add the user to the group video"


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
