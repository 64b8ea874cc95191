"""Each rule over a unit: when it speaks, when it keeps silent, and when it cannot tell."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.units import (
    HANGZHOU,
    JINHUA,
    NOW,
    TODAY,
    credential,
    days,
    filed,
    lease,
    night,
    nights,
    occupant,
    person,
    policy,
    room,
    unit,
    use,
    vacant,
)

from hub.domain.entities import Booking, Unit, Welfare
from hub.domain.observations import UnitObservations
from hub.policies.packs import standard_packs
from hub.rules.catalogue import RULES
from hub.rules.model import CannotEvaluate, Finding, Fine
from hub.rules.on_unit import UNIT_RULES, judge_unit
from hub.rules.policy import Override

A, F, X = "alert", "fine", "cannot"
LOCK = UnitObservations(has_lock=True, lock_since=NOW - timedelta(days=90), lock_seen_at=NOW)
FAMILY = tuple(occupant(f"p{n}", family_group="f") for n in range(1, 4))
FOUR = tuple(occupant(f"p{n}") for n in range(1, 5))
CHILD = person("p3", born_on=date(2020, 1, 1))
RAN_OUT = lease(end_on=days(-10))
NEXT = lease("L2", start_on=days(-9), end_on=days(300))
USED = UnitObservations(uses=(use(-3), use(-1)))
STRANGE = UnitObservations(uses=tuple(use(-n, ref="hmac:9999") for n in range(3)))
SHORT = tuple(
    credential(
        f"hmac:t{n:03d}", purpose="temporary", person_code=None,
        valid_from=NOW - timedelta(days=n * 2), valid_to=NOW - timedelta(days=n * 2 - 2),
    )
    for n in range(6)
)  # fmt: skip
CARE = Welfare(None, daytime_only=False, withdrawn_at=None)
QUIET = UnitObservations(last_activity_at=NOW - timedelta(hours=25))

CASES: list[tuple[str, str, Unit, UnitObservations, str]] = [
    ("C1", "four strangers in a room for two", unit(occupants=FOUR), UnitObservations(), A),
    ("C1", "two strangers in it", unit(occupants=FOUR[:2]), UnitObservations(), F),
    ("C1", "one family of three, by area", unit(occupants=FAMILY), UnitObservations(), F),
    ("C1", "a family of four in eight square metres", unit(occupants=(*FAMILY, occupant("p4", family_group="f")), rooms=(room(area=8),)), UnitObservations(), A),
    ("C1", "no area in the registry", unit(occupants=FOUR, rooms=(room(area=None),)), UnitObservations(), X),
    ("C1", "another area basis", unit(occupants=FOUR, rooms=(room(basis="gross"),)), UnitObservations(), X),
    ("C1", "no rooms in the registry", unit(occupants=FOUR, rooms=()), UnitObservations(), X),
    ("C1", "nobody registered", vacant(), UnitObservations(), F),
    ("C1", "guests for some days", unit(occupants=(*FOUR[:2], *(replace(o, role="guest", guest_until=days(9)) for o in FOUR[2:]))), UnitObservations(), F),
    ("C2", "three of seven nights above the cap", unit(), UnitObservations(nights=nights([1, 3, 1, 3, 1, 1, 3])), A),
    ("C2", "two nights only: guests", unit(), UnitObservations(nights=nights([1, 3, 1, 1, 1, 1, 3])), F),
    ("C2", "long ago", unit(), UnitObservations(nights=nights([3, 3, 3, 1, 1, 1, 1, 1, 1, 1])), F),
    ("C2", "poor coverage proves nothing", unit(), UnitObservations(nights=nights([3] * 7, coverage=0.5)), X),
    ("C2", "no counter", unit(), UnitObservations(), X),
    ("C2", "opted out of counting", unit(counting_opt_out=True), UnitObservations(nights=nights([9] * 7)), X),
    ("C3", "five of seven nights above the registry", unit(), UnitObservations(nights=nights([2, 2, 1, 2, 2, 2, 1])), A),
    ("C3", "one more grown-up beside a baby", unit(occupants=(occupant(), occupant("p2", person("p2", born_on=days(-400))))),
     UnitObservations(nights=nights([2] * 7)), A),
    ("C3", "a child that walks is counted", unit(occupants=(occupant(), occupant("p2", person("p2", born_on=days(-2000))))),
     UnitObservations(nights=nights([2] * 7)), F),
    ("C3", "four nights: a visit", unit(), UnitObservations(nights=nights([2, 2, 1, 2, 1, 2, 1])), F),
    ("C3", "guests who were reported", unit(occupants=(occupant(), occupant("p2", role="guest", guest_until=days(5)))), UnitObservations(nights=nights([2] * 7)), F),
    ("C3", "opted out of counting", unit(counting_opt_out=True), UnitObservations(nights=nights([9] * 7)), X),
    ("C4", "a card that nobody knows", unit(), STRANGE, A),
    ("C4", "a card of the registry without a person", unit(credentials=(credential(person_code=None),)), UnitObservations(uses=(use(-1, 3),)), A),
    ("C4", "bound to somebody", unit(), UnitObservations(uses=(use(-1, 9),)), F),
    ("C4", "bound to somebody of another unit", unit(), replace(STRANGE, named_elsewhere=frozenset({"hmac:9999"})), F),
    ("C4", "twice only", unit(), UnitObservations(uses=(use(-1, 2, ref="hmac:9999"),)), F),
    ("C4", "a cleaner, as booked", unit(), UnitObservations(uses=(use(-1, 5, ref="hmac:9999", outside=0),)), F),
    ("C4", "the gateway is silent", unit(), replace(STRANGE, is_dark=True), X),
    ("C5", "moved in a week ago, not registered", unit(registrations=(), occupants=(occupant(from_on=days(-7)),)), UnitObservations(), A),
    ("C5", "registered", unit(), UnitObservations(), F),
    ("C5", "moved in today", unit(registrations=(), occupants=(occupant(from_on=TODAY),)), UnitObservations(), F),
    ("C5", "of local hukou", unit(registrations=(), occupants=(occupant(who=person(hukou_region="330102")),)), UnitObservations(), F),
    ("C5", "of another county of the city", unit(registrations=(), occupants=(occupant(who=person(hukou_region="330122")),)), UnitObservations(), A),
    ("C5", "hukou not known", unit(registrations=(), occupants=(occupant(who=person(hukou_region="")),)), UnitObservations(), X),
    ("C5", "a guest", unit(registrations=(), occupants=(occupant(role="guest", guest_until=days(9)),)), UnitObservations(), F),
    ("C6", "left two weeks ago, not reported", unit(leases=(lease(ended_on=days(-14)),)), UnitObservations(), A),
    ("C6", "reported", unit(leases=(lease(ended_on=days(-14)),), registrations=(filed("termination", None, "L1"),)), UnitObservations(), F),
    ("C6", "left yesterday", unit(leases=(lease(ended_on=days(-1)),)), UnitObservations(), F),
    ("C6", "merely expired", unit(leases=(RAN_OUT,)), UnitObservations(), F),
    ("C7", "ends in two weeks", unit(leases=(lease(end_on=days(14)),)), UnitObservations(), A),
    ("C7", "ended yesterday", unit(leases=(lease(end_on=days(-1)),)), UnitObservations(), A),
    ("C7", "ends in two months", unit(leases=(lease(end_on=days(60)),)), UnitObservations(), F),
    ("C7", "renewed", unit(leases=(lease(end_on=days(14)), lease("L2", start_on=days(15), end_on=days(400)))), UnitObservations(), F),
    ("C7", "indefinite", unit(leases=(lease(end_on=None),)), UnitObservations(), F),
    ("C8", "used after the term", unit(leases=(RAN_OUT,)), USED, A),
    ("C8", "used once", unit(leases=(RAN_OUT,)), UnitObservations(uses=(use(-1),)), F),
    ("C8", "used in the days of grace", unit(leases=(RAN_OUT,)), UnitObservations(uses=(use(-9, 5),)), F),
    ("C8", "renewed", unit(leases=(RAN_OUT, NEXT)), USED, F),
    ("C8", "talks of renewal", unit(leases=(lease(end_on=days(-10), renewal_talks_on=days(-12)),)), USED, F),
    ("C8", "the tenancy was ended", unit(leases=(lease(end_on=days(-10), ended_on=days(-10)),)), USED, F),
    ("C8", "staff opened", unit(leases=(RAN_OUT,), credentials=(credential(purpose="staff"),)), USED, F),
    ("C8", "the gateway is silent", unit(leases=(RAN_OUT,)), replace(USED, is_dark=True), X),
    ("C9", "opened on two days", vacant(), USED, A),
    ("C9", "somebody stayed a night", vacant(), UnitObservations(nights=(night(0, 1),)), A),
    ("C9", "opened on one day", vacant(), UnitObservations(uses=(use(-1, 4),)), F),
    ("C9", "viewings, as booked", vacant(), UnitObservations(uses=(use(-3, outside=0), use(-1, outside=0))), F),
    ("C9", "a night without anybody", vacant(), UnitObservations(nights=(night(0, 0),)), F),
    ("C9", "it is let", unit(), USED, F),
    ("C9", "the gateway is silent", vacant(), UnitObservations(is_dark=True), X),
    ("C10", "unused for a month", unit(), replace(LOCK, last_use={"hmac:0001": NOW - timedelta(days=31)}), A),
    ("C10", "never used", unit(), LOCK, A),
    ("C10", "moved in last week, and opened with another's card so far", unit(occupants=(occupant(from_on=days(-7)),)), LOCK, F),
    ("C10", "used last week", unit(), replace(LOCK, last_use={"hmac:0001": NOW - timedelta(days=7)}), F),
    ("C10", "has no credential of their own", unit(credentials=()), LOCK, F),
    ("C10", "the lock is new", unit(), replace(LOCK, lock_since=NOW - timedelta(days=5)), X),
    ("C10", "the lock is silent", unit(), replace(LOCK, lock_seen_at=NOW - timedelta(days=5)), X),
    ("C10", "no connected lock", unit(), UnitObservations(), X),
    ("C11", "six temporary cards in two weeks", unit(credentials=SHORT), UnitObservations(), A),
    ("C11", "five: family visits", unit(credentials=SHORT[:5]), UnitObservations(), F),
    ("C11", "valid for a week each", unit(credentials=tuple(replace(c, valid_to=c.valid_from + timedelta(days=7)) for c in SHORT if c.valid_from)), UnitObservations(), F),
    ("C11", "a sublease without consent", unit(leases=(lease(parent_lease_code="L0", sublease_consent=False),)), UnitObservations(), A),
    ("C11", "a sublease with consent", unit(leases=(lease(parent_lease_code="L0", sublease_consent=True),)), UnitObservations(), F),
    ("C12", "somebody lives in the kitchen", unit(rooms=(room("厨房", 6, "kitchen"),), occupants=(occupant(room_code="B1-1:厨房"),)), UnitObservations(), A),
    ("C12", "the garage is let", unit(rooms=(room("车库", 16, "garage"),), leases=(lease(room_code="B1-1:车库"),)), UnitObservations(), A),
    ("C12", "a kitchen in which nobody lives", unit(rooms=(room(), room("厨房", 6, "kitchen"))), UnitObservations(), F),
    ("C14", "not filed after two months", unit(registrations=(filed(),), leases=(lease(start_on=days(-60)),)), UnitObservations(), A),
    ("C14", "filed", unit(), UnitObservations(), F),
    ("C14", "began last week", unit(registrations=(filed(),), leases=(lease(start_on=days(-7)),)), UnitObservations(), F),
    ("C15", "only a child", unit(occupants=(occupant("p3", CHILD),)), UnitObservations(), A),
    ("C15", "a child with a parent", unit(occupants=(occupant(), occupant("p3", CHILD))), UnitObservations(), F),
    ("C15", "nobody", vacant(), UnitObservations(), F),
    ("W1", "nothing for a day", unit(welfare=CARE), QUIET, A),
    ("W1", "nothing ever, by devices that were heard for two days", unit(welfare=CARE), UnitObservations(watched_since=NOW - timedelta(days=2)), A),
    ("W1", "nothing yet, by devices of today", unit(welfare=CARE), UnitObservations(watched_since=NOW - timedelta(hours=2)), F),
    ("W1", "nothing ever was heard at all", unit(welfare=CARE), UnitObservations(), X),
    ("W1", "not enrolled", unit(), QUIET, F),
    ("W1", "withdrawn", unit(welfare=replace(CARE, withdrawn_at=NOW - timedelta(hours=1))), QUIET, F),
    ("W1", "away", unit(welfare=replace(CARE, away_until=NOW + timedelta(hours=1))), QUIET, F),
    ("W1", "something an hour ago", unit(welfare=CARE), UnitObservations(last_activity_at=NOW - timedelta(hours=1)), F),
    ("W1", "the gateway is silent", unit(welfare=CARE), replace(QUIET, is_dark=True), X),
    ("T6", "lives in two units", unit(), UnitObservations(elsewhere={"p1": "B1-2"}), A),
    ("T6", "an invalid number", unit(occupants=(occupant(who=person(document_valid=False)),)), UnitObservations(), A),
    ("T6", "nothing wrong", unit(), UnitObservations(), F),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule_id", "what", "known", "seen", "expected"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES]
)
def test_a_rule_says_what_it_should(
    rule_id: str, what: str, known: Unit, seen: UnitObservations, expected: str
) -> None:
    verdict = dict(judge_unit(known, seen, policy(), NOW))[rule_id]
    kinds = {Finding: A, Fine: F, CannotEvaluate: X}
    assert kinds[type(verdict)] == expected
    if isinstance(verdict, Finding):
        words = RULES[rule_id].explanation.filled(verdict.facts)
        assert known.code in words.zh
        assert known.code in words.en
        assert verdict.evidence


def test_every_unit_rule_has_cases_of_both_kinds() -> None:
    for rule in UNIT_RULES:
        assert {A, F} <= {case[4] for case in CASES if case[0] == rule.rule_id}, rule.rule_id


def test_where_the_limit_is_unknown_the_cap_cannot_be_judged_and_is_never_in_order() -> None:
    verdicts = dict(judge_unit(unit(occupants=FOUR), UnitObservations(nights=nights([9] * 7)), policy(JINHUA), NOW))
    assert isinstance(verdicts["C1"], CannotEvaluate)
    assert isinstance(verdicts["C2"], CannotEvaluate)
    assert "未知" in verdicts["C1"].reason.zh


def test_beyond_the_published_holidays_the_clock_cannot_be_judged() -> None:
    known = unit(registrations=(), occupants=(occupant(from_on=date(2035, 1, 1)),))
    later = NOW.replace(year=2035, month=1, day=20)
    assert isinstance(dict(judge_unit(known, UnitObservations(), policy(), later))["C5"], CannotEvaluate)


def test_compliance_wording_never_accuses() -> None:
    for rule in RULES.values():
        if rule.alert_class == "C":
            text = rule.explanation.zh + rule.title.zh
            assert not any(word in text for word in ("违法", "黑户", "非法", "犯罪", "逃避"))
            assert "请" in rule.explanation.zh
            assert rule.benign
            assert rule.recommended


def test_a_booked_opening_is_told_from_others_by_its_time() -> None:
    known = vacant(bookings=(Booking("viewing", NOW, NOW + timedelta(hours=1)),))
    assert known.has_booking_at(NOW + timedelta(minutes=30))
    assert not known.has_booking_at(NOW + timedelta(hours=2))


@given(st.lists(st.integers(0, 12), max_size=14), st.floats(0, 1))
def test_more_people_never_make_an_over_capacity_alert_go_away(lowers: list[int], coverage: float) -> None:
    def speaks(found: list[int]) -> bool:
        seen = UnitObservations(nights=nights(found, coverage))
        return isinstance(dict(judge_unit(unit(), seen, policy(), NOW))["C2"], Finding)

    if speaks(lowers):
        assert speaks([lower + 1 for lower in lowers])


@pytest.mark.parametrize("rule_id", ["C2", "C3"])
def test_without_a_night_nothing_is_told_however_little_is_asked(rule_id: str) -> None:
    asks_nothing = Override(rule_id, "confidence", 0.0, "", "")
    loose = standard_packs().policy(HANGZHOU, "state", (asks_nothing,))
    for seen in (UnitObservations(), UnitObservations(nights=nights([3] * 7, coverage=0.1))):
        assert isinstance(dict(judge_unit(unit(), seen, loose, NOW))[rule_id], CannotEvaluate)
