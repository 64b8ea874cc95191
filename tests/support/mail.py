"""A mail server that keeps what it is given: aiosmtpd's, behind a login."""

import contextlib
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from support.servers import free_port


@dataclass
class MailServer:
    """What arrived, and the address by which apprise reaches it (without TLS, which a lone machine need not have)."""

    user: str = "anfang"
    password: str = "correct-horse"
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)

    def address(self, password: str | None = None) -> str:
        """An apprise URL; with another password it is refused."""
        secret = self.password if password is None else password
        return f"mailto://{self.user}:{secret}@127.0.0.1:{self.port}?from=hub@example.org&to=duty@example.org"


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server on a free port."""
    made = MailServer(port=free_port())

    class Keep:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            found = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(found, EmailMessage)
            made.mails.append(found)
            return "250 kept"

    def login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
        is_right = (data.login, data.password) == (made.user.encode(), made.password.encode())
        return AuthResult(success=is_right, handled=is_right)

    controller = Controller(Keep(), hostname="127.0.0.1", port=made.port, authenticator=login, auth_require_tls=False)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
