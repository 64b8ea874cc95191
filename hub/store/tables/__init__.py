"""Every table, so that migrations see them all."""

from hub.store.tables import access, alerts, authority, changes, household, ingest, registry, retention

__all__ = ["access", "alerts", "authority", "changes", "household", "ingest", "registry", "retention"]
