"""What is wrong with a profile is said with file, line, key and mend; what is not YAML never gets further."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_profiles.errors import ProfileError
from firmware_profiles.loader import find_profile, load_profile, mark_of, parse_profile, shipped_profiles

GOOD = """\
profile: 1
vendor: Acme
model: S1
family: smoke
source: the manual, page 7
transport: {kind: modbus, poll_s: 1}
fields:
  smoke: {discrete: 2}
  level: {holding: 3, type: int16, scale: 0.1}
events:
  - {kind: smoke.state, from: {alarm: smoke, obscuration_pct_per_m: level}}
commands:
  siren_on: {write: [{coil: 4, value: true}]}
examples:
  - {name: smoke, input: {discrete: {2: 1}, holding: {3: 21}}, events: [{smoke.state: {alarm: true}}]}
  - {name: nothing, input: {}, fails: registers}
"""


def error_of(text: str) -> str:
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, "p.yaml")
    return str(caught.value)


def test_a_good_profile_loads():
    assert parse_profile(GOOD, "p.yaml").fields["level"].scale == 0.1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("poll_s", "pol_s", "p.yaml:6: transport.pol_s: unknown key; did you mean 'poll_s'?"),
        ("discrete: 2}", "discret: 2}", "p.yaml:8: fields.smoke.discret: unknown key; did you mean 'discrete'?"),
        ("int16", "int17", "p.yaml:9: fields.level.type: 'int17' is not"),
        ("alarm: smoke,", "alarm: smok,", "no field is named 'smok'; did you mean 'smoke'?"),
        ("alarm: smoke,", "alram: smoke,", "p.yaml:11: events.0.from.alram: smoke.state has no 'alram'; did you mean 'alarm'?"),
        ("alarm: smoke, ", "", "p.yaml:11: events.0: smoke.state needs 'alarm'; add it to `from` or `set`"),
        ("smoke.state,", "smoke.stat,", "p.yaml:11: events.0.kind: 'smoke.stat' is not"),
        ("kind: modbus", "kind: modbuss", "p.yaml:6: transport: kind 'modbuss' is not"),
        ("vendor: Acme\n", "", "p.yaml:1: vendor: the key is missing; add it"),
        ("profile: 1", "profile: 2", "p.yaml:1: profile: 2 is a version that this release does not read; write 1"),
        ("discrete: 2}", "discrete: 70000}", "p.yaml:8: fields.smoke.discrete: input should be less than or equal to 65535"),
        ("discrete: 2}", "json: x}", "p.yaml:8: fields.smoke.json: a modbus device has no 'json'; use coil or discrete"),
        ("discrete: 2}", "discrete: 2, coil: 1}", "p.yaml:8: fields.smoke: say where the value stands with exactly one of"),
        ("coil: 4, value", "value", "p.yaml:13: commands.siren_on.write.0: write to exactly one of coil and holding"),
        ("siren_on", "sirene", "p.yaml:13: commands.sirene: 'sirene' is not 'siren_on'"),
        (", fails: registers", "", "p.yaml:16: examples.1: an example says either what it gives"),
        ("fails: registers", "fields: {}", "examples: at least one must say `fails:`"),
        ("{discrete: {2: 1}, ", "{discrete: {two: 1}, ", "p.yaml:15: examples.0.input.discrete.two"),
        ("  level:", "  smoke:", "p.yaml:9: fields.smoke: the key stands twice; keep one"),
        ("family: smoke", "family: [smoke", "p.yaml:"),
        ("vendor: Acme", "vendor: &a Acme\ntitle: *a", "anchors and aliases are not part of the language"),
        ("vendor: Acme", "vendor: !!python/object/apply:os.system [ls]", "p.yaml:2: not YAML"),
        ("family: smoke", "\tfamily: smoke", "p.yaml:4: not YAML"),
        ("  smoke: {", "\tsmoke: {", "indent with blanks, not with tabs"),
        ("source: the", 'source: "the', "p.yaml:5: not YAML: while scanning a quoted scalar found unexpected end"),
        ("source: the", "source: see: the", "p.yaml:5: not YAML: mapping values are not allowed here; put text that"),
        ("discrete: 2}", "discrete: 2", "p.yaml:9: not YAML: while parsing a flow mapping expected ',' or '}', but got ':' (begun in line 8); close"),
        ("model: S1", "model: S1\n---\nprofile: 1", "one file is one profile"),
        ("vendor: Acme", "vendor: 3000", "p.yaml:2: vendor: text is expected, not 3000; put it in quotes"),
        ("vendor: Acme", "vendor:", "p.yaml:2: vendor: text is expected, not null"),
        ("family: smoke", "family: smok", "did you mean 'smoke'?"),
        ("poll_s: 1", "poll_s: soon", "p.yaml:6: transport.poll_s: a number is expected, not 'soon'"),
        ("scale: 0.1", "scale: 1e999", "p.yaml:9: fields.level.scale: input should be a finite number"),
        ("scale: 0.1", "scale: 0,1", "p.yaml:9: fields.level.1: 1 is a number and no key"),
        ("scale: 0.1", "bit: 16", "p.yaml:9: fields.level: int16 has bits 0 to 15, and 16 is asked for"),
        ("scale: 0.1", "mask: 0x1ffff", "p.yaml:9: fields.level: int16 has bits 0 to 15"),
        ("type: int16, scale: 0.1", "type: float32, bit: 1", "type float32 has no bits"),
        ("scale: 0.1", "enum: {}", "p.yaml:9: fields.level: enum lists nothing"),
        ("scale: 0.1", "enum: {1: 0, 0x1: 1}", "p.yaml:9: fields.level.enum.0x1: the key stands twice; keep one"),
        ("scale: 0.1", 'enum: {1: 0, "1": 1}', "p.yaml:9: fields.level.enum.1: the key stands twice; keep one"),
        ("scale: 0.1", "signed: true", "signed belongs to mask"),
        ("scale: 0.1", "length: 9" + "0" * 30, "a number of 31 digits"),
        ("poll_s: 1", "address_base: 1", None),
        ("holding: 3, type", "holding: 3, prefix: a, type", "encoding, prefix and suffix are of text"),
        ("  smoke: {", "  Smoke: {", "p.yaml:8: fields.Smoke: 'Smoke' is no name; use small letters"),
        ("{3: 21}", "{3: 70000}", "p.yaml:15: examples.0.input.holding.3: input should be less than or equal to 65535"),
        ("{2: 1}", "{2: on}", "p.yaml:15: examples.0.input.discrete.2: true or false or a whole number is expected, not 'on'"),
        ("{alarm: true}}", "{alrm: true}}", "p.yaml:15: examples.0.events.0.smoke.state.alrm: smoke.state has no 'alrm'; did you mean 'alarm'?"),
        ("siren_on: {write: [{coil: 4, value: true}]}", "siren_on: {write: []}", "at least 1 must stand here"),
        ("vendor: Acme", "vendor: Ac\x00me", "p.yaml:2: not YAML: unacceptable character"),
        ("vendor: Acme", "vendor: " + "[" * 400, "nested deeper than 24 levels"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_line_key_and_mend(old: str, new: str, message: str | None):
    assert GOOD.count(old) >= 1
    if message is None:
        parse_profile(GOOD.replace(old, new, 1), "p.yaml")
    else:
        assert message in error_of(GOOD.replace(old, new, 1))


MQTT = """\
profile: 1
vendor: Acme
model: L1
family: contact
source: the manual, page 7
transport: {kind: mqtt, topics: {up: "x/{address}/up"}}
decoder: {json: data, encoding: base64, tlv: {tag_bytes: 2, lengths: {"0175": 1}}}
fields:
  battery: {tag: "0175"}
  open: {json: open}
