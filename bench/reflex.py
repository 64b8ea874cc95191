"""From smoke on the wire to the siren, with the uplink dead and the CPU busy counting people.

    .venv/bin/python bench/reflex.py [--seconds 240] [--cameras 4] [--dead 1] [--json bench/results/reflex.json]

`anfang-agent run` as a process of its own: its hub refuses connections, its cameras count a clip that loops. Detectors
speak three protocols: Zigbee2MQTT's payloads through a real Mosquitto, GB/T 26875.3 over TCP (a published frame),
Modbus RTU on a line of 9,600 baud (pymodbus's server). So do the sirens: Zigbee2MQTT's `set` topic, a relay written
over Modbus, an output of an OSDP reader (libosdp's peripheral device). On both sirens' buses
there are devices that never answer; those on Modbus are waited for a second each, so that one holds the line nearly
always. Each alarm counts from its
last byte on the wire to the moment at which the siren has its command. The devices share the machine's cores with the
counting, so what they need for themselves is in the figures too.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console
from rich.table import Table

from firmware_profiles.loader import find_profile, load_profile
from simulators.cameras.clips import demo_clip
from simulators.cameras.rtsp import RtspCamera
from simulators.devices.modbus_sensor import ModbusHost, ModbusSmoke
from simulators.devices.osdp_reader import OsdpReader
from simulators.devices.serial_line import SerialLine

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.servers import free_port, mosquitto

BAUD = 9600
SENSOR, SIREN, FIRST_DEAD = 1, 2, 20
RELAY_ON = bytes([SIREN, 6, 0, 2, 2, 0x37])
SMOKE_ANSWER = bytes([SENSOR, 2, 1, 0b101])
GB_ADDRESS = 0x379
# ActorLancer/GB-T-26875.3.2011-rs, worked example 1: a smoke detector in fire; and the same one without.
FIRE = bytes.fromhex(
    "40400100010120 3A091A090C 790300000000 385B01000000 3000 02 0201 01 01 28 0A00 0200 0200"
    + "20" * 30
    + "00 023A091A090C 46 2323"
)
# It is never taken for gone, so that it is asked whenever the line is free.
DEAD = """\
profile: 1
vendor: Bench
model: a sensor that does not answer
family: smoke
source: the benchmark
transport: {kind: modbus, poll_s: 0.1, timeout_s: 1}
health: {failures: 100}
fields: {smoke: {discrete: 0}}
events: [{kind: smoke.state, from: {alarm: smoke}}]
examples:
  - {name: smoke, input: {discrete: {0: 1}}, events: [{smoke.state: {alarm: true}}]}
  - {name: nothing, input: {}, fails: registers}
"""
OSDP_SIREN = """\
profile: 1
vendor: Bench
model: reader with a siren at its relay
family: siren
source: the reader of the benchmark
transport: {kind: osdp}
fields: {tamper: {item: tamper}}
events: [{kind: device.health, from: {tamper: tamper}}]
commands: {siren_on: {osdp: [{output: 0}]}, siren_off: {osdp: [{output: 0, on: false}]}}
examples:
  - {name: tamper, input: {frames: ["53 e5 0a 00 05 48 01 00 16 3e"]}, events: [{device.health: {tamper: true}}]}
  - {name: a bit flipped, input: {frames: ["53 e5 0a 00 05 48 01 01 16 3e"]}, fails: checksum}
