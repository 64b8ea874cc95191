"""Gateways and devices are looked up by what somebody knows of them."""

from datetime import UTC, datetime

from support.api import Hub

from hub.access.roles import Role
from hub.store.tables.alerts import DeviceWatch
from hub.store.tables.ingest import Gateway

AT = datetime(2026, 11, 2, 4, tzinfo=UTC)


def fill(hub: Hub) -> None:
    with hub.services.database.write() as session:
        for name, building, state, link in (
            ("gw-jh-0001", "990000-0001-1", "active", "online"),
            ("gw-jh-0002", "990000-0001-2", "active", "offline"),
            ("gw-yw-0001", None, "unadopted", "online"),
        ):
            session.add(
                Gateway(
                    id=name, state=state, building_code=building, link=link, first_seen_at=AT, last_seen_at=AT,
                )
            )  # fmt: skip
        for gateway, device, unit, kind in (
            ("gw-jh-0001", "lock-302", "990000-0001-1-302", "lock"),
            ("gw-jh-0001", "smoke_302", "990000-0001-1-302", "smoke"),
            ("gw-jh-0002", "lock-101", "990000-0001-2-101", "lock"),
        ):
            session.add(
                DeviceWatch(
                    key=f"{gateway}/{device}", gateway_id=gateway, device=device, unit_code=unit,
                    building_code=unit.rsplit("-", 1)[0], kind=kind, first_seen_at=AT, last_seen_at=AT,
                    last_event_id=1, state="{}",
                )
            )  # fmt: skip


def found(hub: Hub, path: str, key: str, **query: str) -> list[str]:
    answer = hub.caller().get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return [item[key] for item in answer.json()["items"]]


def test_gateways_are_found_by_a_part_of_their_name_or_their_building(hub: Hub) -> None:
    fill(hub)
    assert found(hub, "gateways", "id", q="JH") == ["gw-jh-0001", "gw-jh-0002"]
    assert found(hub, "gateways", "id", q="0001-2") == ["gw-jh-0002"]
    assert found(hub, "gateways", "id", link="online") == ["gw-jh-0001", "gw-yw-0001"]
    assert found(hub, "gateways", "id", state="unadopted", q="yw") == ["gw-yw-0001"]
    # A sign of the database's pattern language is a sign like any other.
    assert found(hub, "gateways", "id", q="gw_") == []
    assert found(hub, "gateways", "id", q="%") == []


def test_devices_are_found_by_name_place_and_kind(hub: Hub) -> None:
    fill(hub)
    assert found(hub, "devices", "device", q="1-302") == ["lock-302", "smoke_302"]
    assert found(hub, "devices", "device", q="smoke_") == ["smoke_302"]
    assert found(hub, "devices", "device", kind="lock") == ["lock-302", "lock-101"]
    assert found(hub, "devices", "device", kind="lock", q="0002") == ["lock-101"]


def test_an_unknown_state_is_refused_by_name(hub: Hub) -> None:
    refused = hub.signed_in().get("/api/v1/gateways", params={"link": "asleep"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "link"


def test_a_scope_is_a_code_and_no_pattern(hub: Hub) -> None:
    with hub.database.write() as session:
        for name, building in (("gw-own", "a_1-1"), ("gw-near", "ab1-1")):
            session.add(Gateway(id=name, state="active", building_code=building, first_seen_at=AT, last_seen_at=AT))
    answer = hub.caller(Role.MANAGER, "a_1").get("/api/v1/gateways")
    assert [item["id"] for item in answer.json()["items"]] == ["gw-own"]
