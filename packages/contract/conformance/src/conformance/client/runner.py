"""Runs sessions against a client, each with a server and a process of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from conformance import session_format
from conformance.client.program import Program
from conformance.client.session import SessionRun
from conformance.client.steps import Session
from conformance.published import Published
from conformance.result import Result
from conformance.session_format import Failure, Transport

_AT_ONCE: Final = 16


def read_sessions() -> dict[str, Session]:
    """Return the sessions of the kit, by the names of their files."""
    return session_format.read_sessions("client", Session)


async def run_sessions(
    sessions: Mapping[str, Session],
    command: str,
    published: Published,
    *,
    transports: Sequence[Transport] = ("websocket", "events"),
) -> list[Result]:
    """Run sessions by the transports that the client has."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def run_one(name: str, session: Session, transport: Transport) -> Result:
        title = f"{name} ({transport})"
        async with places:
            try:
                await SessionRun(session, Program(command), published).run(transport)
            except Failure as failure:
                return Result(title, False, str(failure))
        return Result(title, True, session.about)

    return await asyncio.gather(
        *(
            run_one(name, session, transport)
            for name, session in sessions.items()
            for transport in session.transports
            if transport in transports
        )
    )
