"""Assemble what pages and reports show from the registry, the alerts and the observed state. Read only."""
