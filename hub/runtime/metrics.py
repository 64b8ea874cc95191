"""What the hub counts of itself, for Prometheus. One registry per hub, not per process, so that tests can have many."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Every figure under /metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made = self.registry
        self.events = Counter("anfang_events_committed", "events stored for the first time", registry=made)
        self.batches = Counter("anfang_batches", "batches taken in, also those sent again", registry=made)
        self.rejected = Counter("anfang_batches_rejected", "messages that broke the contract", registry=made)
        self.rejected_dropped = Counter(
            "anfang_rejected_dropped", "kept rejected messages that made room for newer ones", registry=made
        )
        self.unfolded = Counter("anfang_events_unfolded", "stored events on which a rule failed", registry=made)
        self.commits = Counter("anfang_ingest_commits", "transactions of ingest", registry=made)
        self.database_failures = Counter(
            "anfang_database_failures",
            "transactions that the database refused and that were tried again",
            registry=made,
        )
        self.task_failures = Counter(
            "anfang_task_failures", "errors that ended a turn of a background task", ["task"], registry=made
        )
        self.ack_latency = Histogram(
            "anfang_ack_latency_seconds", "from a batch's arrival to its acknowledgement",
            buckets=_LATENCY_S, registry=made,
        )  # fmt: skip
        self.queue_depth = Gauge("anfang_ingest_queue_depth", "batches read and not yet committed", registry=made)
        self.broker_up = Gauge("anfang_broker_up", "sessions with the broker that are up", registry=made)
        self.change_position = Gauge("anfang_change_position", "the newest change that pages follow", registry=made)
        self.open_pages = Gauge("anfang_open_pages", "browsers that follow the changes", registry=made)
        self.database_bytes = Gauge("anfang_database_bytes", "size of the database", registry=made)
