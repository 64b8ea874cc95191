"""The hub's log: one line per happening on standard error, as JSON for journald or coloured for a person."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from hub.config import LogSection

# What must never stand in a log, whoever logs it (privacy, reliability S5). Values under such names are masked.
_SECRET_NAMES: Final = ("password", "secret", "token", "key", "pin", "card", "credential", "payload", "body", "phone")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def mask_secrets(logger: Any, method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values under names that sound like secrets or personal data become `***`."""
    for name in fields:
        if any(word in name.lower().split("_") for word in _SECRET_NAMES):
            fields[name] = "***"
    return fields


def set_up_logs(section: LogSection) -> None:
    """Configure structlog for this process, and quieten the libraries that log for themselves."""
    is_console = section.format == "console" or (section.format == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if is_console else structlog.processors.JSONRenderer(sort_keys=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[section.level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
