"""The demo: a hub, a broker, a gateway and a house full of devices, started, watched, checked and stopped."""
