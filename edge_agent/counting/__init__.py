"""Detect, track, cross, count: people at a line, without knowing who they are."""