"""


def clear_frame() -> bytes:
    """The published frame with the state *normal*."""
    body = bytearray(FIRE[:-3])
    at = body.index(bytes.fromhex("0A0002000200")) + 4
    body[at] = 1
    return bytes(body) + bytes([sum(body[2:]) & 0xFF]) + b"##"


class Stamps(list[Any]):
    """What a line passes: keeps only when each pattern was last seen whole."""

    def __init__(self, *patterns: bytes) -> None:
        super().__init__()
        self._patterns = patterns
        self._recent = b""
        self.seen: dict[bytes, float] = {}

    def append(self, data: Any) -> None:
        self._recent = (self._recent + data)[-32:]
        for pattern in self._patterns:
            if pattern in self._recent:
                self.seen.setdefault(pattern, time.monotonic())
                self._recent = b""


class Site:
    """Everything outside the gateway, and when its sirens went on."""

    def __init__(self, folder: Path, broker: str, gb_port: int) -> None:
        self.folder, self.broker, self.gb_port = folder, broker, gb_port
        self.on: dict[str, float] = {}
        self.off: set[str] = set()
        self.line = SerialLine(folder / "by-id" / "modbus", baud=BAUD)
        self.stamps = Stamps(RELAY_ON, SMOKE_ANSWER)
        self.line.tapped = self.stamps
        self.host = ModbusHost(self.line, [SENSOR, SIREN], load_profile(find_profile("calectro/ug-3-o-mb-r")))
        self.sensor = ModbusSmoke(self.line, SENSOR, host=self.host)
        ModbusSmoke(self.line, SIREN, host=self.host)
        self.osdp_line = SerialLine(folder / "by-id" / "osdp", baud=BAUD)
        self.reader = _Siren(self.osdp_line, 5, self)
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench-devices")
        self.client.on_message = self._heard
        host, port = broker.removeprefix("mqtt://").split(":")
        self.client.connect(host, int(port))
        self.client.subscribe("zigbee2mqtt/siren/set", qos=1)
        self.client.loop_start()
        self.client.publish("zigbee2mqtt/bridge/state", '{"state":"online"}', retain=True)
        self.gb: asyncio.StreamWriter | None = None

    def _heard(self, client: Any, userdata: Any, message: mqtt.MQTTMessage) -> None:
        self.went("zigbee2mqtt", b"emergency" in message.payload)

    def went(self, siren: str, is_on: bool) -> None:
        if is_on:
            self.on.setdefault(siren, time.monotonic())
        else:
            self.off.add(siren)

    async def trigger(self, detector: str, is_smoke: bool) -> float:
        """Let a detector speak; when its last byte was on the wire."""
        self.on.clear()
        self.off.clear()
        self.stamps.seen.clear()
        now_s = time.monotonic()
        if detector == "zigbee2mqtt":
            self.client.publish("zigbee2mqtt/smoke", json.dumps({"smoke": is_smoke, "test": False}), qos=0)
        elif detector == "gb26875":
            assert self.gb is not None
            self.gb.write(FIRE if is_smoke else clear_frame())
            await self.gb.drain()
        else:
            self.sensor.alarm(is_smoke)
            if is_smoke:
                await until(lambda: SMOKE_ANSWER in self.stamps.seen, "the sensor being asked")
                now_s = self.stamps.seen[SMOKE_ANSWER]
        return now_s

    def sirens(self) -> dict[str, float]:
        if RELAY_ON in self.stamps.seen:
            self.on.setdefault("modbus", self.stamps.seen[RELAY_ON])
        return self.on

    def close(self) -> None:
        self.client.loop_stop()
        self.reader.close()
        self.host.close()
        self.line.close()
        self.osdp_line.close()


class _Siren(OsdpReader):
    def __init__(self, line: SerialLine, address: int, site: Site) -> None:
        self._site = site
        super().__init__(line, address)

    def _obey(self, command: dict[str, Any]) -> tuple[int, None]:
        if "control_code" in command:
            # 1 and 3: off; 2 and 4: on (OUT of the standard).
            self._site.went("osdp", command["control_code"] in (2, 4, 5))
        return 0, None


async def until(condition: Any, what: str, timeout_s: float = 30) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            raise RuntimeError(f"waited {timeout_s:g} s for {what}")
        await asyncio.sleep(0.002)


def config_text(site: Site, cameras: list[str], line: tuple[float, float, float, float], dead: int) -> str:
    parts = [
        f'[gateway]\nid = "gw-bench"\ndata_dir = "{site.folder}/data"\n[hub]\nurl = "mqtt://127.0.0.1:{free_port()}"\n',
        f'[mqtt]\nurl = "{site.broker}"\n[reflexes]\nsirens = ["siren-z", "siren-m", "siren-o"]\n',
        f'[[bus]]\nname = "m"\nkind = "modbus"\nport = "{site.line.path}"\nbaud = {BAUD}\n',
        f'[[bus]]\nname = "o"\nkind = "osdp"\nport = "{site.osdp_line.path}"\nbaud = {BAUD}\n',
        f'[[bus]]\nname = "g"\nkind = "gb26875"\nport = "listen://127.0.0.1:{site.gb_port}"\n',
    ]
    for name, profile, where in (
        ("smoke-z", "heiman/hs1sa", 'address = "smoke"'),
        ("siren-z", "heiman/hs2wd-e", 'address = "siren"'),
        ("smoke-m", "calectro/ug-3-o-mb-r", f'bus = "m"\naddress = {SENSOR}'),
        ("siren-m", "calectro/ug-3-o-mb-r", f'bus = "m"\naddress = {SIREN}'),
        ("siren-o", "siren.yaml", 'bus = "o"\naddress = 5'),
        ("panel", "generic/gb26875-transmitter", f'bus = "g"\naddress = {GB_ADDRESS}'),
        *((f"dead-m{n}", "dead.yaml", f'bus = "m"\naddress = {FIRST_DEAD + n}') for n in range(dead)),
        *((f"dead-o{n}", "generic/osdp-reader", f'bus = "o"\naddress = {FIRST_DEAD + n}') for n in range(dead)),
    ):
        parts.append(f'[[device]]\nid = "{name}"\nprofile = "{profile}"\n{where}\n')
    for number, url in enumerate(cameras):
        parts.append(f'[[camera]]\nid = "cam-{number}"\nurl = "{url}"\nline = {list(line)}\nin_side = "left"\n')
    return "".join(parts)


def busy_share() -> tuple[float, float]:
    """Busy and all CPU time of the machine so far."""
    numbers = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(numbers) - numbers[3] - numbers[4], sum(numbers)


async def measure(options: argparse.Namespace, folder: Path, broker: str) -> dict[str, Any]:
    (folder / "siren.yaml").write_text(OSDP_SIREN)
    (folder / "dead.yaml").write_text(DEAD)
    site = Site(folder, broker, free_port())
    clip = demo_clip()
    camera = RtspCamera(clip.path)
    thread = threading.Thread(target=lambda: asyncio.run(_serve(camera)), daemon=True)
    thread.start()
    await until(lambda: camera.port, "the camera")
    config = folder / "gateway.toml"
    config.write_text(config_text(site, [camera.url] * options.cameras, clip.line, options.dead))
    process = start_agent(config, folder / "agent.log")
    try:
        return await episodes(options, site, folder)
    except RuntimeError:
        print("".join((folder / "agent.log").read_text().splitlines(keepends=True)[-30:]), file=sys.stderr)
        raise
    finally:
        process.terminate()
        process.wait(20)
        site.close()


def start_agent(config: Path, log_path: Path) -> "subprocess.Popen[bytes]":
    agent = str(Path(sys.executable).with_name("anfang-agent"))
    with log_path.open("w") as log:
        return subprocess.Popen([agent, "run", str(config)], stdout=log, stderr=log)


async def _serve(camera: RtspCamera) -> None:
    await camera.start()
    await asyncio.Event().wait()


async def connect(site: Site) -> None:
    """As a transmitter does: again and again until the gateway listens."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        try:
            reader, site.gb = await asyncio.open_connection("127.0.0.1", site.gb_port)
        except OSError:
            await asyncio.sleep(0.2)
            continue
        site.drain = asyncio.create_task(_drain(reader))  # type: ignore[attr-defined]
        return
    raise RuntimeError("the gateway does not listen for transmitters")


