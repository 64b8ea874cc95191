"""The numbers of the alerts' life, kept in the rule packs under `ALERTS`."""

from typing import Annotated, Final

from msgspec import Meta

from hub.rules.policy import Days, Parameters, Seconds, Times

Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
ALERTS: Final = "ALERTS"


class LifecyclePolicy(Parameters, frozen=True, kw_only=True):
    """How long a false alert keeps its rule quiet, how long one may be put aside, how far it is escalated.

    Between `night_from` and `night_to` (local) only life safety and security wake anybody.
    """

    false_cooldown_days: Days
    shelve_most_days: Days
    escalate_every_s: Seconds
    escalate_most: Times
    night_from: Clock
    night_to: Clock
