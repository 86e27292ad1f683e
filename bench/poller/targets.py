"""The queue services on which the clients are measured: the double, and Azurite."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import httpx
from azure.storage.queue.aio import QueueClient

from azure_queue import development_account
from azure_queue.account import CLIENT_OPTIONS
from devstack import ports
from devstack.azurite import Azurite
from devstack.node import find_node
from devstack.probes import http_answers
from devstack.processes import Program, Timeouts

QUEUE: Final = "pillow-state"


class Target(Protocol):
    """A queue that the bench fills and counts; `port` is that of its queue service."""

    port: int
    program: Program

    async def fill(self, texts: list[str]) -> None:
        """Put messages on the queue."""

    async def count(self) -> int:
        """Return the number of messages, leased ones included."""


@dataclass
class QueueDouble:
    """The queue double: a request costs the same at every depth."""

    port: int
    program: Program
    client: httpx.AsyncClient

    async def fill(self, texts: list[str]) -> None:
        for start in range(0, len(texts), 5000):
            body = "\n".join(texts[start : start + 5000])
            (await self.client.post("messages?lines=1", content=body)).raise_for_status()

    async def count(self) -> int:
        response = await self.client.get("?comp=metadata")
        return int(response.headers["x-ms-approximate-messages-count"])


@dataclass
class AzuriteQueue:
    """A queue of an Azurite that keeps its data in memory."""

    port: int
    program: Program
    client: QueueClient

    async def fill(self, texts: list[str]) -> None:
        for start in range(0, len(texts), 16):
            await asyncio.gather(*map(self.client.send_message, texts[start : start + 16]))

    async def count(self) -> int:
        return (await self.client.get_queue_properties()).approximate_message_count or 0


@asynccontextmanager
async def double(delay_ms: int, jitter_ms: int = 0) -> AsyncIterator[Target]:
    """Start the double, with a delay added to every response, and up to as much jitter to a Get."""
    port = ports.free()
    program = Program(
        "double",
        [
            find_node(),
            Path(__file__).with_name("queue_double.mjs"),
            *map(str, (port, delay_ms, jitter_ms)),
        ],
        ready=partial(http_answers, ports.HOST, port, "/"),
        timeouts=Timeouts(stop_s=0.5),
    )
    url = f"{development_account.queue_endpoint(port)}/{QUEUE}"
    async with program, httpx.AsyncClient(base_url=f"{url}/", trust_env=False, timeout=60) as http:
        (await http.put(url)).raise_for_status()
        yield QueueDouble(port, program, http)


@asynccontextmanager
async def azurite(*, in_memory: bool = True) -> AsyncIterator[Target]:
    """Start Azurite with an empty queue; `in_memory` for runs of less than a minute."""
    async with (
        Azurite(in_memory=in_memory) as program,
        QueueClient.from_connection_string(
            program.connection_string, QUEUE, **CLIENT_OPTIONS
        ) as client,
    ):
        await client.create_queue()
        yield AzuriteQueue(program.port, program, client)
