"""A page that does not read is let go; the others do not notice."""

import socket
from urllib.parse import urlsplit

from support.api import Hub
from support.wait import until

from hub.domain.stored_event import Change
from hub.store.changes import record_changes


def test_a_page_that_does_not_read_is_dropped(hub: Hub) -> None:
    token = hub.token()
    parts = urlsplit(hub.address)
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.connect((parts.hostname, parts.port))
    request = f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    lazy.sendall(request.encode())
    broadcaster = hub.app.state.broadcaster
    until(lambda: broadcaster.open_pages == 1, what="the page being known")

    def one_more_burst() -> bool:
        with hub.database.write() as session:
            changes = [Change("alert", "1" * 100, "changed")] * 1000
            record_changes(session, changes, hub.clock.now())
        hub.services.feed.wake()
        return broadcaster.open_pages == 0

    try:
        until(one_more_burst, what="the page being dropped")
    finally:
        lazy.close()
