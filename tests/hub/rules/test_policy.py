"""Rule packs: which numbers hold where, and what a wrong file is told."""

import pytest

from hub.errors import ConfigError
from hub.policies.packs import FOLDER, KINDS, standard_packs
from hub.rules.c1_over_registered import Parameters as Limits
from hub.rules.policy import Override, PackSet, parse_pack, unverified

PLAIN = """
pack: mine
version: "2026.1"
title: {zh: 我的, en: Mine}
jurisdictions: ["330702"]
land_types: [collective]
source: 本村约定
rules:
  C1: {min_area_m2: 6, area_basis: usable, most_per_room: {value: 2, clause: 第3条, verified: true, verified_at: 2026-11-01}}
"""


def with_mine(text: str = PLAIN) -> PackSet:
    return PackSet([*standard_packs().packs, parse_pack(text, "mine.yaml")], KINDS)


def test_the_most_specific_pack_wins_and_says_where_its_numbers_come_from() -> None:
    policy = with_mine().policy("330702", "collective")
    assert policy.of("C1", Limits).min_area_m2 == 6
    found = {item.name: item for item in policy.provenance("C1")}
    assert (found["most_per_room"].clause, found["most_per_room"].verified) == ("第3条", True)
    assert (found["min_area_m2"].source, found["min_area_m2"].verified) == ("本村约定", False)
    assert with_mine().policy("330702", "state").of("C1", Limits).min_area_m2 is None


def test_jinhua_knows_no_limits_and_hangzhou_and_shanghai_differ() -> None:
    packs = standard_packs()
    assert packs.policy("330702", "collective").of("C1", Limits).min_area_m2 is None
    hangzhou, shanghai = (packs.policy(code, "state").of("C1", Limits) for code in ("330106", "310101"))
    assert (hangzhou.min_area_m2, hangzhou.area_basis) == (4, "usable")
    assert (shanghai.min_area_m2, shanghai.area_basis) == (5, "habitable")


def test_the_national_regulation_does_not_reach_collective_land() -> None:
    packs = standard_packs()
    on_state = packs.policy("990000", "state").provenance("C14")
    on_collective = packs.policy("990000", "collective").provenance("C14")
    assert {item.pack.split()[0] for item in on_state} == {"national", "operational"}
    assert {item.pack.split()[0] for item in on_collective} == {"operational"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (PLAIN.replace("C1:", "C99:"), "C99"),
        (PLAIN.replace("min_area_m2", "min_aera"), "min_aera"),
        (PLAIN.replace("source:", "sauce:"), "sauce"),
        (PLAIN.replace('["330702"]', '["Jinhua"]'), "jurisdictions"),
        (PLAIN.replace("rules:", "rules: ["), "mine.yaml:"),
        ("just text", "mine.yaml"),
    ],
)
def test_a_wrong_pack_is_refused_with_file_and_key(wrong: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_mine(wrong)
    assert says in str(caught.value)


def test_a_number_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="C1"):
        with_mine(PLAIN.replace("min_area_m2: 6", "min_area_m2: -6")).policy("330702", "collective")


def test_an_override_is_shown_as_such_and_a_wrong_one_refused() -> None:
    packs = standard_packs()
    policy = packs.policy("330702", "collective", (Override("C8", "opens", 5, "user:wang", "少打扰"),))
    (found,) = (item for item in policy.provenance("C8") if item.name == "opens")
    assert (found.value, found.overridden_by, found.source) == (5, "user:wang", "少打扰")
    for rule_id, name, value in (("C8", "opens", 0), ("C8", "oepns", 5), ("C88", "opens", 5), ("C8", "opens", "two")):
        with pytest.raises(ConfigError):
            packs.check_override(rule_id, name, value)


def test_every_shipped_pack_says_a_source_for_every_number() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} >= {
        "operational", "national", "zhejiang", "hangzhou", "shanghai", "jinhua",
    }  # fmt: skip
    for pack in standard_packs().packs:
        for parameters in pack.parameters.values():
            assert all(item.source for item in parameters.values())
    assert any(name.startswith("hangzhou: C1") for name in unverified(standard_packs().packs))
