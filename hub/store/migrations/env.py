"""Alembic's entry: runs revisions on the connection that `hub.store.migrate` holds."""

from alembic import context
from sqlmodel import SQLModel

from hub.store import tables

assert tables.__all__
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
