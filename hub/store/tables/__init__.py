"""Every table, so that migrations see them all."""

from hub.store.tables import access, alerts, changes, household, ingest, registry, retention

__all__ = ["access", "alerts", "changes", "household", "ingest", "registry", "retention"]
