"""Looks at a gateway as a doctor does: files, ports, brokers, hub, disk, clock, cameras. Changes nothing."""

import asyncio
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import apsw
import msgspec

from edge_agent.check import look_at, without_password
from edge_agent.clock_quality import BUILT_AFTER, read_kernel_clock
from edge_agent.config import AgentConfig, BusSection, CameraSection
from edge_agent.drivers.links import open_link
from edge_agent.errors import AgentError, ConfigError, LinkError, UplinkError
from edge_agent.mqtt_options import MqttOptions
from edge_agent.mqtt_session import Session
from edge_agent.outbox.rows import APPLICATION_ID, TABLES
from edge_agent.secrets import read_secret
from edge_agent.setup.words import AREAS
from edge_agent.status import AgentStatus, ask_status
from firmware_profiles.errors import ProfileError
from firmware_profiles.loader import find_profile, load_profile
from wire.clock import Clock

State = Literal["good", "warning", "bad"]

REACH_S: Final = 4.0
UNACKED_S: Final = 120.0
"""A hub that lives answers a batch within seconds; events that wait longer wait for something to be mended."""
SLACK_BYTES: Final = 64 * 1024 * 1024


class Diagnosis(msgspec.Struct, frozen=True):
    """One thing that was looked at. `area` is a key of `words.AREAS`; `detail` is exact, for whoever mends it."""

    area: str
    about: str
    state: State
    detail: str = ""

    @property
    def mend_en(self) -> str:
        """What to do, in English."""
        return AREAS[self.area].mend_en

    @property
    def mend_zh(self) -> str:
        """What to do, in Chinese."""
        return AREAS[self.area].mend_zh


_AREA_OF: Final = {
    "gateway": "data", "bus": "port", "device": "profile", "camera": "camera", "hub": "hub", "reflexes": "siren",
}  # fmt: skip
_SEEN_BY_OPENING: Final = ("port", "hub", "camera")


def examine(config: AgentConfig, base: Path, clock: Clock) -> Iterator[Diagnosis]:
    """Everything, in the order in which one would mend it. `base` is the configuration's folder."""
    refused: set[str] = set()
    for finding in look_at(config, base):
        area = "secret" if finding.where.endswith("_file") else _AREA_OF[finding.where.partition(".")[0]]
        if finding.fault is not None:
            refused.add(finding.what)
        elif area in _SEEN_BY_OPENING:
            continue  # it is tried below
        yield Diagnosis(area, finding.what, "good" if finding.fault is None else "bad", finding.fault or "")
    yield from _reflexes(config, base)
    try:
        status = ask_status(config.gateway.data_dir) if config.gateway.data_dir.is_dir() else None
    except AgentError as error:
        yield Diagnosis("data", str(config.gateway.data_dir), "bad", str(error))
        return
    yield from _buses(config, status, refused)
    yield from _brokers(config)
    yield from _acknowledged(status)
    yield from _outbox(config, clock, is_running=status is not None)
    yield _clock(clock)
    yield from (found for camera in config.camera if (found := _camera(camera)).about not in refused)
    if config.camera:
        yield _model()


def _reflexes(config: AgentConfig, base: Path) -> Iterator[Diagnosis]:
    """Whether smoke that is heard of would sound anything."""
    detectors = []
    for device in config.device:
        try:
            profile = load_profile(find_profile(device.profile, base))
        except ProfileError:
            continue  # told already
        if any(rule.kind == "smoke.state" for rule in profile.events):
            detectors.append(device.id)
    if detectors and not config.reflexes.sirens:
        yield Diagnosis("siren", ", ".join(detectors)[:200], "warning", "no siren sounds when these report smoke")


def _buses(config: AgentConfig, status: AgentStatus | None, refused: set[str]) -> Iterator[Diagnosis]:
    """Ports that open; where the agent runs and has them, what its drivers say."""
    if status is not None:
        for name, health in status.drivers.items():
            is_well = health.state in ("running", "starting")
            state: State = "good" if is_well else "warning" if health.state == "degraded" else "bad"
            yield Diagnosis("device", name, state, health.detail)
        return
    for bus in config.bus:
        if bus.port in refused:
            continue
        fault = _port_fault(bus)
        yield Diagnosis("port", f"{bus.name}: {bus.port}", "good" if fault is None else "bad", fault or "")


def _port_fault(bus: BusSection) -> str | None:
    parts = urlsplit(bus.port)
    if parts.scheme in ("listen", "listen-udp"):
        return _listen_fault(parts.hostname or "", parts.port or 0, is_udp=parts.scheme == "listen-udp")
    if parts.scheme == "modbus-tcp":
        return _reach_fault(parts.hostname or "", parts.port or 502)
    try:
        open_link(bus).close()
    except (LinkError, ConfigError) as error:
        return str(error)
    return None


def _listen_fault(host: str, port: int, *, is_udp: bool) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if is_udp:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.bind((host, port))
                return None
        with socket.create_server((host, port), family=family):
            return None
    except OSError as error:
        return f"cannot listen: {error.strerror}"


def _reach_fault(host: str, port: int) -> str | None:
    try:
        with socket.create_connection((host, port), timeout=REACH_S):
            return None
    except OSError as error:
        return f"{host}:{port}: {error.strerror or error}"


