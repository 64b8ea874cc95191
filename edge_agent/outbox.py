"""The durable queue: SQLite, numbering without holes, dead letters."""
