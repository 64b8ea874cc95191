"""One asyncio driver per transport: it owns the I/O, the retries and the health."""

from collections.abc import Callable

from edge_agent.config import AgentConfig, BusSection, DeviceSection
from edge_agent.errors import ConfigError
from edge_agent.ports import Driver, DriverContext

__all__ = ["build_drivers"]


def build_drivers(
    config: AgentConfig, context_for: Callable[[str], DriverContext], tap: Callable[[str, bytes], None] | None = None
) -> list[Driver]:
    """The drivers that a configuration asks for. Raises ConfigError for what can never work.

    `tap` hears what passes: (direction, bytes) on a bus, (topic, payload) on the broker.

    What may yet come (a port that is not plugged in, a camera that does not answer) is the drivers' own to wait for.
    """
    names = {bus.name for bus in config.bus}
    for device in config.device:
        if device.bus is not None and device.bus not in names:
            raise ConfigError(f"device {device.id}: no [[bus]] is named {device.bus!r}; there is: {sorted(names)}")
    drivers: list[Driver] = [
        driver
        for bus in config.bus
        if (driver := _bus_driver(config, bus, [d for d in config.device if d.bus == bus.name], context_for, tap))
    ]
    wireless = [device for device in config.device if device.bus is None]
    if config.mqtt is not None:
        from edge_agent.drivers.mqtt_devices import MqttDevices  # loads Jinja

        drivers.append(MqttDevices(config, wireless, context_for("mqtt"), tap))
    elif wireless:
        raise ConfigError(f"device {wireless[0].id}: give its bus, or an [mqtt] table where MQTT devices speak")
    for camera in config.camera:
        from edge_agent.counting.calibration import load
        from edge_agent.drivers.camera import CameraDriver  # loads ONNX Runtime

        measured = load(config.gateway.data_dir, camera.id)
        drivers.append(CameraDriver(camera, context_for(f"camera-{camera.id}"), measured))
    return drivers


def _bus_driver(
    config: AgentConfig,
    bus: BusSection,
    devices: list[DeviceSection],
    context_for: Callable[[str], DriverContext],
    tap: Callable[[str, bytes], None] | None,
) -> Driver | None:
    """The driver of a bus; None for a bus with no devices."""
    from edge_agent.drivers.station import stations_of  # `anfang-agent --help` needs none of it

    if not devices:
        return None
    context = context_for(f"{bus.kind}-{bus.name}")
    stations = stations_of(config, devices, context, [bus.kind])
    if bus.kind == "osdp":
        from edge_agent.drivers.osdp_bus import OsdpBus  # loads libosdp

        return OsdpBus(bus, stations, context, tap)
    if bus.kind == "modbus":
        from edge_agent.drivers.modbus_bus import ModbusBus  # loads pymodbus

        return ModbusBus(bus, stations, context, tap)
    from edge_agent.drivers.gb26875_server import Gb26875Server

    return Gb26875Server(bus, stations, context, tap)
