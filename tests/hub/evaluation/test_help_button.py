"""W2: a help button is pressed. Once is enough, at any hour, enrolled or not; and every press asks for an answer."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select
from support.house import GATEWAY, House, event

from hub.alerts.actions import acknowledge, resolve, shelve
from hub.alerts.queries import get_alert
from hub.errors import NotAllowedError
from hub.notify.service import Wishes, save_recipient
from hub.store.tables.alerts import Notification

# One of the plugins of apprise, all of which it loads at once, still imports imghdr.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
NIGHT = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)  # 02:00 in China
REGISTRY = f"""
registry: 1
buildings: [{{code: B1, name: 一号楼, gateways: [{GATEWAY}]}}]
people: [{{code: p1, name: 张三丰, phone: "13800001234"}}]
units:
  - code: B1-101
    building: B1
    leases: [{{code: L1, start: 2026-01-01, tenant: p1, occupants: [{{person: p1, role: tenant}}]}}]
    devices:
      - {{gateway: {GATEWAY}, device: help-101, kind: help, placement: room}}
      - {{gateway: {GATEWAY}, device: lock-101, kind: lock}}
    welfare: {{consent: paper 101-1}}
"""
ENROLLED = f"{REGISTRY}    help_button: {{consent: paper 101-2}}\n"
WITHDRAWN = f"{REGISTRY}    help_button: {{consent: paper 101-2, withdrawn_at: 2026-11-02T17:59:59+00:00}}\n"


@pytest.fixture
def home(house: House) -> House:
    house.now = NIGHT
    house.load(ENROLLED)
    return house


def press(house: House, device: str = "help-101", **data: bool) -> None:
    house.send(event("help.call", house.now, device, **data))


def messages(house: House) -> list[str]:
    with house.db.read() as session:
        rows = session.exec(select(Notification).order_by(col(Notification.id))).all()
        assert all(row.next_try_at <= house.now for row in rows), "no help waits for the morning"
        return [row.title for row in rows]


def answer(house: House, alert_id: int) -> None:
    with house.db.write() as session:
        acknowledge(session, alert_id, "user:wang", house.now)


def recipient(session: Session, house: House) -> None:
    save_recipient(session, house.vault, "duty", "json://127.0.0.1:1/hook", Wishes(classes="L"))


def test_one_press_is_a_p0_of_life_safety_that_shows_a_time_and_no_head_count(home: House) -> None:
    press(home)
    (alert,) = home.alerts("W2")
    assert (alert.alert_class, alert.severity, alert.unit_code) == ("L", "P0", "B1-101")
    assert "求助服务" in alert.explanation_zh
    assert "asked for this service" in alert.explanation_en
    assert set(alert.facts) == {"place_zh", "place_en", "gateway", "device", "at", "enrolled_zh", "enrolled_en"}
    with home.db.read() as session:
        shown = get_alert(session, alert.id or 0)
    assert [piece.kind for piece in shown.evidence] == ["event"]
    assert "张" not in shown.model_dump_json(exclude={"evidence"})


@pytest.mark.parametrize(
    ("registry", "device", "zh", "en"),
    [
        (REGISTRY, "help-101", "未登记", "did not ask"),
        (WITHDRAWN, "help-101", "撤回", "withdrawn"),
        (ENROLLED, "help-hall", "不在任何房屋", "no unit"),
    ],
)
def test_nobody_is_left_lying_for_want_of_a_paper_and_the_alert_says_so(
    house: House, registry: str, device: str, zh: str, en: str
) -> None:
    house.now = NIGHT
    house.load(registry)
    press(house, device)
    (alert,) = house.alerts("W2")
    assert (alert.alert_class, alert.severity) == ("L", "P0")
    assert zh in alert.explanation_zh
    assert en in alert.explanation_en


def test_consent_ends_with_the_very_next_press(home: House) -> None:
    press(home)
    (first,) = home.alerts("W2")
    with home.db.write() as session:
        resolve(session, first.id or 0, "user:wang", home.now, outcome="true", cause="helped")
    home.now += timedelta(hours=1)
    home.load(WITHDRAWN)
    press(home)
    (second,) = home.alerts("W2")
    assert "撤回" in second.explanation_zh


def test_a_second_press_takes_the_answer_to_the_first_back_and_is_told_again(home: House) -> None:
    with home.db.write() as session:
        recipient(session, home)
    press(home)
    home.now += timedelta(seconds=5)
    press(home)
    (alert,) = home.alerts("W2")
    assert len(messages(home)) == 1, "unanswered: escalation tells again, not every press"
    assert alert.evidence_count == 2
    answer(home, alert.id or 0)
    home.now += timedelta(hours=3)
    press(home)
    (alert,) = home.alerts("W2")
    assert alert.acknowledged_at is None
    assert len(messages(home)) == 2


def test_duress_once_more_asks_for_an_answer_again(home: House) -> None:
    home.send(event("lock.alarm", home.now, "lock-101", alarm="duress"))
    (alert,) = home.alerts("L3")
    answer(home, alert.id or 0)
    home.now += timedelta(minutes=10)
    home.send(event("lock.alarm", home.now, "lock-101", alarm="duress"))
    assert home.alerts("L3")[0].acknowledged_at is None


def test_the_same_press_sent_twice_is_one_call(home: House) -> None:
    call = event("help.call", home.now, "help-101")
    (stored,) = home.send(call)
    (alert,) = home.alerts("W2")
    answer(home, alert.id or 0)
    with home.db.write() as session:
        home.brain.fold(session, [stored], home.now)
    assert home.alerts("W2")[0].acknowledged_at is not None


def test_a_call_taken_back_is_cleared_and_waits_for_a_person(home: House) -> None:
    press(home)
    press(home, cancelled=True)
    (alert,) = home.alerts("W2")
    assert not alert.is_active
    answer(home, alert.id or 0)
    home.tick(hours=5)
    assert len(home.alerts("W2")) == 1
    press(home)
    (alert,) = home.alerts("W2")
    assert alert.is_active
    assert alert.acknowledged_at is None


def test_taking_back_what_nobody_called_is_nothing(home: House) -> None:
    press(home, cancelled=True)
    assert home.alerts("W2") == []


def test_it_is_told_at_night_escalates_and_cannot_be_put_aside(home: House) -> None:
    with home.db.write() as session:
        recipient(session, home)
    press(home)
    assert messages(home) == ["【P0 生命安全】长者求助：B1-101"]
    home.tick(seconds=61)
    assert len(messages(home)) == 2
    (alert,) = home.alerts("W2")
    assert alert.escalation == 1
    with home.db.write() as session, pytest.raises(NotAllowedError):
        shelve(session, alert.id or 0, "user:wang", home.now, until=home.now + timedelta(hours=1), reason="later")


def test_an_unknown_gateways_button_is_heard_too(house: House) -> None:
    house.now = NIGHT
    press(house, "button-1")
    assert [alert.severity for alert in house.alerts("W2")] == ["P0"]


def test_a_press_is_a_sign_of_life_for_w1(home: House) -> None:
    press(home)
    for _ in range(23):
        home.alive()
        home.tick(hours=1)
    assert home.alerts("W1") == []
    for _ in range(3):
        home.alive()
        home.tick(hours=1)
    assert [alert.rule_id for alert in home.alerts("W1")] == ["W1"]
