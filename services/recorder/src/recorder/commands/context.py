"""What every command needs: settings, the database, a place for sentences, and an exit status."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from history.database import open_database
from history.errors import database_error
from recorder.migrate import NewerSchema, migrate
from recorder.recording import FAILURES
from recorder.settings import RecorderSettings, load_settings
from runtime.redaction import redact
from runtime.startup import load_for_command

COMMAND = "recorder"


class CommandFailed(Exception):
    """A command cannot do what it was asked for; the message says why."""


def error_console() -> Console:
    """Return where sentences and progress go that are no result."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def run_and_exit(
    work: Callable[[AsyncEngine, RecorderSettings], Awaitable[None]],
    *,
    read_only: bool,
    given: Mapping[str, object] | None = None,
) -> NoReturn:
    """Run a command on the database, and exit: 0 when it is done, 1 when not, 2 for settings."""
    settings = load_for_command(
        COMMAND, load_settings, level="warning", style="console", **(given or {})
    )
    try:
        asyncio.run(_run(work, settings, read_only=read_only))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None
    except (CommandFailed, NewerSchema) as error:
        sys.stderr.write(f"{COMMAND}: {error}\n")
        raise SystemExit(1) from None
    except FAILURES as error:
        sys.stderr.write(redact(f"{COMMAND}: {settings.database}: {database_error(error)}\n"))
        raise SystemExit(1) from None
    raise SystemExit(0)


async def _run(
    work: Callable[[AsyncEngine, RecorderSettings], Awaitable[None]],
    settings: RecorderSettings,
    *,
    read_only: bool,
) -> None:
    path = settings.database.path
    if path is not None and not path.is_file():
        # It would be made, and its emptiness taken for that of the right one.
        raise CommandFailed(f"{path} is not there; HISTORY_URL names the recorder's database")
    engine = open_database(settings.database, read_only=read_only)
    try:
        if not read_only:
            await migrate(engine)
        await work(engine, settings)
    finally:
        await engine.dispose()
