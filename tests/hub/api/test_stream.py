"""The stream of changes, read as a browser would."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from queue import Queue
from urllib.parse import urlsplit

import pytest
from support.api import Hub
from support.wait import until

from hub.access.roles import Role
from hub.domain.stored_event import Change
from hub.store.changes import record_changes

Event = dict[str, str]


def tell(hub: Hub, *changes: Change) -> None:
    with hub.database.write() as session:
        record_changes(session, changes, hub.clock.now())
    hub.services.feed.wake()


def alert(number: int) -> Change:
    return Change("alert", str(number), "opened")


@contextlib.contextmanager
def page(hub: Hub, token: str, last_id: str | None = None) -> Iterator["Queue[Event]"]:
    """An open page; its events arrive in the queue."""
    events: Queue[Event] = Queue()
    headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last_id} if last_id else {})
    parts = urlsplit(hub.address)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("GET", "/api/v1/stream", headers=headers)

    def read() -> None:
        found: Event = {}
        with contextlib.suppress(OSError, HTTPException), connection.getresponse() as answer:
            while line := answer.readline():
                text = line.decode().rstrip("\n")
                if text:
                    name, _, value = text.partition(":")
                    found[name] = value.strip()
                elif found.get("event"):
                    events.put(found)
                    found = {}

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield events
    finally:
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
        reader.join(5)
        connection.close()


def test_an_open_page_hears_of_a_change_with_its_id(hub: Hub) -> None:
    with page(hub, hub.token()) as events:
        assert events.get(timeout=60)["event"] == "hello"
        tell(hub, alert(7))
        told = events.get(timeout=60)
    assert told["event"] == "alert"
    assert '"subject":"7"' in told["data"]
    assert told["id"] == "1"


def test_a_page_that_was_away_gets_exactly_what_it_missed(hub: Hub) -> None:
    token = hub.token()
    with page(hub, token) as events:
        events.get(timeout=60)
        tell(hub, alert(1))
        last = events.get(timeout=60)["id"]
    tell(hub, *(alert(number) for number in range(2, 2502)))
    with page(hub, token, last) as events:
        assert events.get(timeout=60)["event"] == "hello"
        ids = [int(events.get(timeout=60)["id"]) for _ in range(2500)]
        tell(hub, alert(9999))
        ids.append(int(events.get(timeout=60)["id"]))
    assert ids == list(range(2, 2503))


def test_a_page_from_another_database_is_told_to_read_everything_again(hub: Hub) -> None:
    with page(hub, hub.token(), "123456789") as events:
        assert events.get(timeout=60)["event"] == "reset"


def test_changes_written_by_another_process_are_found_without_a_wake_up(hub: Hub) -> None:
    with page(hub, hub.token()) as events:
        events.get(timeout=60)
        with hub.database.write() as session:
            record_changes(session, [alert(1)], hub.clock.now())
        assert events.get(timeout=60)["event"] == "alert"


def test_a_scoped_caller_hears_of_no_gateways_and_no_other_units(hub: Hub) -> None:
    with page(hub, hub.token(Role.MANAGER, "a-1")) as events:
        events.get(timeout=60)
        tell(
            hub,
            Change("gateway", "gw-1", "online"),
            Change("unit", "a-10", "changed"),
            Change("unit", "a-1-302", "changed"),
        )
        assert '"a-1-302"' in events.get(timeout=60)["data"]
        assert events.empty()


def test_a_page_that_leaves_is_forgotten(hub: Hub) -> None:
    broadcaster = hub.app.state.broadcaster
    with page(hub, hub.token()) as events:
        events.get(timeout=60)
        until(lambda: broadcaster.open_pages == 1, what="the page being known")
    until(lambda: broadcaster.open_pages == 0, what="the page being forgotten")


@pytest.mark.parametrize("last_id", ["-1", "x", "1" * 30])
def test_a_last_id_that_is_no_number_is_refused(hub: Hub, last_id: str) -> None:
    answer = hub.caller().get("/api/v1/stream", headers={"Last-Event-ID": last_id})
    assert answer.status_code == 422


def test_an_auditor_has_no_stream(hub: Hub) -> None:
    assert hub.caller(Role.AUDITOR).get("/api/v1/stream").status_code == 403
