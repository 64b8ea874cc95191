"""Readings and a profile to wire events."""
