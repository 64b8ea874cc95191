"""What is stored, played again: the same rules say the same, a draft says what it would have said."""

import functools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select
from support.house import GATEWAY, House, card_ref, event

from hub import cli
from hub.alerts import actions
from hub.evaluation import silence_checks
from hub.evaluation.refold import fold_what_failed
from hub.policies.packs import packs_with, standard_packs
from hub.replay.compare import Raised, compare
from hub.replay.run import Replayed, replay
from hub.rules.policy import PackSet
from hub.store.migrate import open_database
from hub.store.tables.alerts import AlertRow
from hub.store.tables.ingest import UnfoldedEvent

REGISTRY = f"""
registry: 1
buildings:
  - {{code: B1, name: 一号楼, jurisdiction: "990000", land_type: state, gateways: [{GATEWAY}]}}
people:
  - {{code: p1, name: 张三}}
units:
  - code: B1-101
    building: B1
    rooms: [{{name: 主卧, area_m2: 14, basis: usable}}]
    leases:
      - code: L1
        start: 2025-11-01
        end: 2026-10-20
        tenant: p1
        occupants: [{{person: p1, role: tenant}}]
    credentials: [{{card: 1001, person: p1, lease: L1}}]
    devices:
      - {{gateway: {GATEWAY}, device: lock-101, kind: lock}}
      - {{gateway: {GATEWAY}, device: smoke-101, kind: smoke, placement: room, heartbeat_s: 3600}}
"""
DRAFT = """
pack: draft
version: "1"
title: {zh: 草案, en: Draft}
jurisdictions: ["*"]
land_types: [state, collective, unknown]
source: a test
rules:
  C8: {opens: 50}
  T1: {silent_s: 60}
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    # Tests let time pass in strides; this hub was never down.
    monkeypatch.setattr(silence_checks, "DEAF_AFTER", timedelta(hours=2))
    made = House(tmp_path)
    yield made
    made.close()


def play(house: House, packs: PackSet | None = None, **span: datetime) -> Replayed:
    return replay(
        house.db,
        packs or standard_packs(),
        since=span.get("since"),
        until=span.get("until"),
        on_progress=lambda done, total: None,
    )


def verdicts(found: Replayed) -> dict[str, list[str]]:
    return {outcome.rule_id: [line.verdict for line in outcome.lines] for outcome in found.outcomes}


def opens(house: House, times: int, gateway: str = GATEWAY) -> None:
    for _ in range(times):
        card = {"type": "card", "ref": card_ref(1001)}
        house.send(
            event("lock.access", house.now, "lock-101", "B1-101", result="granted", credential=card), gateway=gateway
        )
        house.tick(seconds=5)


def live_through(house: House) -> None:
    """Smoke, tampering, an expired lease, an outage, people's answers; a gateway that nobody knows."""
    house.load(REGISTRY)
    house.alive()
    house.tick()
    for alarm in (True, True, False):
        house.send(event("smoke.state", house.now, "smoke-101", alarm=alarm))
        house.tick(seconds=5)
    (smoke,) = house.alerts("L1")
    with house.db.write() as session:
        actions.resolve(session, smoke.id or 0, "user:li", house.now, outcome="false", cause="cooking")
    house.send(event("smoke.state", house.now, "smoke-101", alarm=True))
    house.send(event("device.health", house.now, "smoke-101", tamper=True))
    house.send(event("device.health", house.now, "lock-101", tamper=True))
    house.tick(seconds=5)
    opens(house, 2)
    house.now += timedelta(hours=5)
    house.alive()
    opens(house, 2)
    for _ in range(40):
        house.tick(seconds=10)
    house.alive()
    house.tick(seconds=5)
    with house.db.write() as session:
        for alert in session.exec(select(AlertRow).where(AlertRow.rule_id == "C8")).all():
            actions.resolve(session, alert.id or 0, "user:li", house.now, outcome="benign", reason="续租在办")
    house.send(event("smoke.state", house.now, "s-9", alarm=True), gateway="gw-stranger")
    house.tick(seconds=5)


