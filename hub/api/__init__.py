"""HTTP: JSON API, server-sent events, sessions, roles."""
