"""The simulated house: every device of a scenario at the far end of its protocol."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from simulators.demo.site import Site
from simulators.devices.modbus_sensor import ModbusSmoke as ModbusSmokePeer
from simulators.devices.osdp_reader import OsdpReader as OsdpReaderPeer
from simulators.devices.serial_line import SerialLine
from simulators.devices.zigbee2mqtt import FakeZigbee2Mqtt
from simulators.errors import SimulatorError
from simulators.scenario import (
    FallSilent,
    ModbusSmoke,
    OsdpReader,
    PresentCard,
    Scenario,
    SetSmoke,
    SetState,
    SetTamper,
    Step,
    ZigbeeDevice,
)

_BAUD: Final = 9600


class House:
    """Opens everything when it is made; `do` lets a step of the scenario happen. Devices have threads of their own."""

    def __init__(self, scenario: Scenario, site: Site) -> None:
        self._scenario = scenario
        self._closers: list[Callable[[], None]] = []
        self._readers: dict[str, OsdpReaderPeer] = {}
        self._sensors: dict[str, ModbusSmokePeer] = {}
        self._zigbee: FakeZigbee2Mqtt | None = None
        try:
            self._open(site)
        except BaseException:
            self.close()
            raise

    def _open(self, site: Site) -> None:
        readers = [device for device in self._scenario.devices if isinstance(device, OsdpReader)]
        sensors = [device for device in self._scenario.devices if isinstance(device, ModbusSmoke)]
        zigbee = [device for device in self._scenario.devices if isinstance(device, ZigbeeDevice)]
        if readers:
            line = self._line(site.port_of_bus("readers"))
            for reader in readers:
                key = bytes.fromhex(site.key_of(reader.id).read_text(encoding="utf-8").strip())
                peer = OsdpReaderPeer(line, reader.address, key=key)
                self._closers.append(peer.close)
                self._readers[reader.id] = peer
        if sensors:
            line = self._line(site.port_of_bus("sensors"))
            for sensor in sensors:
                smoke = ModbusSmokePeer(line, sensor.address, profile=sensor.profile)
                self._closers.append(smoke.close)
                self._sensors[sensor.id] = smoke
        if zigbee:
            self._zigbee = FakeZigbee2Mqtt(site.mqtt_url, {device.address: device.profile for device in zigbee})
            self._closers.append(self._zigbee.close)

    def _line(self, path: Path) -> SerialLine:
        line = SerialLine(path, baud=_BAUD)
        self._closers.append(line.close)
        return line

    def do(self, step: Step) -> None:
        """Let it happen. Returns when the device has done it, not when anybody has noticed."""
        device = self._scenario.device(step.device)
        match step, device:
            case PresentCard(), OsdpReader():
                self._readers[device.id].present_card(step.card)
            case SetTamper(), OsdpReader():
                self._readers[device.id].tamper(step.on)
            case SetSmoke(), ModbusSmoke():
                self._sensors[device.id].alarm(step.on)
            case SetState(), ZigbeeDevice():
                assert self._zigbee is not None
                self._zigbee.publish_state(device.address, step.state)
            case FallSilent(), OsdpReader():
                self._readers[device.id].power_off()
            case FallSilent(), ModbusSmoke():
                self._sensors[device.id].silence()
            case FallSilent(), ZigbeeDevice():
                assert self._zigbee is not None
                self._zigbee.availability(device.address, False)
            case _:
                raise SimulatorError(f"{step.device}: {step.do} does not fit a {device.is_a}")

    def close(self) -> None:
        """Take everything down, last opened first."""
        while self._closers:
            self._closers.pop()()
