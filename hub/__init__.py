"""Takes events from gateways, stores each once, and raises alerts that people review."""
