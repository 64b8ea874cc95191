"""Runs a function again and again on a thread of its own, as long as the hub runs."""

import threading
from collections.abc import Callable

import structlog

from hub.runtime.metrics import Metrics

log = structlog.get_logger(__name__)


class Ticker:
    """Calls `work` every `every_s` seconds. An error ends that turn, is logged and counted, and the next one comes."""

    def __init__(self, name: str, every_s: float, work: Callable[[], None], metrics: Metrics) -> None:
        self._name = name
        self._every_s = every_s
        self._work = work
        self._metrics = metrics
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first turn is at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 15.0) -> None:
        """Finish the turn in hand and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._work()
            except Exception:  # the top of a supervised task: log, and go on with the next turn
                log.exception("task.failed", task=self._name)
                self._metrics.task_failures.labels(self._name).inc()
            self._stopping.wait(self._every_s)
