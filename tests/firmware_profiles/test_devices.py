"""Every profile that ships: it loads, its examples come true, it says where its facts come from."""

from pathlib import Path

import pytest

from edge_agent.device_table import PATH as TABLE
from edge_agent.device_table import table
from edge_agent.profile_examples import check_examples
from firmware_profiles.json_schema import PATH, schema_text
from firmware_profiles.loader import find_profile, load_profile, shipped_profiles


@pytest.mark.parametrize("name", sorted(shipped_profiles()))
def test_the_examples_of_a_profile_come_true(name: str):
    assert [f"{fault.name}: {fault.reason}" for fault in check_examples(load_profile(find_profile(name)))] == []


@pytest.mark.parametrize("name", sorted(shipped_profiles()))
def test_every_field_of_a_profile_is_used(name: str):
    profile = load_profile(find_profile(name))
    used = {profile.part}
    for rule in profile.events:
        used |= {*rule.when, *rule.from_fields.values()}
    for field in profile.fields.values():
        used |= set(field.only_if)
    for command in profile.commands.values():
        used |= set(command.confirm)
    for example in profile.examples:
        used |= set(example.fields or {})
    assert sorted(set(profile.fields) - used) == []


def test_the_schema_for_editors_is_current():
    assert Path(PATH).read_text(encoding="utf-8") == schema_text()


def test_the_table_of_devices_is_current():
    assert TABLE.read_text(encoding="utf-8") == table()


def test_there_are_models_of_all_five_families_of_protocols():
    found = [load_profile(path) for path in shipped_profiles().values()]
    assert {profile.transport.kind for profile in found} == {
        "modbus", "osdp", "zigbee2mqtt", "mqtt", "gb26875", "home-assistant",
    }  # fmt: skip
    assert len([profile for profile in found if profile.vendor != "Generic"]) >= 25


def test_no_two_profiles_are_of_the_same_model():
    models = [(found.vendor, found.model) for found in map(load_profile, shipped_profiles().values())]
    assert len(models) == len(set(models))
