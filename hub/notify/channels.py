"""The one adapter to apprise: DingTalk, WeCom, Feishu, e-mail, webhooks, SMS gateways."""

import logging
from typing import Protocol

import apprise

from hub.errors import ConfigError, NotifierError


class Channel(Protocol):
    """What carries a message to one address."""

    def send(self, address: str, title: str, body: str) -> None:
        """Returns when the other side has taken it. Raises NotifierError."""
        ...


class AppriseChannel:
    """Sends by apprise. `address` is one of its URLs (`dingtalk://…`, `wecombot://…`, `mailtos://…`, `jsons://…`)."""

    def send(self, address: str, title: str, body: str) -> None:
        """Returns when the other side has taken it. Raises NotifierError; the address, a secret, is not in its text."""
        carrier = apprise.Apprise()
        if not carrier.add(address):
            raise NotifierError("the channel's address is not one that apprise knows")
        with apprise.LogCapture(  # type: ignore[no-untyped-call]  # apprise has no types here
            level=logging.WARNING, fmt="%(message)s"
        ) as captured:
            is_sent = carrier.notify(title=title, body=body)
            said = captured.getvalue().strip().splitlines()
        if not is_sent:
            schema = address.partition(":")[0]
            why = said[-1] if said else "refused"
            raise NotifierError(f"{schema}: {why.replace(address, '…')[:200]}")


def check_address(address: str) -> None:
    """Raises ConfigError when apprise knows no such address. Nothing is sent."""
    if not apprise.Apprise().add(address):
        schema = address.partition(":")[0]
        raise ConfigError(f"channel {schema}://…: not an address that apprise knows; see its list of services")
