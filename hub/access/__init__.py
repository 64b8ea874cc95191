"""Define roles and rights, and keep users, sessions, links and tokens."""
