"""Users, sessions, API tokens and the audit trail."""
