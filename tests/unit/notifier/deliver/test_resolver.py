"""The resolver of a destination."""

import asyncio
import socket
import threading

import pytest

from notifier.deliver.resolver import Resolver


async def test_a_name_has_addresses() -> None:
    resolver = Resolver()
    found = await resolver.resolve("localhost", 80)
    await resolver.close()

    assert {"127.0.0.1", "::1"} & {one["host"] for one in found}
    assert {one["port"] for one in found} == {80}


async def test_names_that_are_not_answered_delay_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many they are."""
    answers, ask = threading.Event(), socket.getaddrinfo

    def slow(host: str, *given: object, **more: object) -> object:
        if host.startswith("slow"):
            answers.wait(10)
        return ask("localhost", *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    resolvers = [Resolver() for _ in range(30)]
    waiting = [one.resolve(f"slow-{number}", 80) for number, one in enumerate(resolvers[1:])]
    tasks = [asyncio.create_task(one) for one in waiting]
    assert await resolvers[0].resolve("quick", 80)
    assert not any(task.done() for task in tasks)
    answers.set()
    await asyncio.gather(*tasks)
    for one in resolvers:
        await one.close()
