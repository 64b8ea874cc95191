"""The agent's errors, named by who must act on them."""

from typing import Final

EX_CONFIG: Final = 78
"""sysexits.h: a configuration that cannot work. systemd's RestartPreventExitStatus names it."""


class AgentError(Exception):
    """Root of the agent's errors; the text is one line: what, where, mend."""


class ConfigError(AgentError):
    """The operator: a configuration that cannot work. Exit status 78 (EX_CONFIG); never retried."""


class LinkError(AgentError):
    """The cable: a port, socket or stream that does not answer. Retried with back-off and shown in health."""


class DecodeError(AgentError):
    """The profile: a reading that it cannot explain. Counted, a sample kept, the stream goes on."""


class OutboxError(AgentError):
    """The disk: the durable queue cannot take or give an event."""


class UplinkError(AgentError):
    """The network: the hub or its broker cannot be reached. Retried with back-off."""


class CommandError(AgentError):
    """The caller: a device cannot do what was asked of it."""
