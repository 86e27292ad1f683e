"""What the commands have in common: options, settings, and how they end."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, Final, NoReturn

import typer

from contract.topics import is_pillow_id
from ops.rendering import ERR, clean
from runtime.command_line import discard_output
from runtime.lifecycle import exit_with_usage
from runtime.logs import configure_logs
from runtime.settings import SettingsError

COMMAND: Final = "pillowcast"

PollerUrl = Annotated[
    str | None,
    typer.Option(
        "--poller",
        metavar="URL",
        envvar="PILLOWCAST_POLLER",
        help="The poller's port, like http://poller:8081; of POLLER_HOST and POLLER_PORT unless "
        "given. A name with several addresses stands for several pollers.",
    ),
]
GatewayUrl = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        metavar="URL",
        envvar="PILLOWCAST_GATEWAY",
        help="The gateway's ops port, like http://gateway:8082; of GATEWAY_OPS_HOST and "
        "GATEWAY_OPS_PORT unless given.",
    ),
]
NotifierUrl = Annotated[
    str | None,
    typer.Option(
        "--notifier",
        metavar="URL",
        envvar="PILLOWCAST_NOTIFIER",
        help="The notifier's port, like http://notifier:8083; of NOTIFIER_HOST and NOTIFIER_PORT "
        "where a setting of the notifier is set.",
    ),
]
PublicUrl = Annotated[
    str | None,
    typer.Option(
        "--page",
        metavar="URL",
        envvar="PILLOWCAST_PAGE",
        help="The gateway's public address, like http://gateway:8080; of GATEWAY_HOST and "
        "GATEWAY_PORT unless given.",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        envvar="PILLOWCAST_TOKEN",
        help="A viewer's token, where the gateway asks for one (GATEWAY_AUTH=jwt).",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]


def checked_pillow(command: str, pillow: str) -> str:
    """Return the id of a pillow, or end with status 2."""
    if not is_pillow_id(pillow):
        exit_with_usage(
            f"{COMMAND} {command}",
            f"{pillow!r} is no pillow's id: a-z, 0-9 and hyphens, at most 63, like cloud-1",
        )
    return pillow


def run_and_exit(command: str, coroutine: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a command, and end the process at once with its status, whatever still hangs.

    A name server that does not answer would otherwise be waited for.
    """
    configure_logs(COMMAND, level="error", style="console")
    status = 1
    try:
        status = asyncio.run(_finished(coroutine))
    except SettingsError as error:
        ERR.print(clean(f"{COMMAND} {command}: {error}"))
        status = 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        status = 130
    except BrokenPipeError:
        discard_output()
    _end(status)


async def _finished(coroutine: Coroutine[Any, Any, int]) -> int:
    status = await coroutine
    # Before the event loop is closed, which waits for its threads.
    _end(status)


def _end(status: int) -> NoReturn:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = status or 1
    os._exit(status)
