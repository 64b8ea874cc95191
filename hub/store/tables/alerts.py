"""Alerts, their evidence and actions, and the log of changes that open pages follow."""
