"""Messages: who gets which when, and that none is lost or told a person's name."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select
from support.house import GATEWAY, House, event

from hub.errors import ConfigError, NotifierError, RegistryError
from hub.notify.queue import after_night
from hub.notify.sender import MOST_TRIES, Sender, wait_after
from hub.notify.service import Wishes, add_shift, queue_test, save_recipient
from hub.policies.changes import set_override
from hub.policies.packs import standard_packs
from hub.store.tables.access import User
from hub.store.tables.alerts import Notification, Recipient
from wire.clock import FakeClock

# One of the plugins of apprise, all of which it loads at once, still imports imghdr.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

REGISTRY = f"""
registry: 1
buildings: [{{code: B1, name: 一号楼, gateways: [{GATEWAY}]}}]
people: [{{code: p1, name: 张三丰, phone: "13800001234"}}]
units:
  - code: B1-101
    building: B1
    leases: [{{code: L1, start: 2026-01-01, tenant: p1, occupants: [{{person: p1, role: tenant}}]}}]
    devices:
      - {{gateway: {GATEWAY}, device: smoke-101, kind: smoke, placement: room}}
      - {{gateway: {GATEWAY}, device: lock-101, kind: lock}}
"""
NIGHT = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)  # 02:00 in China
URL = "json://127.0.0.1:1/hook"


class Recorder:
    """A channel that remembers, and fails when told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.is_broken = False

    def send(self, address: str, title: str, body: str) -> None:
        if self.is_broken:
            raise NotifierError("refused")
        self.sent.append((address, title, body))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, now=NIGHT)
    made.load(REGISTRY)
    with made.db.write() as session:
        save_recipient(session, made.vault, "wang", URL, Wishes())
    yield made
    made.close()


def messages(house: House) -> list[Notification]:
    with house.db.read() as session:
        found = list(session.exec(select(Notification).order_by(Notification.id)))
        session.expunge_all()
        return found


def test_life_safety_goes_out_at_night_and_a_battery_waits_for_the_morning(house: House) -> None:
    house.send(event("smoke.state", house.now, "smoke-101", alarm=True))
    house.send(event("device.health", house.now, "lock-101", battery_pct=15.0))
    life, technical = messages(house)
    assert (life.alert_class, life.next_try_at) == ("L", NIGHT)
    assert (technical.alert_class, technical.next_try_at) == ("T", datetime(2026, 11, 2, 23, 0, tzinfo=UTC))


def test_a_message_names_the_unit_and_nobody(house: House) -> None:
    house.send(event("smoke.state", house.now, "smoke-101", alarm=True))
    (found,) = messages(house)
    text = found.title + found.body
    assert "B1-101" in text
    assert "张" not in text
    assert "1234" not in text


def test_a_broken_channel_is_tried_again_until_it_works_and_then_never_more(house: House) -> None:
    house.send(event("smoke.state", house.now, "smoke-101", alarm=True))
    clock, channel = FakeClock(NIGHT), Recorder()
    sender = Sender(house.db, house.vault, channel, clock)
    channel.is_broken = True
    assert sender.send_due() == 0
    assert sender.send_due() == 0
    (waiting,) = messages(house)
    assert (waiting.tries, waiting.state, waiting.last_error) == (1, "waiting", "refused")
    channel.is_broken = False
    clock._elapsed_s = 6.0
    assert sender.send_due() == 1
    assert sender.send_due() == 0
    assert channel.sent[0][0] == URL
    assert messages(house)[0].state == "sent"


def test_a_channel_that_never_works_is_given_up_and_says_so(house: House) -> None:
    with house.db.write() as session:
        queue_test(session, "wang", house.now)
    clock, channel = FakeClock(NIGHT), Recorder()
    channel.is_broken = True
    sender = Sender(house.db, house.vault, channel, clock)
    for _ in range(MOST_TRIES):
        sender.send_due()
        clock._elapsed_s += 3600.0
    assert messages(house)[0].state == "failed"


