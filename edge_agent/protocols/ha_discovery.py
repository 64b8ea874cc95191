"""Home Assistant's MQTT discovery: what devices announce about themselves, and what their states then mean.

homeassistant/<component>/[<node>/]<object>/config        one entity; an empty payload removes it
homeassistant/device/<id>/config                          one device with its `components` (`cmps`)
Keys have long and short names; `~` stands for a base topic. https://www.home-assistant.io/integrations/mqtt/
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from edge_agent.protocols.ha_template import TemplateFault, ValueTemplate
from firmware_profiles.base import Scalar, key_of

MAX_ENTITIES_PER_CONFIG: Final = 256
MAX_TOPIC: Final = 256
MAX_SECONDS: Final = 31 * 86_400

_LONG: Final = {
    "stat_t": "state_topic", "val_tpl": "value_template", "pl_on": "payload_on", "pl_off": "payload_off",
    "dev_cla": "device_class", "avty": "availability", "avty_t": "availability_topic", "avty_mode": "availability_mode",
    "avty_tpl": "availability_template", "pl_avail": "payload_available", "pl_not_avail": "payload_not_available",
    "cmd_t": "command_topic", "uniq_id": "unique_id", "dev": "device", "ids": "identifiers", "mf": "manufacturer",
    "mdl": "model", "mdl_id": "model_id", "o": "origin", "cmps": "components", "p": "platform",
    "stat_locked": "state_locked", "stat_unlocked": "state_unlocked", "stat_jam": "state_jammed", "t": "topic",
    "stat_on": "state_on", "stat_off": "state_off", "cns": "connections", "exp_aft": "expire_after",
    "off_dly": "off_delay", "sw": "sw_version", "json_attr_t": "json_attributes_topic",
    "json_attr_tpl": "json_attributes_template", "atype": "automation_type", "pl": "payload", "stype": "subtype",
    "evt_typ": "event_types",
}  # fmt: skip
_DOORS: Final = frozenset({"door", "garage_door", "opening", "window"})
_PRESENCE: Final = frozenset({"occupancy", "presence", "motion"})
_ACTIONS: Final = frozenset({"device_automation", "event"})
"""Components that say what somebody did, once, and have no state: buttons, remotes."""
_SAME: Final = frozenset({"smoke", "gas", "carbon_monoxide", "tamper", "problem"})


@dataclass(frozen=True, slots=True)
class Availability:
    """One topic that says whether the device is there."""

    topic: str
    template: ValueTemplate | None
    available: str
    not_available: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing that a device announced, of the kinds that mean something to us."""

    key: str
    names: tuple[str, ...]
    """Identifiers of its device, its name, and the entity's own id: what a configuration may call it."""
    component: str
    device_class: str
    state_topic: str
    template: ValueTemplate | None
    meanings: Mapping[str, Scalar]
    """Payload (after the template) -> value; empty: a number."""
    availability: tuple[Availability, ...] = ()
    availability_mode: str = "latest"
    expire_after_s: float | None = None
    """Silence of its state topic after which the device is taken for gone."""
    off_delay_s: float | None = None
    """A binary sensor that only says `on` is off again after so long."""
    description: str = field(default="", compare=False)
    firmware: str = ""
    action_type: str = ""
    """`type` of a device trigger: `action`, `button_short_press`, …"""
    """What its device says of its software (`sw_version`)."""

    @property
    def item(self) -> str:
        """The item of the profile language that it fills."""
        by_component = {"lock": "lock_state", "sensor": "battery_pct"} | dict.fromkeys(_ACTIONS, "action")
        by_class = {"lock": "lock_state", "safety": "sos", "battery": "battery_low"}
        by_class |= dict.fromkeys(_DOORS, "door_open") | dict.fromkeys(_PRESENCE, "people")
        return by_component.get(self.component) or by_class.get(self.device_class, self.device_class)

    def items(self, value: Scalar) -> dict[str, Scalar]:
        """What it says to a profile when it is worth `value`."""
        return {self.item: value} | ({"action_type": self.action_type} if self.action_type else {})

    @property
    def off_value(self) -> Scalar | None:
        """What its state is worth once `off_delay` is over."""
        return list(self.meanings.values())[1] if self.component == "binary_sensor" and self.off_delay_s else None

    def value(self, payload: str, body: Any) -> Scalar | None:
        """What a state payload means; None when it means nothing to us. Raises TemplateFault."""
        text = self.template.render(payload, body) if self.template is not None else payload.strip()
        if self.component == "event":
            return self.meanings.get(_event_type(text))
        if self.component == "device_automation" and "" in self.meanings:
            return self.meanings[""]
        if self.meanings:
            return self.meanings.get(text)
        try:
            return float(text)
        except ValueError:
            return None


