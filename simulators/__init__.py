"""Peers that speak the real protocols, so that all of it runs with no hardware."""
