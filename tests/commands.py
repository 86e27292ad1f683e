"""Run a command until it ends."""

import asyncio
from collections.abc import Mapping
from pathlib import Path


async def run_to_end(
    *command: str | Path, env: Mapping[str, str], within_s: float
) -> tuple[bytes, bytes, int | None]:
    """Return standard output, standard error and exit status; kill the process after `within_s`."""
    running = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env,
    )
    try:
        async with asyncio.timeout(within_s):
            out, err = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    return out, err, running.returncode