def test_the_same_rules_say_the_same(house: House) -> None:
    live_through(house)
    stored = house.alerts(is_open=False)
    found = play(house)
    lines = [line for outcome in found.outcomes for line in outcome.lines]
    assert [line for line in lines if line.verdict != "same"] == []
    assert len(lines) == len(stored)
    assert {"L1", "L4", "S1", "C8"} <= {alert.rule_id for alert in stored}
    assert len([alert for alert in stored if alert.rule_id == "L1"]) == 3
    assert found.played.failed == found.played.failed_ticks == 0


def test_nothing_in_the_hubs_database_changes(house: House) -> None:
    live_through(house)
    with house.db.read() as session:
        before = list(session.connection().connection.driver_connection.iterdump())  # type: ignore[union-attr]
    play(house)
    with house.db.read() as session:
        assert list(session.connection().connection.driver_connection.iterdump()) == before  # type: ignore[union-attr]


def test_a_draft_says_what_would_vanish_and_what_would_be_new(house: House, tmp_path: Path) -> None:
    live_through(house)
    house.load("registry: 1\nbuildings: [{code: B1, name: 一号楼, gateways: [gw-other]}]")
    house.alive("gw-other")
    for _ in range(12):
        house.tick(seconds=10)
    house.alive("gw-other")
    house.tick(seconds=5)
    draft = tmp_path / "draft.yaml"
    draft.write_text(DRAFT, encoding="utf-8")
    found = play(house, packs_with((draft,)))
    said = verdicts(found)
    assert set(said["C8"]) == {"vanishes"}
    assert sorted(said["T1"]) == ["changed", "new"]
    assert set(said["L1"]) == {"same"}


def test_a_stretch_compares_what_was_opened_in_it(house: House) -> None:
    live_through(house)
    opened = house.alerts(is_open=False)[-1].opened_at
    found = play(house, since=opened)
    assert {line.either.opened_at for outcome in found.outcomes for line in outcome.lines} == {opened}
    earlier = play(house, until=opened - timedelta(hours=1))
    assert "gateway:gw-stranger" not in str(earlier.outcomes)
    assert earlier.outcomes


def test_what_the_registry_learnt_later_is_not_known_before(house: House) -> None:
    live_through(house)
    house.now += timedelta(hours=1)
    house.load(REGISTRY.replace("end: 2026-10-20", "end: 2027-10-20"))
    house.tick(seconds=5)
    assert set(verdicts(play(house))["C8"]) == {"same"}


def test_an_outage_of_the_hub_itself_is_not_one_of_the_gateways(house: House) -> None:
    house.load(REGISTRY)
    house.alive()
    house.tick()
    house.tick(hours=9)
    house.alive()
    house.tick(seconds=5)
    assert house.alerts("T1", is_open=False) == []
    assert "T1" not in verdicts(play(house))


def test_events_of_a_gateway_adopted_later_count_from_then(house: House) -> None:
    house.load(REGISTRY)
    house.tick()
    opens(house, 3, "gw-stranger")
    house.load("registry: 1\nbuildings: [{code: B1, name: 一号楼, gateways: [gw-stranger]}]")
    house.tick(seconds=5)
    assert len(house.alerts("C8")) == 1
    assert verdicts(play(house))["C8"] == ["same"]


def test_apply_folds_what_a_rule_had_failed_on(house: House) -> None:
    house.load(REGISTRY)
    with house.db.write() as session:
        (stored,) = house.store(session, [event("smoke.state", house.now, "smoke-101", alarm=True)])
        session.add(UnfoldedEvent(event_id=stored.id, at=house.now, error="a fault of ours"))
    assert verdicts(play(house))["L1"] == ["new"]
    again = functools.partial(fold_what_failed, house.db, house.brain, house.now, actor="cli")
    assert again() == (1, 0)
    assert len(house.alerts("L1")) == 1
    with house.db.read() as session:
        assert session.exec(select(UnfoldedEvent)).first() is None
    assert again() == (0, 0)


def test_what_failed_is_no_later_word_than_what_came_after_it(house: House) -> None:
    house.load(REGISTRY)
    with house.db.write() as session:
        (stored,) = house.store(session, [event("smoke.state", house.now, "smoke-101", alarm=True)])
        session.add(UnfoldedEvent(event_id=stored.id, at=house.now, error="a fault of ours"))
    house.send(event("smoke.state", house.now, "smoke-101", alarm=False))
    assert fold_what_failed(house.db, house.brain, house.now, actor="cli") == (1, 0)
    (alert,) = house.alerts("L1")
    assert not alert.is_active