def expand(value: Any, base: str = "", depth: int = 0) -> Any:
    """A configuration with long names and with `~` filled in."""
    if depth > 8:
        return None
    if isinstance(value, dict):
        long = {_LONG.get(key, key): item for key, item in value.items() if isinstance(key, str)}
        base = str(long.pop("~", base))
        return {key: _expanded(key, item, base, depth) for key, item in long.items()}
    return [expand(item, base, depth + 1) for item in value] if isinstance(value, list) else value


def _expanded(key: str, value: Any, base: str, depth: int) -> Any:
    if key == "components" and isinstance(value, dict):
        # Their names are the device's own: one may be called `t` and is no topic.
        return {str(name): expand(part, base, depth + 1) for name, part in value.items()}
    return _topic(value, base) if key.endswith("topic") else expand(value, base, depth + 1)


def _topic(value: Any, base: str) -> Any:
    if not isinstance(value, str) or not base:
        return value
    if value.startswith("~"):
        return base + value[1:]
    return value[:-1] + base if value.endswith("~") else value


def entities_of(topic: str, body: Any, prefix: str) -> tuple[list[Entity], list[str]]:
    """The entities that a configuration announces that mean something to us, and why others are refused."""
    entities: list[Entity] = []
    faults: list[str] = []
    for key, component, part in _listed(topic, expand(body), prefix):
        try:
            entity = _entity(key, component, part)
        except TemplateFault as fault:
            faults.append(f"{key}: template: {fault}")
            continue
        if entity is not None:
            entities.append(entity)
    return entities, faults


