"""Alembic's revisions: one after the other, never changed once released."""
