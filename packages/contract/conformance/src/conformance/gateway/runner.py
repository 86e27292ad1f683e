"""Runs sessions against a gateway, as many at once as do not disturb each other."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from conformance import session_format
from conformance.gateway.session import SessionRun
from conformance.gateway.steps import Session
from conformance.gateway.target import Target
from conformance.result import Result
from conformance.session_format import Failure, Transport

_AT_ONCE: Final = 8

NEEDS: Final[Mapping[str, Sequence[str]]] = {
    "restart": ("restart",),
    "broker": ("broker-stop", "broker-start"),
    "alone": (),
}
"""The controls that a session needs, for each word in its `needs`."""


def read_sessions() -> dict[str, Session]:
    """Return the sessions of the kit, by the names of their files."""
    return session_format.read_sessions("gateway", Session)


async def run_sessions(
    sessions: Mapping[str, Session], target: Target, *, profile: str
) -> list[Result]:
    """Run the sessions of a profile; those that stop something run alone, behind the others."""
    together, alone, results = [], [], []
    for name, session in sessions.items():
        if session.profile != profile:
            continue
        for transport in session.transports:
            title = f"{name} ({transport})"
            missing = [
                one for need in session.needs for one in NEEDS[need] if one not in target.controls
            ]
            if missing:
                results.append(Result(title, None, f"needs --{' and --'.join(missing)}"))
            elif session.needs:
                alone.append((title, session, transport))
            else:
                together.append((title, session, transport))
    places = asyncio.Semaphore(_AT_ONCE)

    async def run_one(title: str, session: Session, transport: Transport) -> Result:
        async with places:
            return await _run(title, session, transport, target)

    results += await asyncio.gather(*(run_one(*one) for one in together))
    for one in alone:
        results.append(await _run(*one, target))
    return sorted(results, key=lambda result: result.name)


async def _run(title: str, session: Session, transport: Transport, target: Target) -> Result:
    try:
        await SessionRun(session, transport, target).run()
    except Failure as failure:
        return Result(title, False, str(failure))
    return Result(title, True, session.about)
