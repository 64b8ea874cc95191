"""The gateway's configuration file: one TOML file, every key known, every error with its place and mend."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_agent.config_faults import shape_faults
from edge_agent.errors import ConfigError
from wire.ids import GATEWAY_ID_PATTERN


class Section(BaseModel):
    """A table of the file. A typo is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GatewaySection(Section):
    id: Annotated[str, Field(pattern=GATEWAY_ID_PATTERN, description="this gateway's identity")]
    data_dir: Annotated[Path, Field(description="holds the outbox, keys and health files; made when missing")]
    organisation_key_file: Annotated[
        Path | None, Field(description="32 bytes as hex, mode 0600; without it a credential is reported with no ref")
    ] = None
    building: Annotated[str | None, Field(description="code of the building, for devices that belong to no unit")] = (
        None
    )
    health_interval_s: Annotated[float, Field(gt=0, description="how often gateway.health is reported")] = 60.0


class HubSection(Section):
    url: Annotated[str, Field(pattern=r"^mqtts?://[^/]+$", description="mqtt://host:1883 or mqtts://host:8883")]
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    mqtt_version: Annotated[
        Literal["auto", "5", "3.1.1"], Field(description="auto: 5, and 3.1.1 where the broker refuses it")
    ] = "auto"


class OutboxSection(Section):
    max_mib: Annotated[int, Field(ge=1, le=65_536, description="size at which old telemetry makes room")] = 256


class BusSection(Section):
    """A serial line or a TCP serial server with devices on it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
    kind: Literal["osdp", "modbus", "gb26875"]
    port: Annotated[
        str,
        Field(
            description="/dev/serial/by-id/…, tcp://host:port or rfc2217://host:port of a serial server, "
            "modbus-tcp://host:port, or listen://address:port (listen-udp://…) for fire panels' transmitters"
        ),
    ]
    baud: Annotated[int, Field(ge=1200, le=1_000_000)] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    rs485: Annotated[
        bool, Field(description="the port's driver switches the direction of RS-485; most USB adapters do it alone")
    ] = False


class MqttSection(Section):
    """The local broker at which Zigbee2MQTT and other MQTT devices speak."""

    url: Annotated[str, Field(pattern=r"^mqtts?://[^/]+$")]
    username: str | None = None
    password_file: Path | None = None
    zigbee2mqtt_topic: str = "zigbee2mqtt"
    discovery_topic: Annotated[str, Field(description="where devices announce themselves to Home Assistant")] = (
        "homeassistant"
    )


class DeviceSection(Section):
    id: Annotated[str, Field(min_length=1, max_length=128, description="its name on the wire, e.g. lock-302")]
    profile: Annotated[str, Field(description="name of a file in firmware_profiles/devices, or a path to one")]
    bus: Annotated[str | None, Field(description="name of a [[bus]]; absent for MQTT devices")] = None
    address: Annotated[int | str | None, Field(description="bus address, or the name on the MQTT side")] = None
    unit: Annotated[str | None, Field(description="code of the unit it belongs to; absent: the building's")] = None
    key_file: Annotated[Path | None, Field(description="secure channel key as hex, mode 0600")] = None
    access_file: Annotated[
        Path | None, Field(description="credential references that may open, one a line; for readers that ask us")
    ] = None
    parts: Annotated[dict[str, str], Field(description="part of the device (zone.position) -> code of its unit")] = {}


class CameraSection(Section):
    id: Annotated[str, Field(min_length=1, max_length=128)]
    url: Annotated[str, Field(description="rtsp://…, a file, /dev/video0 or http(s)://… for MJPEG")]
    password_file: Path | None = None
    line: Annotated[tuple[float, float, float, float], Field(description="x1, y1, x2, y2 in pixels of the stream")]
    in_side: Annotated[
        Literal["left", "right"], Field(description="side of the arrow from point 1 to 2 that is inside")
    ]
    view: Literal["oblique", "overhead"] = "oblique"
    zone: Annotated[list[float] | None, Field(description="x1, y1, x2, y2, … polygon in which people are counted")] = (
        None
    )
    unit: str | None = None
    max_fps: Annotated[float, Field(gt=0, le=60)] = 10.0
    transport: Annotated[
        Literal["auto", "tcp", "udp"], Field(description="of RTSP; auto: TCP, and UDP where the camera refuses it")
    ] = "auto"
    cpu_pct: Annotated[
        float,
        Field(ge=5, le=400, description="share of one core that counting may take on average; frames are skipped"),
    ] = 100
    bucket_s: Annotated[
        float, Field(gt=0, description="crossings are reported per bucket; under 60 is less private")
    ] = 60


class ReflexSection(Section):
    """Life safety on the box: what happens with no hub."""

    sirens: Annotated[list[str], Field(description="ids of devices whose profile has a siren command")] = []
    siren_off_when_clear: Annotated[
        bool, Field(description="false: a siren goes on until a person silences it by command")
    ] = True


class LogSection(Section):
    format: Annotated[Literal["auto", "json", "console"], Field(description="auto: console on a terminal")] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class AgentConfig(Section):
    gateway: GatewaySection
    hub: HubSection
    outbox: OutboxSection = OutboxSection()
    mqtt: MqttSection | None = None
    reflexes: ReflexSection = ReflexSection()
    log: LogSection = LogSection()
    bus: list[BusSection] = []
    device: list[DeviceSection] = []
    camera: list[CameraSection] = []


def load_config(path: Path) -> AgentConfig:
    """The configuration in `path`. Raises ConfigError: one line for each fault, with key, line and mend."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; give the path of a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    try:
        config = AgentConfig.model_validate(raw)
    except ValidationError as error:
        faults = shape_faults(error, AgentConfig, text)
        raise ConfigError("\n".join(f"{path}:{fault}" for fault in faults)) from error
    if faults := reference_faults(config):
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    return _with_profiles_beside(config, path.resolve().parent)


def _with_profiles_beside(config: AgentConfig, folder: Path) -> AgentConfig:
    """Profiles named by a path are meant relative to the configuration, wherever the agent is started."""
    devices = [
        device.model_copy(update={"profile": str(folder / device.profile)})
        if device.profile.endswith((".yaml", ".yml")) and (folder / device.profile).is_file()
        else device
        for device in config.device
    ]
    return config.model_copy(update={"device": devices})


def reference_faults(config: AgentConfig) -> list[str]:
    """Names that stand for nothing, and names that stand for two things; one line each."""
    faults: list[str] = []
    buses = [bus.name for bus in config.bus]
    ids = [device.id for device in config.device] + [camera.id for camera in config.camera]
    faults += [f"bus: {name!r} is there twice; give each its own name" for name in _twice(buses)]
    faults += [f"device: id {name!r} is there twice; give each device and camera its own" for name in _twice(ids)]
    for index, device in enumerate(config.device):
        if device.bus is not None and device.bus not in buses:
            known = ", ".join(buses) or "none"
            faults.append(f"device.{index}.bus: no [[bus]] is named {device.bus!r} (there is: {known}); mend the name")
    devices = {device.id for device in config.device}
    faults += [
        f"reflexes.sirens: no [[device]] has the id {siren!r}; mend the id or take it out"
        for siren in config.reflexes.sirens
        if siren not in devices
    ]
    return faults


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
