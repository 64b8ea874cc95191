"""A profile to start from, one for each transport: it loads, and its examples come true."""

from typing import Final

_HEAD: Final = """\
# {title}
# Every key: docs/howto/add-a-device.md. Check with: anfang-agent profile validate FILE
profile: 1
vendor: {vendor}
model: {model}
family: {family}
source: the manual, page …
"""

_BODIES: Final = {
    "modbus": (
        "smoke",
        "A Modbus device: where each value stands, and what it means",
        """\
transport: {kind: modbus, poll_s: 1, timeout_s: 0.5, baud: 9600}
fields:
  # One of coil, discrete, input, holding: the 0-based address. A manual that counts from 1 needs address_base: 1 above.
  smoke: {holding: 3, enum: {0: false, 1: true}}
  temperature: {holding: 4, type: int16, scale: 0.1, missing: [0x8000]}
  fault: {holding: 5, bit: 2}
events:
  - {kind: smoke.state, from: {alarm: smoke, temperature_c: temperature}, repeat_s: 60}
  - {kind: device.health, from: {fault: fault}}
commands:
  reset: {write: [{holding: 6, value: 1}]}
examples:
  - name: smoke at 21.5 degrees
    input: {holding: {3: 1, 4: 215, 5: 0}}
    events: [{smoke.state: {alarm: true, temperature_c: 21.5}}, {device.health: {fault: false}}]
  - {name: a state that the manual does not name, input: {holding: {3: 7, 4: 215, 5: 0}}, fails: smoke}
""",
    ),
    "osdp": (
        "reader",
        "An OSDP reader with a vendor's reply of its own",
        """\
transport: {kind: osdp, baud: 9600, decides: reader, vendor: 0x00B514, vendor_poll: "01", vendor_poll_s: 10}
fields:
  card: {item: card, hash: card}
  method: {item: credential_type}
  decision: {item: decision}
  tamper: {item: tamper}
  # `at` counts in the vendor's reply, behind the three bytes of the vendor code.
  battery: {at: 1, missing: [255]}
events:
  - {kind: lock.access, from: {result: decision, credential.ref: card, credential.type: method}}
  - {kind: lock.alarm, when: {tamper: true}, set: {alarm: tamper}}
  - {kind: device.health, from: {tamper: tamper, battery_pct: battery}}
examples:
  - {name: battery, input: {hex: "01 57"}, events: [{device.health: {battery_pct: 87}}]}
  - {name: a reply that is too short, input: {hex: "01"}, fails: length}
""",
    ),
    "zigbee2mqtt": (
        "smoke",
        "A Zigbee device in the words of Zigbee2MQTT",
        """\
transport: {kind: zigbee2mqtt, models: [MODEL]}
fields:
  smoke: {json: smoke}
  battery: {json: battery}
events:
  - {kind: smoke.state, from: {alarm: smoke}, repeat_s: 60}
  - {kind: device.health, from: {battery_pct: battery}}
health: {stale_after_s: 90000}
examples:
  - name: smoke
    input: {json: {smoke: true, battery: 100}}
    events: [{smoke.state: {alarm: true}}, {device.health: {battery_pct: 100}}]
  - {name: a state that is no state, input: {json: {smoke: [1]}}, fails: smoke}
""",
    ),
    "mqtt": (
        "smoke",
        "An MQTT device with bytes in JSON, as ChirpStack hands LoRaWAN messages on",
        """\
transport: {kind: mqtt, payload: json, topics: {up: "application/+/device/{address}/event/up"}}
decoder: {json: data, encoding: base64, length: 4, checksum: {kind: sum8-zero, at: -1}}
fields:
  alarm: {at: 0, bit: 0}
  battery: {at: 1, missing: [255]}
  temperature: {at: 2, type: int8}
events:
  - {kind: smoke.state, from: {alarm: alarm, temperature_c: temperature}, repeat_s: 60}
  - {kind: device.health, from: {battery_pct: battery}}
health: {stale_after_s: 90000}
examples:
  - name: smoke, battery 100 %, 28 degrees
    input: {json: {data: "AWQcfw=="}}
    events: [{smoke.state: {alarm: true, temperature_c: 28}}, {device.health: {battery_pct: 100}}]
  - {name: a broken checksum, input: {json: {data: "AWQcgA=="}}, fails: checksum}
""",
    ),
    "gb26875": (
        "fire-panel",
        "A transmitter of GB/T 26875.3 with a vendor's type of its own",
        """\
transport: {kind: gb26875, heartbeat_s: 90}
part: address
fields:
  address: {item: address, of: component_state}
  system_type: {item: system_type, of: component_state}
  component_type: {item: component_type, of: component_state}
  states: {item: states, of: component_state}
  # The vendor's type flag 130: `at` counts in one object.
  battery: {at: 2, of: type_130}
events:
  - kind: fire.component
    from: {system_type: system_type, component_type: component_type, address: address, states: states}
  - {kind: device.health, from: {battery_pct: battery}}
examples:
  - name: battery 87 %
    input: {hex: "01 00 57", topic: type_130}
    events: [{device.health: {battery_pct: 87}}]
  - {name: a frame that is none, input: {frames: ["40400100"]}, fails: frame}
""",
    ),
}

KINDS: Final = tuple(_BODIES)


def start_of(kind: str, vendor: str, model: str) -> str:
    """The text of a profile to start from; `kind` is one of KINDS."""
    family, title, body = _BODIES[kind]
    return _HEAD.format(title=title, vendor=_quoted(vendor), model=_quoted(model), family=family) + body


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
