"""Values that can never come are said at load, with line and mend: a condition that nothing meets is a silent alarm."""

import pytest

from firmware_profiles.errors import ProfileError
from firmware_profiles.loader import parse_profile

GOOD = """\
profile: 1
vendor: Acme
model: V1
family: smoke
source: the manual, page 7
transport: {kind: modbus}
fields:
  smoke: {discrete: 2}
  state: {holding: 3, enum: {0: normal, 1: alarm, 2: fault}}
  part: {holding: 4, mask: 0x30, signed: true, enum: {-2: false, -1: false, 0: false, 1: true}}
  warm: {holding: 5, type: int16, only_if: {smoke: true}}
events:
  - {kind: smoke.state, from: {alarm: smoke, temperature_c: warm}}
  - {kind: device.health, when: {state: fault}, set: {fault: broken}}
  - {kind: device.health, from: {tamper: part}}
commands:
  siren_on: {write: [{coil: 4, value: true}], confirm: {smoke: true}}
examples:
  - {name: smoke, input: {discrete: {2: 1}}, events: [{smoke.state: {alarm: true}}]}
  - {name: nothing, input: {}, fails: registers}
"""


def test_values_that_can_come_are_fine():
    assert parse_profile(GOOD, "p.yaml").fields["part"].signed


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ("state: fault}", "state: falut}", 14, "field 'state' is never 'falut'; it is alarm, fault, normal"),
        ("state: fault}", "state: [fault, 2]}", 14, "field 'state' is never 2"),
        ("{smoke: true}}\nevents", "{smoke: open}}\nevents", 11, "field 'smoke' is never 'open'; it is false, true"),
        ("{smoke: true}}\nevents", "{smoke: 1}}\nevents", 11, "field 'smoke' is never 1"),
        ("confirm: {smoke: true}", "confirm: {smoke: alarm}", 17, "field 'smoke' is never 'alarm'"),
        ("2: fault}", "70000: fault}", 9, "70000 never comes: the raw value is 0 to 65535"),
        ("2: fault}", "-1: fault}", 9, "-1 never comes"),
        ("2: fault}", "two: fault}", 9, "'two' never comes: the raw value is a number"),
        ("1: true}}", "2: true}}", 10, "2 never comes: the raw value is -2 to 1"),
        ("-1: false,", "-1: fasle,", 10, "'fasle' is text; did you mean false?"),
        ("{discrete: 2}", "{discrete: 2, enum: {1: true, 2: false}}", 8, "2 never comes: the raw value is 0 to 1"),
        ("type: int16", "type: int8, length: 1", 11, "length belongs to"),
    ],
)
def test_what_never_comes_is_refused(was: str, now: str, line: int, said: str):
    assert GOOD.count(was) == 1, was
    with pytest.raises(ProfileError) as caught:
        parse_profile(GOOD.replace(was, now), "p.yaml")
    assert any(part.startswith(f"p.yaml:{line}: ") and said in part for part in str(caught.value).splitlines()), (
        caught.value
    )


def test_a_rate_that_osdp_does_not_have_is_refused():
    text = GOOD.replace("kind: modbus", "kind: osdp, baud: 83400")
    with pytest.raises(ProfileError, match=r"p\.yaml:6: transport\.baud: 83400 is not 9600"):
        parse_profile(text, "p.yaml")