def _listed(topic: str, config: Any, prefix: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(key, component, configuration) of each entity that a topic announces, in either form."""
    levels = topic.removeprefix(f"{prefix}/").split("/")
    if len(levels) < 3 or levels[-1] != "config" or not isinstance(config, dict):
        return
    if levels[0] != "device":
        yield topic, levels[0], config
        return
    shared = {key: item for key, item in config.items() if key not in ("components", "origin")}
    found = config.get("components")
    parts = list(found.items())[:MAX_ENTITIES_PER_CONFIG] if isinstance(found, dict) else []
    for key, part in parts:
        if isinstance(part, dict):
            yield f"{topic}#{key}", str(part.get("platform", "")), {**shared, **part}


def ignored_of(topic: str, body: Any, prefix: str) -> list[str]:
    """What a configuration announces that this gateway passes over, each as `what: why`, for people to read."""
    found: list[str] = []
    for key, component, config in _listed(topic, expand(body), prefix):
        name = str(config.get("name") or config.get("unique_id") or key.rpartition("#")[2] or key)[:80]
        what = " ".join(part for part in (component, str(config.get("device_class") or "")) if part)
        if component == "device_automation" and config.get("automation_type") != "trigger":
            found.append(f"{name} ({what}): only triggers say what happened")
        elif _meanings(component, str(config.get("device_class") or ""), config, key) is None:
            found.append(f"{name} ({what}): means nothing to this gateway; a profile of its own may read its topic")
        if config.get("json_attributes_topic"):
            found.append(
                f"{name}: json_attributes_topic: attributes have no agreed meaning; a profile may read the topic"
            )
    return found


def _event_type(text: str) -> str:
    """`event_type` of an event entity's JSON; empty for what is none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return str(body.get("event_type", "")) if isinstance(body, dict) else ""


def _entity(key: str, component: str, config: Mapping[str, Any]) -> Entity | None:
    device_class = str(config.get("device_class") or "")
    meanings = _meanings(component, device_class, config, key)
    topic = config.get("topic" if component == "device_automation" else "state_topic")
    if meanings is None or not is_plain_topic(topic):
        return None
    device = config.get("device")
    device = device if isinstance(device, dict) else {}
    identifiers = device.get("identifiers")
    names = [identifiers] if isinstance(identifiers, str) else list(identifiers or [])
    names += [device.get("name"), config.get("unique_id")]
    parts = [device.get("manufacturer"), device.get("model_id") or device.get("model")]
    return Entity(
        key=key,
        names=tuple(str(name) for name in names if isinstance(name, str | int)),
        component=component,
        device_class=device_class,
        state_topic=str(topic),
        template=_template(config.get("value_template")),
        meanings=meanings,
        availability=tuple(_availability(config)),
        availability_mode=str(config.get("availability_mode", "latest")),
        expire_after_s=_seconds(config.get("expire_after")),
        off_delay_s=_seconds(config.get("off_delay")),
        description=" ".join(str(part) for part in parts if part),
        firmware=str(device.get("sw_version") or ""),
        action_type=str(config.get("type") or "")[:MAX_TOPIC] if component == "device_automation" else "",
    )


def _meanings(component: str, device_class: str, config: Mapping[str, Any], key: str) -> dict[str, Scalar] | None:
    """Payload -> value; None for entities that mean nothing to us. A trigger without a payload has the key ""."""
    if component in _ACTIONS:
        return _action_meanings(component, config)
    if component == "lock":
        words = {"state_locked": "LOCKED", "state_unlocked": "UNLOCKED", "state_jammed": "JAMMED"}
        values = ("locked", "unlocked", "jammed")
        return {_text(config.get(key, word)): value for (key, word), value in zip(words.items(), values, strict=True)}
    if component == "sensor":
        return {} if device_class == "battery" else None
    return _binary_meanings(device_class, config, key) if component == "binary_sensor" else None


def _action_meanings(component: str, config: Mapping[str, Any]) -> dict[str, Scalar] | None:
    if component == "device_automation":
        action = str(config.get("subtype") or config.get("type") or "")[:MAX_TOPIC]
        is_trigger = config.get("automation_type") == "trigger" and bool(action)
        return {_text(config.get("payload", "")): action} if is_trigger else None
    types = config.get("event_types")
    listed = types[:MAX_ENTITIES_PER_CONFIG] if isinstance(types, list) else []
    return {str(item): str(item)[:MAX_TOPIC] for item in listed if isinstance(item, str | int)} or None


def _binary_meanings(device_class: str, config: Mapping[str, Any], key: str) -> dict[str, Scalar] | None:
    on, off = _text(config.get("payload_on", "ON")), _text(config.get("payload_off", "OFF"))
    if device_class == "lock":
        # On means open, which is unlocked: the table of binary sensor classes.
        return {on: "unlocked", off: "locked"}
    if device_class in _PRESENCE:
        return {on: 1, off: 0}
    # Home Assistant has no class for a call for help; Zigbee2MQTT announces its buttons' `sos` as a matter of safety.
    is_sos = device_class == "safety" and "sos" in _words_of(key, config)
    known = is_sos or device_class in _SAME or device_class in _DOORS or device_class == "battery"
    return {on: True, off: False} if known else None


def _words_of(key: str, config: Mapping[str, Any]) -> set[str]:
    """The words of the names under which an entity is announced."""
    names = (key, config.get("unique_id"), config.get("object_id"), config.get("name"))
    return set(re.split(r"[^a-z0-9]+", " ".join(str(name) for name in names if name).lower()))


def _availability(config: Mapping[str, Any]) -> list[Availability]:
    listed = config.get("availability")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if config.get("availability_topic"):
        entries.append({**config, "topic": config["availability_topic"]})
    found = []
    for entry in entries[:8]:
        if is_plain_topic(entry.get("topic")):
            template = entry.get("value_template") if entry.get("topic") != config.get("availability_topic") else None
            found.append(
                Availability(
                    str(entry["topic"]),
                    _template(template or entry.get("availability_template")),
                    _text(entry.get("payload_available", "online")),
                    _text(entry.get("payload_not_available", "offline")),
                )
            )
    return found


def is_plain_topic(topic: Any) -> bool:
    """Whether a device may have us listen there: one topic, and none of the contract between gateway and hub."""
    return (
        isinstance(topic, str)
        and 0 < len(topic) <= MAX_TOPIC
        and not set(topic) & set("+#\0")
        and not topic.startswith(("$", "anfang/"))
    )


def _template(source: Any) -> ValueTemplate | None:
    return ValueTemplate(source) if isinstance(source, str) and source else None


def _seconds(value: Any) -> float | None:
    """A duration that an announcement gives; None for none, and for what is no duration."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value <= MAX_SECONDS else None


def _text(value: Any) -> str:
    """A payload as a template writes it: JSON's true is `True` there."""
    return str(value) if isinstance(value, bool) else key_of(value) if isinstance(value, int | float | str) else ""