events:
  - {kind: door.state, from: {open: open}}
  - {kind: device.health, from: {battery_pct: battery}}
commands:
  unlock: {publish: [{topic: "x/{address}/set", text: OPEN}]}
examples:
  - {name: a, input: {json: {open: true}}, events: [{door.state: {open: true}}]}
  - {name: b, input: {json: {data: AXVkCQAB}}, fails: tag}
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"x/{address}/up"', '"x/up"', "p.yaml:6: transport: topic up: 'x/up' has no {address}"),
        ('"x/{address}/up"', '"x/#/{address}"', "p.yaml:6: transport: topic up: 'x/#/{address}': + is a whole level"),
        ('"x/{address}/up"', '"x/{adress}/up"', "p.yaml:6: transport: topic up: {adress} is not known"),
        ("x/{address}/set", "x/+/set", "a message is sent to one topic"),
        ('{"0175": 1}', "{0175: 1}", "p.yaml:7: decoder.tlv.lengths.175: text is expected, not 175; put it in quotes"),
        ('tag: "0175"', 'tag: "017"', "p.yaml:9: fields.battery.tag: '017' is not hex; write two digits"),
        ("json: open", "json: open..x", "p.yaml:10: fields.open.json: 'open..x' is no path"),
        ("json: open", 'json: "open[a=b"', "p.yaml:10: fields.open.json: 'open[a=b' is no path"),
        ("json: open", 'json: ""', "p.yaml:10: fields.open.json: an empty path"),
        ("json: open", "json: open, at: 1", "say where the value stands with exactly one of"),
        ("json: open", "json: open, type: uint8", "type uint8 is of bytes; in text and JSON say bool or number"),
        ("json: open", "json: open, contains: a, type: bool", "contains asks a list or text"),
        ('"x/{address}/up"}', '"x/up"}, payload: text, address_at: a', "address_at is a path in JSON"),
        ("json: open", "column: 1", "columns need `decoder: {separator"),
        ("json: open", "text: true", "say which topic is text"),
        ("door.state, from: {open: open}", "lock.state, from: {state: battery}", "state is one of jammed, locked"),
        ("base64", "b64", "p.yaml:7: decoder.encoding: 'b64' is not 'base64' or 'hex'; did you mean 'base64'?"),
    ],
)
def test_a_mistake_in_an_mqtt_profile_is_said_with_line_key_and_mend(old: str, new: str, message: str):
    assert MQTT.count(old) >= 1
    assert message in error_of(MQTT.replace(old, new, 1))


