"""The queues that contenders are run against: the double, and Azurite."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import httpx
from azure.storage.queue.aio import QueueClient

from devstack import ports
from devstack.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from devstack.node import find_node
from devstack.probes import http_answers
from devstack.processes import Program

QUEUE: Final = "pillow-state"


class Target(Protocol):
    """A queue that can be filled and counted."""

    name: str
    connection_string: str
    program: Program

    async def fill(self, texts: list[str]) -> None:
        """Put messages on the queue."""

    async def left(self) -> int:
        """Return how many messages there are, received ones included."""


@dataclass
class Double:
    """The queue double: every request costs the same, whatever the depth."""

    name: str
    connection_string: str
    program: Program
    client: httpx.AsyncClient

    async def fill(self, texts: list[str]) -> None:
        for start in range(0, len(texts), 5000):
            body = "\n".join(texts[start : start + 5000])
            (await self.client.post("messages?lines=1", content=body)).raise_for_status()

    async def left(self) -> int:
        answer = await self.client.get("?comp=metadata")
        return int(answer.headers["x-ms-approximate-messages-count"])


@dataclass
class Real:
    """Azurite, in memory."""

    name: str
    connection_string: str
    program: Program
    client: QueueClient

    async def fill(self, texts: list[str]) -> None:
        for start in range(0, len(texts), 16):
            await asyncio.gather(*map(self.client.send_message, texts[start : start + 16]))

    async def left(self) -> int:
        return (await self.client.get_queue_properties()).approximate_message_count or 0


@asynccontextmanager
async def double(delay_ms: int) -> AsyncIterator[Target]:
    """Start the double, with so much added to every answer."""
    port = ports.free()
    program = Program(
        "double",
        [find_node(), Path(__file__).with_name("queue_double.mjs"), str(port), str(delay_ms)],
        ready=partial(http_answers, ports.HOST, port, "/"),
        stop_within_s=0.5,
    )
    base = f"http://{ports.HOST}:{port}/{ACCOUNT}/{QUEUE}/"
    async with program, httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client:
        (await client.put(f"http://{ports.HOST}:{port}/{ACCOUNT}/{QUEUE}")).raise_for_status()
        yield Double(f"double, {delay_ms} ms", _connection_string(port), program, client)


@asynccontextmanager
async def azurite() -> AsyncIterator[Target]:
    """Start Azurite with an empty queue."""
    async with (
        Azurite() as program,
        QueueClient.from_connection_string(
            program.connection_string, QUEUE, api_version="2025-11-05", use_env_settings=False
        ) as client,
    ):
        await client.create_queue()
        yield Real("Azurite", program.connection_string, program, client)


def _connection_string(port: int) -> str:
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"QueueEndpoint=http://{ports.HOST}:{port}/{ACCOUNT};"
    )
