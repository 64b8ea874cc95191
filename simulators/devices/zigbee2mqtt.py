"""Zigbee2MQTT as its topics and payloads look from outside: bridge state, device list, availability, states, `set`."""

import json
import threading
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_profiles.loader import find_profile, load_profile
from firmware_profiles.transports import Zigbee2MqttTransport

_WAIT_S: Final = 10.0
MAX_HEARD: Final = 1000


class FakeZigbee2Mqtt:
    """A bridge with devices: friendly name -> the profile whose model it is."""

    def __init__(self, url: str, devices: Mapping[str, str], *, base: str = "zigbee2mqtt") -> None:
        self._base = base
        self._devices = dict(devices)
        self._states: dict[str, dict[str, Any]] = {name: {} for name in devices}
        self.commands: list[tuple[str, Any]] = []
        """(friendly name, payload) of every `set` that came."""
        parts = urlsplit(url)
        self._up = threading.Event()
        # MQTT 3.1.1, as Zigbee2MQTT does by default.
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"fake-{base}")
        self._client.will_set(f"{base}/bridge/state", b'{"state":"offline"}', qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect(parts.hostname or "127.0.0.1", parts.port or 1883)
        self._client.loop_start()
        if not self._up.wait(_WAIT_S):
            raise RuntimeError(f"{url}: no answer within {_WAIT_S:g} s")

    def publish_state(self, name: str, state: Mapping[str, Any]) -> None:
        """A device reports: what it says is merged into what it said, except `action`, which is said once."""
        known = self._states[name]
        known |= {key: value for key, value in state.items() if not key.startswith("action")}
        self._publish(name, {**known, **state, "linkquality": 115})
        if state.get("action"):
            self._client.publish(f"{self._base}/{name}/action", str(state["action"]), qos=0)

    def say_once(self, name: str, state: Mapping[str, Any]) -> None:
        """A device reports at QoS 1, as a bridge with `qos: 1` in its settings does."""
        self._client.publish(f"{self._base}/{name}", json.dumps(dict(state)), qos=1)

    def availability(self, name: str, is_online: bool) -> None:
        """The bridge's opinion whether a device is there."""
        self._publish(f"{name}/availability", {"state": "online" if is_online else "offline"}, retain=True)

    def close(self) -> None:
        """Stop as Zigbee2MQTT does."""
        self._publish("bridge/state", {"state": "offline"}, retain=True).wait_for_publish(_WAIT_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: mqtt.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._client.subscribe(f"{self._base}/#", qos=0)
        self._publish("bridge/state", {"state": "online"}, retain=True)
        listed = [{"type": "Coordinator", "ieee_address": "0x00124b00120144ae", "friendly_name": "Coordinator"}]
        for index, (name, profile) in enumerate(self._devices.items()):
            listed.append(self._entry(index, name, profile))
            self.availability(name, True)
        self._publish("bridge/devices", listed, retain=True)
        self._up.set()

    def _entry(self, index: int, name: str, profile: str) -> dict[str, Any]:
        found = load_profile(find_profile(profile))
        models = found.transport.models if isinstance(found.transport, Zigbee2MqttTransport) else []
        return {
            "ieee_address": f"0x00158d00000000{index:02x}",
            "friendly_name": name,
            "type": "EndDevice",
            "supported": True,
            "disabled": False,
            "interview_state": "SUCCESSFUL",
            "power_source": "Battery",
            "definition": {"model": models[0] if models else found.model, "vendor": found.vendor, "exposes": []},
        }

    def _on_message(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        name = message.topic.removeprefix(f"{self._base}/").removesuffix("/set")
        if not message.topic.endswith("/set") or name not in self._devices:
            return
        body = json.loads(message.payload)
        if len(self.commands) < MAX_HEARD:
            self.commands.append((name, body))
        if body.get("state") in ("LOCK", "UNLOCK"):
            is_locked = body["state"] == "LOCK"
            self.publish_state(name, {"state": body["state"], "lock_state": "locked" if is_locked else "unlocked"})
        else:
            self.publish_state(name, body)

    def _publish(self, topic: str, body: Any, *, retain: bool = False) -> mqtt.MQTTMessageInfo:
        return self._client.publish(f"{self._base}/{topic}", json.dumps(body), qos=0, retain=retain)
