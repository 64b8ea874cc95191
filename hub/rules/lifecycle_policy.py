"""The numbers of the alerts' life, kept in the rule packs under `ALERTS`."""

from typing import Final

from hub.rules.policy import Days, Parameters, Seconds, Times

ALERTS: Final = "ALERTS"


class LifecyclePolicy(Parameters, frozen=True, kw_only=True):
    """How long a false alert keeps its rule quiet, how long one may be put aside, how far it is escalated."""

    false_cooldown_days: Days
    shelve_most_days: Days
    escalate_every_s: Seconds
    escalate_most: Times
