"""The one adapter to apprise: DingTalk, WeCom, Feishu, e-mail, webhooks, SMS gateways."""

import logging
import threading
from typing import Final, Protocol

import apprise

from hub.errors import ConfigError, NotifierError

_LOGGER: Final = logging.getLogger("apprise")


class Channel(Protocol):
    """What carries a message to one address. Called from several threads at once."""

    def send(self, address: str, title: str, body: str) -> None:
        """Returns when the other side has taken it. Raises NotifierError."""
        ...


class AppriseChannel:
    """Sends by apprise. `address` is one of its URLs (`dingtalk://…`, `wecombot://…`, `mailtos://…`, `jsons://…`)."""

    def send(self, address: str, title: str, body: str) -> None:
        """Returns when the other side has taken it. Raises NotifierError; the address, a secret, is not in its text."""
        # With a time-out of its own apprise works in a small pool that all share: few hanging channels would fill it.
        carrier = apprise.Apprise(asset=apprise.AppriseAsset(service_timeout=0))
        if not carrier.add(address):
            raise NotifierError("the channel's address is not one that apprise knows")
        said = _Said()
        _LOGGER.addHandler(said)
        try:
            is_sent = carrier.notify(title=title, body=body)
        finally:
            _LOGGER.removeHandler(said)
        if not is_sent:
            schema = address.partition(":")[0]
            why = said.lines[-1] if said.lines else "refused, or no answer"
            raise NotifierError(f"{schema}: {why.replace(address, '…')[:200]}")


class _Said(logging.Handler):
    """What apprise warns of in this thread alone: other channels send at the same time."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        if record.thread == self._thread:
            self.lines.append(record.getMessage().strip())


def check_address(address: str) -> None:
    """Raises ConfigError when apprise knows no such address. Nothing is sent."""
    if not apprise.Apprise().add(address):
        schema = address.partition(":")[0]
        raise ConfigError(
            f"channel: 渠道地址无法识别 / {schema}://… is no address that apprise knows; see its list of services"
        )
