"""What is wrong with a profile is said with file, line, key and mend; what is not YAML never gets further."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_profiles.errors import ProfileError
from firmware_profiles.loader import find_profile, load_profile, parse_profile, shipped_profiles

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
        ("profile: 1", "profile: 2", "p.yaml:1: profile: 2 is not 1"),
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
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_line_key_and_mend(old: str, new: str, message: str):
    assert GOOD.count(old) >= 1
    assert message in error_of(GOOD.replace(old, new, 1))


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
        GOOD.replace("discrete: 2}", "holding: 2, enum: {on: true, off: false}}").replace("discrete: {2: 1}, holding: {", "holding: {2: 1, "),
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
