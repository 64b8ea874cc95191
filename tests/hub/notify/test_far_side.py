"""Messages through apprise to servers that really listen: one takes them, one refuses, one never answers."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select
from support.house import House, event
from support.mail import mail_server
from support.wait import until
from support.webhook import webhook

from hub.errors import NotifierError
from hub.notify.channels import AppriseChannel
from hub.notify.sender import Sender
from hub.notify.service import Wishes, save_recipient
from hub.store.tables.alerts import Notification
from wire.clock import SystemClock

pytestmark = [
    pytest.mark.integration,
    # One of the plugins of apprise, all of which it loads at once, still imports imghdr.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@contextlib.contextmanager
def silence() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"json://127.0.0.1:{listener.getsockname()[1]}/?rto=30"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, now=SystemClock().now())
    yield made
    made.close()


def states(house: House) -> dict[str, Notification]:
    with house.db.read() as session:
        found = list(session.exec(select(Notification)))
        session.expunge_all()
        return {row.recipient: row for row in found}


def test_a_message_arrives_in_the_language_of_its_reader(house: House) -> None:
    with webhook() as zh, webhook() as en:
        with house.db.write() as session:
            save_recipient(session, house.vault, "wang", zh.address, Wishes())
            save_recipient(session, house.vault, "lee", en.address, Wishes(language="en"))
        house.send(event("smoke.state", house.now, "s-9", alarm=True))
        sender = Sender(house.db, house.vault, AppriseChannel(), SystemClock(), patience_s=20)
        assert sender.send_due() == 2
        assert "烟雾" in zh.bodies[0]["title"]
        assert "life safety" in en.bodies[0]["title"]
        assert sender.send_due() == 0
    assert {row.state for row in states(house).values()} == {"sent"}


def test_a_mail_arrives_at_a_mail_server_and_says_the_unit_and_nobody(house: House) -> None:
    with mail_server() as mails:
        with house.db.write() as session:
            save_recipient(session, house.vault, "wang", mails.address(), Wishes())
            save_recipient(session, house.vault, "li", mails.address("guess"), Wishes())
        house.send(event("smoke.state", house.now, "s-9", alarm=True))
        sender = Sender(house.db, house.vault, AppriseChannel(), SystemClock(), patience_s=20)
        sender.send_due()
        [mail] = mails.mails
        assert mail["To"] is not None
        assert "duty@example.org" in mail["To"]
        assert "烟雾" in mail["Subject"]
        body = mail.get_body(("plain", "html"))
        assert body is not None
        assert "s-9" in body.get_content()
        found = states(house)
        assert found["wang"].state == "sent"
        # A refused login is tried again later, and its secret stands nowhere.
        assert found["li"].state == "waiting"
        assert "guess" not in found["li"].last_error


def test_a_channel_that_hangs_or_refuses_delays_nobody_else(house: House) -> None:
    with webhook() as good, webhook(500) as bad, silence() as hanging:
        with house.db.write() as session:
            for name, address in (("a-hangs", hanging), ("b-refuses", bad.address), ("c-works", good.address)):
                save_recipient(session, house.vault, name, address, Wishes())
        house.send(event("smoke.state", house.now, "s-9", alarm=True))
        sender = Sender(house.db, house.vault, AppriseChannel(), SystemClock(), patience_s=0.2)
        began = time.monotonic()
        sender.send_due()
        until(lambda: states(house)["c-works"].state == "sent", what="the good channel's message")
        until(lambda: states(house)["b-refuses"].tries == 1, what="the refusal")
        house.send(event("smoke.state", house.now, "s-10", alarm=True))
        until(lambda: sender.send_due() >= 0 and len(good.bodies) == 2, what="the next message")
        assert time.monotonic() - began < 30
        found = states(house)["b-refuses"]
        assert "500" in found.last_error
        assert "hook-secret" not in found.last_error
        assert len([thread for thread in threading.enumerate() if thread.name == "notify-a-hangs"]) == 1


def test_a_refusal_names_the_service_and_not_its_secret() -> None:
    with webhook(403) as bad, pytest.raises(NotifierError, match="json") as refused:
        AppriseChannel().send(bad.address, "t", "b")
    assert "hook-secret" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("status", [200, 404])
def test_the_command_sends_a_test_message_and_says_what_came_of_it(tmp_path: Path, status: int) -> None:
    hub = [str(Path(sys.executable).with_name("anfang-hub")), "notify"]
    with webhook(status) as server:
        subprocess.run(
            [*hub, "add", "wang", "--data-dir", str(tmp_path)],
            input=server.address, text=True, check=True, timeout=60, capture_output=True,
        )  # fmt: skip
        done = subprocess.run(
            [*hub, "test", "wang", "--data-dir", str(tmp_path)], text=True, check=False, timeout=60, capture_output=True
        )
    assert server.bodies[0]["title"] == "安房：测试消息"
    assert done.returncode == (0 if status == 200 else 1)
    assert "hook-secret" not in done.stderr
    assert ("sent" in done.stdout) == (status == 200)