def test_an_address_as_manuals_write_it_is_said():
    text = GOOD.replace("poll_s: 1", "address_base: 1").replace("holding: 3,", "holding: 40003,")
    assert "p.yaml:9: fields.level.holding: 40003 is how manuals write holding 3; write 3" in error_of(text)


def test_masks_that_cut_into_each_other_are_said_and_those_inside_one_another_are_not():
    both = "  level: {holding: 3, mask: 0x0F, scale: 0.1}\n  other: {holding: 3, mask: MASK}\n"
    text = GOOD.replace("  level: {holding: 3, type: int16, scale: 0.1}\n", both)
    assert "p.yaml:10: fields.other.mask: 0x3c shares bits 0xc with field 'level' (0xf)" in error_of(
        text.replace("MASK", "0x3C")
    )
    for mask in ("0x0F", "0x03", "0xF0"):
        parse_profile(text.replace("MASK", mask), "p.yaml")


def test_words_that_the_wire_does_not_have_are_refused_in_enum_and_set():
    text = GOOD.replace("discrete: 2}", "holding: 2, enum: {0: lockd, 1: unlocked}}").replace(
        "{kind: smoke.state, from: {alarm: smoke, obscuration_pct_per_m: level}}",
        "{kind: lock.state, from: {state: smoke}}",
    )
    assert "p.yaml:8: fields.smoke.enum.0: 'lockd' is not a word of the wire; did you mean 'locked'?" in error_of(text)


