"""Runs migrations on the connection that the caller gives."""

from alembic import context

from history.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="history_version",
)
context.run_migrations()