async def _drain(reader: asyncio.StreamReader) -> None:
    while await reader.read(4096):
        pass


async def episodes(options: argparse.Namespace, site: Site, folder: Path) -> dict[str, Any]:
    await connect(site)
    await until(lambda: site.reader.is_online, "the OSDP siren being polled", 60)
    # The detectors and networks of the cameras are loaded in this time; then all of them count.
    await asyncio.sleep(options.warm_up)
    waits: dict[str, list[float]] = defaultdict(list)
    busy, total = busy_share()
    end_s, turn = time.monotonic() + options.seconds, 0
    detectors = ("zigbee2mqtt", "gb26875", "modbus")
    while time.monotonic() < end_s:
        detector = detectors[turn % len(detectors)]
        turn += 1
        said_s = await site.trigger(detector, True)
        await until(lambda: len(site.sirens()) == len(detectors), f"the sirens after {detector} (have {site.on})")
        for siren, on_s in site.sirens().items():
            waits[f"{detector} -> {siren}"].append(on_s - said_s)
        await site.trigger(detector, False)
        await until(lambda: {"zigbee2mqtt", "osdp"} <= site.off, f"the sirens' end after {detector}")
        await asyncio.sleep(0.05 + 0.03 * (turn % 7))
    now_busy, now_total = busy_share()
    every = [wait for found in waits.values() for wait in found]
    return {
        "machine": platform.machine(), "cores": os.cpu_count(), "cameras": options.cameras,
        "dead_on_each_sirens_bus": options.dead,
        # A machine that others use too shows their load; `chrt -r 1` in front takes it out of the figures.
        "load": [round(load, 1) for load in os.getloadavg()],
        "real_time": os.sched_getscheduler(0) in (os.SCHED_RR, os.SCHED_FIFO),
        "cpu_busy_pct": round(100 * (now_busy - busy) / (now_total - total), 1),
        "ways": {way: summary(found) for way, found in sorted(waits.items())},
        "all": summary(every),
    }  # fmt: skip


def summary(waits: list[float]) -> dict[str, float]:
    ordered = sorted(waits)
    return {
        "count": len(ordered),
        "median_ms": round(1000 * statistics.median(ordered), 1),
        "p99_ms": round(1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 1),
        "most_ms": round(1000 * ordered[-1], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--dead", type=int, default=1, help="devices that do not answer on each siren's bus")
    parser.add_argument("--warm-up", type=float, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        found = asyncio.run(measure(options, Path(name), broker.url))
    title = (
        f"{found['cameras']} cameras, CPU {found['cpu_busy_pct']} % busy, load {found['load'][0]}, uplink dead, "
        f"{found['dead_on_each_sirens_bus']} dead on each siren's bus"
    )
    table = Table("detector -> siren", "count", "median ms", "p99 ms", "most ms", title=title)
    for way, figures in [*found["ways"].items(), ("all", found["all"])]:
        table.add_row(way, *(str(value) for value in figures.values()))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
