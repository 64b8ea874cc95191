"""`anfang-agent discover`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_agent.config import AgentConfig, BusSection, load_config
from edge_agent.errors import ConfigError

if TYPE_CHECKING:
    from edge_agent.discovery import Found


def command(
    config: Annotated[Path, typer.Argument(help="the gateway's TOML file", show_default=False)],
    bus: Annotated[str | None, typer.Option(help="only this bus")] = None,
    addresses: Annotated[str, typer.Option(help="addresses to ask, e.g. 1-32 or 1,5,9")] = "",
    bauds: Annotated[str, typer.Option(help="rates to try, e.g. 9600,38400; none: the usual ones")] = "",
    seconds: Annotated[float, typer.Option(min=1, help="how long to listen to the broker")] = 6.0,
) -> None:
    """Find out what answers: address, rate and likely profile on buses, devices on the local broker.

    Stop the agent first: a serial port can be open only once. Nothing is changed on any device.
    """
    import asyncio
    import time

    from rich.console import Console
    from rich.table import Table

    from edge_agent.discovery import BAUDS, scan
    from wire.clock import SystemClock

    loaded = load_config(config)
    chosen = [item for item in loaded.bus if bus in (None, item.name) and item.kind != "gb26875"]
    if bus is not None and not chosen:
        raise ConfigError(f"--bus {bus}: no OSDP or Modbus bus of that name")
    table = Table("where", "address", "baud", "what", "likely profile")
    for item in chosen:
        rates = _numbers(bauds) if bauds else list(BAUDS[item.kind])
        for found in scan(item, _addresses(item, addresses), rates, SystemClock(), time.sleep):
            table.add_row(item.name, found.address, str(found.baud), found.what, ", ".join(found.profiles))
    if bus is None and loaded.mqtt is not None:
        for found in asyncio.run(_listen(loaded, seconds)):
            table.add_row("mqtt", found.address, "", found.what, ", ".join(found.profiles))
    Console().print(table)


def _addresses(bus: BusSection, text: str) -> list[int]:
    if text:
        return _numbers(text)
    # The first addresses are what readers and sensors have when they are new; 127 is OSDP's "whoever is there".
    return [*range(16), 127] if bus.kind == "osdp" else [*range(1, 33), 255]


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    except ValueError as error:
        raise ConfigError(f"{text}: write numbers such as 1-32 or 1,5,9") from error
    return found


async def _listen(config: AgentConfig, seconds: float) -> "list[Found]":
    """What is announced on the local broker."""
    import asyncio

    from edge_agent.discovery import Found, profiles_of_zigbee
    from edge_agent.drivers.announced_routes import AnnouncedRoutes
    from edge_agent.drivers.mqtt_routes import Zigbee2MqttRoutes
    from edge_agent.mqtt_link import Message, MqttLink, MqttOptions
    from edge_agent.secrets import read_secret
    from wire.clock import SystemClock

    assert config.mqtt is not None
    mqtt = config.mqtt
    zigbee = Zigbee2MqttRoutes(mqtt.zigbee2mqtt_topic, [])
    announced = AnnouncedRoutes(mqtt.discovery_topic, [], lambda topic: None, SystemClock().monotonic)
    inbox: asyncio.Queue[Message] = asyncio.Queue(5000)
    password = read_secret(mqtt.password_file, "mqtt.password_file") if mqtt.password_file else None

    def put(message: Message) -> None:
        if not inbox.full():
            inbox.put_nowait(message)

    clock = SystemClock()
    link = MqttLink(
        MqttOptions(mqtt.url, f"{config.gateway.id}-discover", mqtt.username, password),
        clock,
        subscriptions=[f"{mqtt.zigbee2mqtt_topic}/bridge/devices", *announced.subscriptions()],
        on_message=put,
    )
    task = asyncio.create_task(link.run())
    await clock.sleep(seconds)
    detail, is_up = link.detail, link.is_up
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    while not inbox.empty():
        message = inbox.get_nowait()
        for routes in (zigbee, announced):
            await routes.take(message.topic, message.payload, is_retained=message.is_retained)
    if not is_up:
        return [Found(mqtt.url, None, f"no connection: {detail}")]
    found = [
        Found(device.friendly_name, None, f"{device.vendor} {device.model}", profiles_of_zigbee(device.model))
        for device in zigbee.known
    ]
    names: dict[str, list[str]] = {}
    for entity in announced.known:
        if entity.names:
            names.setdefault(entity.names[0], []).append(entity.item)
    found += [
        Found(name, None, f"announced: {', '.join(sorted(set(items)))}", ("generic/home-assistant",))
        for name, items in names.items()
    ]
    found += [Found(topic, None, f"ignored: {'; '.join(what)}") for topic, what in announced.ignored.items()]
    return found