def test_the_command(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live_through(house)
    draft, out = tmp_path / "draft.yaml", tmp_path / "out.json"
    draft.write_text(DRAFT, encoding="utf-8")
    folder = _hub_folder(house, tmp_path)
    said = _run("--data-dir", str(folder), "--json", str(out), capsys=capsys)
    assert "0 differences" in said
    assert all(rule["raised"] == rule["same"] for rule in json.loads(out.read_text())["rules"])
    _run("--data-dir", str(folder), "--pack", str(draft), "--json", str(out), capsys=capsys)
    (lease,) = [rule for rule in json.loads(out.read_text())["rules"] if rule["rule"] == "C8"]
    assert (lease["raised"], lease["would_be_raised"], lease["vanishes"]) == (1, 0, 1)
    assert lease["lines"][0]["link"] == f"/alerts/{lease['lines'][0]['alert']}"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "2026-11-02", "--until", "2026-11-01"], "--since 2026-11-02 is not before"),
        (["--since", "yesterday"], "--since yesterday"),
        (["--since", "2026-11-02", "--timezone", "Asia/Nowhere"], "--timezone Asia/Nowhere"),
        (["--pack", "{missing}"], "cannot be read"),
        (["--pack", "{bad}"], "opens"),
        (["--pack", "{bad}", "--apply"], "--apply with --pack"),
        ([], "holds no hub.db"),
    ],
)
def test_bad_input_is_one_line_and_78(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(DRAFT.replace("opens: 50", "opens: many"), encoding="utf-8")
    filled = [word.format(missing=tmp_path / "none.yaml", bad=bad) for word in arguments]
    monkeypatch.setattr("sys.argv", ["anfang-hub", "replay", "--data-dir", str(tmp_path), *filled])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == cli.EX_CONFIG
    error = capsys.readouterr().err.strip()
    assert says in error
    assert "\n" not in error


def _hub_folder(house: House, tmp_path: Path) -> Path:
    """The house's database in the folder of a hub."""
    folder = tmp_path / "hub"
    open_database(folder, None).close()
    (folder / "hub.db").unlink()
    with Session(house.db.writer) as session:
        driver = session.connection().connection.driver_connection
        assert driver is not None
        driver.execute("COMMIT")
        driver.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        driver.execute("INSERT INTO alembic_version VALUES ('0001')")
        driver.execute(f"VACUUM INTO '{folder / 'hub.db'}'")
        driver.execute("BEGIN")
    return folder


def _run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    from hub.cli import build_app

    build_app("replay")(["replay", *arguments], standalone_mode=False)
    return capsys.readouterr().out


_T0 = datetime(2026, 11, 1, tzinfo=UTC)


def _alerts() -> st.SearchStrategy[list[Raised]]:
    """Alerts of one subject: each opens after the one before has ended."""
    return st.lists(st.integers(min_value=60, max_value=10_000), max_size=8, unique=True).map(_row)


def _row(minutes: list[int]) -> list[Raised]:
    marks = sorted(minutes)
    pairs = zip(marks[::2], marks[1::2], strict=False)
    return [
        Raised(n, "L1", "u", "P0", _T0 + timedelta(minutes=a), _T0 + timedelta(minutes=b), "", (), frozenset())
        for n, (a, b) in enumerate(pairs, 1)
    ]


@given(_alerts(), _alerts())
def test_every_alert_is_in_exactly_one_line(stored: list[Raised], replayed: list[Raised]) -> None:
    lines = [line for outcome in compare(stored, replayed, timedelta(0)) for line in outcome.lines]
    assert sorted(line.stored.id for line in lines if line.stored) == [alert.id for alert in stored]
    assert sorted(line.replayed.id for line in lines if line.replayed) == [alert.id for alert in replayed]
    assert all((line.stored is None) == (line.verdict == "new") for line in lines)
    same = [line for outcome in compare(stored, stored, timedelta(0)) for line in outcome.lines]
    assert [line.verdict for line in same] == ["same"] * len(stored)