def _brokers(config: AgentConfig) -> Iterator[Diagnosis]:
    """Both brokers, with the user and the certificates that the agent would use, under a name of the doctor's own."""
    client_id = f"{config.gateway.id}-doctor"
    try:
        if config.mqtt is not None:
            mqtt = config.mqtt
            password = read_secret(mqtt.password_file, "mqtt.password_file") if mqtt.password_file else None
            yield _broker("broker", MqttOptions(mqtt.url, client_id, mqtt.username, password))
        hub = config.hub
        password = read_secret(hub.password_file, "hub.password_file") if hub.password_file else None
        files = (hub.ca_file, hub.cert_file, hub.key_file)
        yield _broker("hub", MqttOptions(hub.url, client_id, hub.username, password, *files, hub.mqtt_version))
    except ConfigError as error:
        yield Diagnosis("secret", "", "bad", str(error))


def _broker(area: str, options: MqttOptions) -> Diagnosis:
    try:
        asyncio.run(_connect(options))
    except (UplinkError, ConfigError) as error:
        return Diagnosis(area, options.url, "bad", str(error))
    return Diagnosis(area, options.url, "good")


async def _connect(options: MqttOptions) -> None:
    """Connect once and hang up. Raises UplinkError, ConfigError."""
    tls = options.tls()
    tries = [False] if options.version == "3.1.1" else [True, False] if options.version == "auto" else [True]
    for index, is_v5 in enumerate(tries):
        session = Session(options, tls, None, is_v5=is_v5)
        try:
            await session.connect([], lambda message: None)
            session.client.disconnect()
            await asyncio.sleep(0)
            return
        except UplinkError:
            if not session.speaks_other_version or index == len(tries) - 1:
                raise
        finally:
            session.drop()


def _acknowledged(status: AgentStatus | None) -> Iterator[Diagnosis]:
    """Whether what was sent is confirmed. Only the running agent knows."""
    if status is None:
        yield Diagnosis("agent", "", "warning", "it does not; whether the hub confirms events is not known")
        return
    ages = [lane.oldest_s for lane in status.lanes if lane.oldest_s is not None]
    waiting = sum(lane.depth for lane in status.lanes)
    last = "never" if status.uplink_last_ack_s is None else f"{status.uplink_last_ack_s:.0f} s ago"
    is_late = max(ages, default=0.0) > UNACKED_S
    detail = f"{waiting} events wait, the last confirmation was {last}; {status.uplink_detail}"
    yield Diagnosis("ack", status.gateway, "bad" if is_late else "good", detail)
    if status.dead_letters:
        yield Diagnosis("ack", "dead letters", "warning", f"{status.dead_letters} events that the hub cannot read")


def _outbox(config: AgentConfig, clock: Clock, *, is_running: bool) -> Iterator[Diagnosis]:
    folder = config.gateway.data_dir
    path = folder / "outbox.db"
    size = path.stat().st_size if path.exists() else 0
    place = next((item for item in (folder, *folder.parents) if item.is_dir()), Path("/"))
    free = shutil.disk_usage(place).free
    needed = max(0, config.outbox.max_mib * 1024 * 1024 - size) + SLACK_BYTES
    detail = f"{free // 1024**2} MiB free, {needed // 1024**2} MiB may be needed"
    yield Diagnosis("disk", str(place), "good" if free >= needed else "bad", detail)
    if path.exists():
        yield _queue(path, clock, is_running=is_running)


def _queue(path: Path, clock: Clock, *, is_running: bool) -> Diagnosis:
    """The file's own consistency, and how long its oldest event has waited."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            db.set_busy_timeout(2000)
            if db.pragma("application_id") != APPLICATION_ID:
                return Diagnosis("outbox", str(path), "bad", "it is not an outbox of the agent; move it away")
            verdict = str(db.pragma("quick_check"))
            oldest = [
                row[0]
                for table in TABLES.values()
                for row in db.execute(f"SELECT min(stored_ms) FROM {table}")  # noqa: S608  # names of our own
                if row[0] is not None
            ]
        finally:
            db.close()
    except apsw.Error as error:
        return Diagnosis("outbox", str(path), "bad", f"{type(error).__name__}: {error}")
    if verdict != "ok":
        return Diagnosis("outbox", str(path), "bad", verdict.splitlines()[0])
    age_s = max(0.0, clock.now().timestamp() - min(oldest) / 1000) if oldest else 0.0
    if age_s > UNACKED_S and not is_running:
        return Diagnosis("outbox", str(path), "warning", f"events wait since {age_s:.0f} s; start the agent")
    return Diagnosis("outbox", str(path), "good")


def _clock(clock: Clock) -> Diagnosis:
    now, kernel = clock.now(), read_kernel_clock()
    about = now.astimezone(UTC).isoformat(timespec="seconds")
    if now < BUILT_AFTER:
        return Diagnosis("clock", about, "bad", f"it says a time before this release ({BUILT_AFTER:%Y-%m-%d})")
    if not kernel.is_disciplined:
        return Diagnosis("clock", about, "warning", "nothing keeps it right (no NTP)")
    return Diagnosis("clock", about, "good", "" if kernel.offset_s is None else f"off by {kernel.offset_s:g} s")


def _camera(camera: CameraSection) -> Diagnosis:
    """Whether somebody listens at a camera's address; `camera test` looks at the picture."""
    parts = urlsplit(camera.url)
    about = f"{camera.id}: {without_password(camera.url)}"
    ports = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
    if parts.scheme not in ports:
        return Diagnosis("camera", about, "good")
    fault = _reach_fault(parts.hostname or "", parts.port or ports[parts.scheme])
    return Diagnosis("camera", about, "good" if fault is None else "bad", fault or "")


def _model() -> Diagnosis:
    from edge_agent.counting.model_files import FP32, INT8, find_model

    try:
        for name in (FP32, INT8):
            find_model(name)
    except ConfigError as error:
        return Diagnosis("model", "", "bad", str(error))
    return Diagnosis("model", f"{FP32}, {INT8}", "good")