def test_a_credential_may_not_leave_in_the_clear():
    text = GOOD.replace(
        "{kind: smoke.state, from: {alarm: smoke, obscuration_pct_per_m: level}}",
        "{kind: lock.access, set: {result: granted, credential.type: card}, from: {credential.ref: level}}",
    )
    assert "a credential is never sent in the clear; give field 'level' `hash: card`" in error_of(text)


def test_a_key_that_yaml_1_1_would_take_for_true_is_a_word():
    profile = parse_profile(
        GOOD.replace("discrete: 2}", "holding: 2, type: ascii, length: 2, enum: {on: true, off: false}}").replace("discrete: {2: 1}, holding: {", "holding: {2: 1, "),
        "p.yaml",
    )  # fmt: skip
    assert profile.fields["smoke"].enum == {"on": True, "off": False}


def test_several_faults_are_all_said():
    text = GOOD.replace("poll_s", "pol_s").replace("int16", "int17")
    assert len(error_of(text).splitlines()) == 2


def test_a_file_that_is_not_there_not_text_or_too_long_is_said(tmp_path: Path):
    with pytest.raises(ProfileError, match="cannot be read: No such file"):
        load_profile(tmp_path / "none.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"profile: 1\nvendor: \xff\xfe")
    with pytest.raises(ProfileError, match="not UTF-8"):
        load_profile(bad)
    bad.write_text("# " + "x" * 200_000)
    with pytest.raises(ProfileError, match="more than 128 KiB"):
        load_profile(bad)


def test_a_name_finds_a_shipped_profile_and_a_path_finds_a_file(tmp_path: Path):
    assert find_profile("heiman/hs1sa") == shipped_profiles()["heiman/hs1sa"]
    assert find_profile("hs1sa") == shipped_profiles()["heiman/hs1sa"]
    mine = tmp_path / "mine.yaml"
    mine.write_text(GOOD)
    assert find_profile("mine.yaml", tmp_path) == mine
    with pytest.raises(ProfileError, match="did you mean 'heiman/hs1sa'"):
        find_profile("heiman/hs1as")


@given(st.text(max_size=300))
def test_no_text_raises_anything_but_a_profile_error(text: str):
    with pytest.raises(ProfileError):
        parse_profile(text, "p.yaml")


LINES = GOOD.splitlines()


@given(st.data())
def test_a_mutilated_profile_loads_or_is_refused_with_its_line(data):
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["drop", "double", "cut", "insert"]))
        if kind == "drop":
            del lines[index]
        elif kind == "double":
            lines.insert(index, lines[index])
        elif kind == "cut":
            lines[index] = lines[index][: data.draw(st.integers(0, len(lines[index])))]
        else:
            where = data.draw(st.integers(0, len(lines[index])))
            lines[index] = (
                lines[index][:where]
                + data.draw(st.sampled_from(list("{}[]:,-&*!%@`\"'#|>\t 0x")))
                + lines[index][where:]
            )
        if not lines:
            return
    try:
        parse_profile("\n".join(lines), "p.yaml")
    except ProfileError as error:
        assert all(line.startswith("p.yaml:") for line in str(error).splitlines())


def test_a_rule_that_counts_by_a_field_that_is_not_there_is_said():
    text = GOOD.replace("{kind: smoke.state,", "{kind: smoke.state, once_per: levl,")
    assert "p.yaml:11: events.0.once_per: no field is named 'levl'; did you mean 'level'?" in error_of(text)
    text = GOOD.replace("{kind: smoke.state,", "{kind: smoke.state, once_per: level, repeat_s: 60,")
    assert "p.yaml:11: events.0.once_per: repeat_s and dedup_s do not go with once_per" in error_of(text)


