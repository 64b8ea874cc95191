"""The agent's log: one line per happening on standard error, as JSON for journald or coloured for a person."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from edge_agent.config import LogSection

# What must never stand in a log, whoever logs it (privacy, reliability S5). Values under such names are masked.
_SECRET_NAMES: Final = ("password", "secret", "token", "key", "pin", "card", "credential", "payload", "body")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def mask_secrets(logger: Any, method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values under names that sound like secrets or card numbers become `***`."""
    for name in fields:
        if any(word in name.lower().split("_") for word in _SECRET_NAMES):
            fields[name] = "***"
    return fields


def set_up_logs(section: LogSection) -> None:
    """Configure structlog for this process."""
    is_console = section.format == "console" or (section.format == "auto" and sys.stderr.isatty())
    # Plain tracebacks in both: the pretty ones print local variables, and those may hold what must not be logged.
    finish: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(sort_keys=True)]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_secrets,
            *finish,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[section.level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
