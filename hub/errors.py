"""The hub's errors, named by who must act on them."""


class HubError(Exception):
    """Root of the hub's errors; the text is one line: what, where, mend."""


class ConfigError(HubError):
    """The operator: settings that cannot work. Exit status 78 (EX_CONFIG)."""


class LinkError(HubError):
    """The network: the broker cannot be reached. Retried with back-off, shown by /healthz."""


class RegistryError(HubError):
    """Whoever keeps the registry: a row or file that cannot be taken."""


class NotFoundError(HubError):
    """The caller: there is no such thing, or none that this caller may see."""


class NotAllowedError(HubError):
    """The caller: known, but without the right."""


class StaleAlertError(HubError):
    """The user: the alert has moved on since they looked (409)."""


class NotifierError(HubError):
    """A third party's channel refused a message; retried from its table."""


class BusyError(HubError):
    """The caller: something of the kind is at work already; wait for it (409)."""
