"""Migrations of the schema: a start makes the tables, or brings them to this release."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

VERSION_TABLE: Final = "history_version"


class NewerSchema(Exception):
    """The database was written by a later release; the message says what to do."""


async def migrate(engine: AsyncEngine) -> None:
    """Bring the tables to this release's version; raises NewerSchema, SQLAlchemyError, OSError."""
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("recorder"))) / "migrations"))
    config.attributes["connection"] = connection
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current = context.get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise NewerSchema(
            f"the database has version {current} of a later release; use that release, or another "
            "HISTORY_URL"
        )
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise NewerSchema(str(error)) from None
