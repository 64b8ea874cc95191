"""Home Assistant's discovery: both forms, short names, odd payloads, and templates that would do harm."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.protocols.ha_discovery import entities_of, expand, ignored_of
from edge_agent.protocols.ha_template import MAX_TEMPLATE, TemplateFault, ValueTemplate

PREFIX = "homeassistant"
# As zigbee2mqtt 2.14.1 announces a smoke detector and a contact.
SMOKE = {
    "availability": [{"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"}],
    "availability_mode": "all",
    "device": {"identifiers": ["zigbee2mqtt_0x00158d0001a2b3c4"], "manufacturer": "Heiman", "name": "room-1202/smoke"},
    "device_class": "smoke",
    "payload_off": False,
    "payload_on": True,
    "state_topic": "zigbee2mqtt/room-1202/smoke",
    "unique_id": "0x00158d0001a2b3c4_smoke_zigbee2mqtt",
    "value_template": '{{ value_json["smoke"] }}',
}


def only(topic: str, body: object):
    [entity], faults = entities_of(topic, body, PREFIX)
    assert faults == []
    return entity


def said(entity, payload: object):
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return entity.value(text, None if isinstance(payload, str) else payload)


def test_a_smoke_detector_as_zigbee2mqtt_announces_it():
    entity = only(f"{PREFIX}/binary_sensor/0x00158d0001a2b3c4/smoke/config", SMOKE)
    assert entity.item == "smoke"
    assert "zigbee2mqtt_0x00158d0001a2b3c4" in entity.names
    assert said(entity, {"smoke": True}) is True
    assert said(entity, {"smoke": False}) is False
    assert said(entity, {"smoke": None}) is None
    assert [source.topic for source in entity.availability] == ["zigbee2mqtt/bridge/state"]


def test_a_contact_that_is_true_when_closed():
    body = {**SMOKE, "device_class": "door", "payload_on": False, "payload_off": True,
            "value_template": '{{ value_json["contact"] }}'}  # fmt: skip
    entity = only(f"{PREFIX}/binary_sensor/x/contact/config", body)
    assert entity.item == "door_open"
    assert said(entity, {"contact": False}) is True


def test_the_device_form_with_short_names_and_a_base_topic():
    body = {
        "dev": {"ids": "x1", "name": "hall"}, "o": {"name": "t"}, "~": "home/x1", "avty_t": "~/status",
        "cmps": {
            "d": {"p": "binary_sensor", "dev_cla": "door", "stat_t": "~/door", "uniq_id": "x1d"},
            "l": {"p": "lock", "stat_t": "~/lock", "stat_locked": "ZU", "uniq_id": "x1l"},
            "t": {"p": "sensor", "dev_cla": "temperature", "stat_t": "~/t", "uniq_id": "x1t"},
        },
    }  # fmt: skip
    entities, faults = entities_of(f"{PREFIX}/device/x1/config", body, PREFIX)
    assert faults == []
    assert [(entity.item, entity.state_topic) for entity in entities] == [
        ("door_open", "home/x1/door"),
        ("lock_state", "home/x1/lock"),
    ]
    assert said(entities[0], "ON") is True
    assert said(entities[1], "ZU") == "locked"
    assert entities[0].availability[0].topic == "home/x1/status"
    assert all("x1" in entity.names for entity in entities)


def test_the_battery_is_a_number_or_low():
    sensor = only(f"{PREFIX}/sensor/a/config", {"dev_cla": "battery", "stat_t": "a/b"})
    assert (sensor.item, said(sensor, "87")) == ("battery_pct", 87.0)
    assert said(sensor, "unavailable") is None
    low = only(f"{PREFIX}/binary_sensor/a/config", {"dev_cla": "battery", "stat_t": "a/b"})
    assert (low.item, said(low, "ON")) == ("battery_low", True)


@pytest.mark.parametrize("topic", ["a/+/b", "#", "$SYS/x", "anfang/v1/gw/event", "", 7, None, "x" * 300])
def test_a_device_may_not_have_us_listen_where_it_likes(topic: object):
    assert entities_of(f"{PREFIX}/binary_sensor/a/config", {"dev_cla": "smoke", "stat_t": topic}, PREFIX) == ([], [])


@pytest.mark.parametrize(
    ("source", "payload", "expected"),
    [
        ("{{ value_json.smoke }}", {"smoke": True}, "True"),
        ("{{ value_json.t | float(0) | round(1) }}", {"t": "21.56"}, "21.6"),
        ("{% if value_json.x == 1 %}ON{% else %}OFF{% endif %}", {"x": 1}, "ON"),
        ("{{ 'ON' if value == 'open' else 'OFF' }}", "open", "ON"),
        ("{{ value_json.a.b[0] | default('?') }}", {"a": {"b": [5]}}, "5"),
        ("{{ value.split(',')[1] | trim }}", "a, b", "b"),
        ("{{ value_json.missing }}", {}, ""),
        ("{{ iif(value_json.v > 3, 'ON', 'OFF') }}", {"v": 4}, "ON"),
    ],
)
def test_templates_that_devices_really_announce(source: str, payload: object, expected: str):
    text = payload if isinstance(payload, str) else json.dumps(payload)
    assert ValueTemplate(source).render(text, None if isinstance(payload, str) else payload) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(10**9) %}{% endfor %}",
        "{% set a = 'x' %}{% set a = a ~ a %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ value.__class__() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% include '/etc/passwd' %}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ value | map('x') | list }}",
        "{{ states('sensor.x') }}",
        "{{ '%d' | format(1) }}",
        "x" * (MAX_TEMPLATE + 1),
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{",
    ],
)
def test_templates_that_would_do_harm_are_refused_or_fail_at_once(source: str):
    started = time.monotonic()
    with pytest.raises(TemplateFault):
        ValueTemplate(source).render("x" * 1000, {"a": 1})
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "source", ["{{ 'x' * 1000000000 }}", "{{ '%999999999d' % 1 }}", "{{ value | replace('x', value) }}"]
)
def test_arithmetic_that_would_fill_the_memory_fails(source: str):
    with pytest.raises(TemplateFault):
        ValueTemplate(source).render("x" * 60_000, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "~",
                    "stat_t",
                    "dev",
                    "ids",
                    "cmps",
                    "p",
                    "val_tpl",
                    "avty",
                    "t",
                    "dev_cla",
                    "components",
                    "evt_typ",
                    "atype",
                    "stype",
                    "type",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    JSON,
    st.sampled_from(
        [
            "binary_sensor/a/config",
            "event/a/config",
            "device_automation/a/config",
            "device/a/config",
            "lock/a/b/config",
            "x",
            "device//config",
        ]
    ),
)
def test_no_announcement_ever_raises(body, rest):
    expand(body)
    ignored_of(f"{PREFIX}/{rest}", body, PREFIX)
    for entity in entities_of(f"{PREFIX}/{rest}", body, PREFIX)[0]:
        entity.value("ON", None)


@given(st.text(max_size=60))
def test_no_template_raises_anything_but_its_fault(source):
    try:
        ValueTemplate(source).render("1", {"a": 1})
    except TemplateFault:
        return


DEVICE = {"identifiers": ["zigbee2mqtt_0x00158d0001a2b3c6"], "name": "room-1202/help", "sw_version": "7"}


def test_a_trigger_as_zigbee2mqtt_announces_a_press():
    body = {"automation_type": "trigger", "type": "action", "subtype": "emergency", "payload": "emergency",
            "topic": "zigbee2mqtt/room-1202/help/action", "device": DEVICE}  # fmt: skip
    entity = only(f"{PREFIX}/device_automation/0x00158d0001a2b3c6/action_emergency/config", body)
    assert (entity.item, entity.action_type, entity.firmware) == ("action", "action", "7")
    assert (said(entity, "emergency"), said(entity, "off")) == ("emergency", None)


def test_a_trigger_with_no_payload_of_its_own_is_any_message():
    body = {"atype": "trigger", "type": "button_short_press", "stype": "button_1", "t": "tasmota/b/stat", "dev": DEVICE}
    entity = only(f"{PREFIX}/device_automation/a/b/config", body)
    assert (said(entity, "whatever"), entity.action_type) == ("button_1", "button_short_press")


def test_an_event_entity_says_the_type_of_each_event():
    body = {"stat_t": "esp/bell", "evt_typ": ["sos", "double"], "device_class": "button", "dev": DEVICE}
    entity = only(f"{PREFIX}/event/a/config", body)
    assert entity.item == "action"
    assert said(entity, {"event_type": "sos", "more": 1}) == "sos"
    assert said(entity, {"event_type": "triple"}) is None
    assert said(entity, "no json") is None


def test_zigbee2mqtts_sos_is_a_call_and_other_matters_of_safety_are_not():
    body = {
        **SMOKE,
        "device_class": "safety",
        "unique_id": "0x1_sos_zigbee2mqtt",
        "value_template": "{{ value_json.sos }}",
    }
    entity = only(f"{PREFIX}/binary_sensor/0x1/sos/config", body)
    assert (entity.item, said(entity, {"sos": True})) == ("sos", True)
    other = {**body, "unique_id": "0x1_child_lock", "value_template": "{{ value_json.child_lock }}"}
    assert entities_of(f"{PREFIX}/binary_sensor/0x1/child_lock/config", other, PREFIX) == ([], [])


def test_what_is_passed_over_is_named_with_its_reason():
    body = {
        "dev": {"ids": "x1"},
        "cmps": {
            "s": {"p": "binary_sensor", "dev_cla": "smoke", "stat_t": "x/s", "json_attr_t": "x/more", "name": "smoke"},
            "t": {"p": "sensor", "dev_cla": "temperature", "stat_t": "x/t", "name": "warmth"},
            "a": {"p": "device_automation", "automation_type": "action", "type": "x", "topic": "x/a"},
        },
    }  # fmt: skip
    attributes, warmth, action = ignored_of(f"{PREFIX}/device/x1/config", body, PREFIX)
    assert attributes.startswith("smoke: json_attributes_topic: ")
    assert warmth.startswith("warmth (sensor temperature): means nothing")
    assert "only triggers" in action
    assert ignored_of(f"{PREFIX}/binary_sensor/a/config", SMOKE, PREFIX) == []


def test_a_component_may_be_named_as_a_key_is():
    body = {"dev": {"ids": "x1"}, "cmps": {"t": {"p": "binary_sensor", "dev_cla": "smoke", "stat_t": "x/s"}}}
    assert only(f"{PREFIX}/device/x1/config", body).item == "smoke"