def test_a_profile_in_a_word_names_its_file_and_changes_with_its_content(tmp_path: Path):
    assert mark_of(find_profile("heiman/hs1sa")).startswith("heiman/hs1sa@")
    mine = tmp_path / "mine.yaml"
    mine.write_text(GOOD)
    before = mark_of(mine)
    assert before.startswith("mine.yaml@")
    mine.write_text(GOOD + "# checked on the wall\n")
    assert mark_of(mine) != before


def test_no_rule_fills_what_the_gateway_says_of_itself():
    text = GOOD.replace("commands:", "  - {kind: device.health, from: {fault: smoke}, set: {profile: acme}}\ncommands:")
    assert "device.health has no 'profile'" in error_of(text)


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ("holding: 3,", "holding: 40003,", 9, "write 2, or 3 with `address_base: 1`"),
        ("discrete: 2}", "discrete: 100003}", 8, "write 2, or 3 with `address_base: 1`"),
        ("profile: 1", "profile: 2", 1, "write 1"),
        ("obscuration_pct_per_m: level}", "obscuration_pct_per_m: level}, set: {test: maybe}", 11, "'maybe' is not true or false"),
        ("fails: registers", "events: []", 14, "at least one must say `fails:`"),
        ("discrete: 2}", "discrete: 2, step: 1}", 8, "needs `decoder: {channels: NUMBER}`"),
        ("poll_s: 1}", "poll_s: 1}\ndecoder: {channels: 8}", 7, "add a field `{item: channel}`"),
        ("fields:", "decoder: {channels: 8}\npart: smoke\nfields:\n  x: {holding: 1, step: 1, bit_step: 1}", 10, "bit_step moves a bit"),
        ("fields:", "decoder: {channels: 8}\npart: smoke\nfields:\n  x: {holding: 1, bit: 9, bit_step: 1}", 10, "channel 8 would be at bit 16"),
        ("type: int16, scale: 0.1", "time: unix_s", 9, "it goes to `observed_at`"),
        ("type: int16, scale: 0.1", "utc_offset_h: 8", 9, "belongs to `time`"),
        ("commands:", "observed_at: level\ncommands:", 12, "is no instant; give it `time: unix_s`"),
    ],
)  # fmt: skip
def test_each_of_these_is_refused_with_line_and_mend(was: str, now: str, line: int, said: str):
    text = GOOD.replace(was, now, 1)
    assert text != GOOD
    error = error_of(text)
    assert said in error, error
    assert (
        any(part.startswith(f"p.yaml:{line}: ") for part in error.splitlines() if said in part) or "observed_at" in said
    ), error


GB = """\
profile: 1
vendor: Acme
model: B1
family: fire-panel
source: the manual
transport: {kind: gb26875}
part: address
fields:
  address: {item: address, of: component_state}
  states: {item: states, of: component_state}
events:
  - {kind: fire.component, from: {address: address, states: states}, set: {system_type: 1, component_type: 40}}
examples:
  - {name: a, input: {items: {}}, events: []}
  - {name: b, input: {frames: ["4040"]}, fails: frame}
"""


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ("of: component_state}", "of: component_states}", 9, "did you mean 'component_state'?"),
        ("of: component_state}", "of: type_256}", 9, "has no 'type_256'"),
        ("component_type: 40", "component_type: 400", 12, "400 is beyond what the wire takes: expected `int` <= 255"),
        ("component_type: 40", "component_type: smoke", 12, "'smoke' is not a whole number"),
    ],
)
def test_a_panels_types_are_known_ones(was: str, now: str, line: int, said: str):
    assert parse_profile(GB, "p.yaml").part == "address"
    error = error_of(GB.replace(was, now, 1))
    assert any(part.startswith(f"p.yaml:{line}: ") and said in part for part in error.splitlines()), error


def test_an_address_that_only_looks_like_a_manuals_is_taken_where_an_example_shows_it():
    text = GOOD.replace("holding: 3,", "holding: 40003,").replace("holding: {3: 21}", "holding: {40003: 21}")
    assert parse_profile(text, "p.yaml").fields["level"].holding == 40003