def test_nobody_answering_takes_smoke_up_every_minute_and_tells_the_next_level(house: House) -> None:
    with house.db.write() as session:
        save_recipient(session, house.vault, "chief", URL, Wishes(language="en"))
        add_shift(session, "wang", house.now - timedelta(hours=1), house.now + timedelta(hours=8))
        add_shift(session, "chief", house.now - timedelta(hours=1), house.now + timedelta(hours=8), level=1)
    house.send(event("smoke.state", house.now, "smoke-101", alarm=True))
    assert [found.recipient for found in messages(house)] == ["wang"]
    house.tick(seconds=30)
    house.tick(seconds=31)
    assert [found.recipient for found in messages(house)] == ["wang", "chief", "wang"]
    house.tick(seconds=10)
    assert house.alerts("L1")[0].escalation == 1
    house.tick(seconds=55)
    assert house.alerts("L1")[0].escalation == 2


def test_somebody_hears_of_what_they_may_see_and_of_nothing_else(house: House) -> None:
    with house.db.write() as session:
        for name, role, scopes, is_gone in (
            ("here", "grid_worker", ["B1"], False),
            ("there", "grid_worker", ["B2"], False),
            ("nowhere", "landlord", [], False),
            ("auditor", "auditor", [], False),
            ("left", "manager", [], True),
            ("chief", "manager", [], False),
        ):
            session.add(
                User(name=name, role=role, scopes=scopes, created_at=NIGHT, disabled_at=NIGHT if is_gone else None)
            )
            save_recipient(session, house.vault, name, URL, Wishes())
    house.send(event("smoke.state", house.now, "smoke-101", alarm=True))
    assert {found.recipient for found in messages(house)} == {"wang", "here", "chief"}


def test_the_night_and_how_fast_an_alert_climbs_are_what_the_organisation_set(house: House) -> None:
    def set_number(rule: str, parameter: str, value: int | str, scope: str = "") -> None:
        with house.db.write() as session:
            set_override(
                session, standard_packs(), scope=scope, rule_id=rule, parameter=parameter, value=value,
                reason="tried", by="user:li", role="admin", now=house.now,
            )  # fmt: skip

    set_number("ALERTS", "night_to", "05:00")
    set_number("L1", "escalate_every_s", 600, "B1")
    with pytest.raises(RegistryError, match="organisation"):
        set_number("ALERTS", "night_to", "05:00", "B1")
    house.send(event("device.health", house.now, "lock-101", battery_pct=15.0))
    assert messages(house)[0].next_try_at == datetime(2026, 11, 2, 21, 0, tzinfo=UTC)
    house.send(event("smoke.state", house.now, "smoke-101", alarm=True))
    for _ in range(5):
        house.tick(seconds=65)
    assert house.alerts("L1")[0].escalation == 1


def test_the_address_of_a_channel_is_not_readable_in_the_database(house: House) -> None:
    with house.db.read() as session:
        row = session.get(Recipient, "wang")
    assert row is not None
    assert "127.0.0.1" not in row.channel_sealed


def test_an_address_that_no_service_has_is_refused(house: House) -> None:
    with house.db.write() as session, pytest.raises(ConfigError, match="apprise"):
        save_recipient(session, house.vault, "x", "nonsense://a", Wishes())


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.times(), st.times())
def test_the_end_of_a_night_is_never_before_now_and_less_than_a_day_away(
    naive: datetime, begins: time, ends: time
) -> None:
    now = naive.replace(tzinfo=UTC)
    nobody = Recipient(name="x", channel_sealed="")
    at = after_night(now, nobody, (begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0)))
    assert now <= at < now + timedelta(days=1)


@given(st.integers(1, 1000))
def test_waits_grow_and_are_bounded(tries: int) -> None:
    assert timedelta(seconds=5) <= wait_after(tries) <= wait_after(tries + 1) <= timedelta(minutes=30)
