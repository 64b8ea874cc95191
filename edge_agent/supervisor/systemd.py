"""Tells systemd that the agent is ready, alive and stopping (sd_notify(3)), when systemd asks for it."""

import os

import sdnotify

from wire.clock import Clock


class Systemd:
    """Does nothing where NOTIFY_SOCKET is not set."""

    def __init__(self) -> None:
        self._notifier = sdnotify.SystemdNotifier()
        watchdog_us = os.environ.get("WATCHDOG_USEC", "")
        self._watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() else None

    def ready(self, status: str) -> None:
        """The agent takes events from now on."""
        self._notifier.notify(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """A clean stop has begun."""
        self._notifier.notify("STOPPING=1")

    async def feed(self, clock: Clock) -> None:
        """Feed the watchdog from the event loop, three times per period: a blocked loop starves it."""
        if self._watchdog_s is None:
            return
        while True:
            self._notifier.notify("WATCHDOG=1")
            await clock.sleep(self._watchdog_s / 3)
