"""The program under test for Pillowcast's Python client: reports what the client tells it."""

import asyncio
import json
import os
import sys

from pillowcast import Client, RefusedError, connect


def report(**line: object) -> None:
    """Print a line."""
    print(json.dumps(line), flush=True)


async def follow(client: Client) -> None:
    """Report every update, and a refusal."""
    try:
        async for update in client:
            report(pillow=update.pillow, state=update.state)
    except RefusedError as error:
        report(refused=error.code)


async def main() -> None:
    """Follow until standard input ends."""
    names = os.environ["PILLOWCAST_PILLOWS"]
    client = connect(
        os.environ["PILLOWCAST_URL"],
        None if names == "all" else names.split(","),
        token=os.environ["PILLOWCAST_TOKEN"] or None,
        on_connection=lambda one: report(live=one.connection == "live"),
        on_watching=lambda one: report(watching=one.watching),
        proxy=None,
    )
    async with client:
        following = asyncio.create_task(follow(client))
        await asyncio.to_thread(sys.stdin.read)
        await client.close()
        await following


asyncio.run(main())
