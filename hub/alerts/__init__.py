"""Lifecycle of an alert: open, merge, acknowledge, resolve."""
