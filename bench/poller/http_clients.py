"""Compares the CPU time of the poller's HTTP pool with that of aiohttp.

Both send the requests that a message costs: its Delete Message and its share of a Get Messages.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Final

import aiohttp
import uvloop
from yarl import URL

from azure_queue import development_account
from azure_queue.auth import SharedKeyAuth
from azure_queue.http_pool import HttpPool, Response
from azure_queue.rest_client import HttpClient, RestClient
from azure_queue.service import PAGE_SIZE
from azure_queue.xml_codec import QueueMessage
from bench.poller.targets import QUEUE, double
from devstack import ports

CONCURRENT_RECEIVES: Final = 2
CONCURRENT_DELETES: Final = 64
LEASE_S: Final = 30


class AiohttpClient:
    """aiohttp without the features that these requests do not need."""

    def __init__(self, port: int) -> None:
        self._origin = f"http://{ports.HOST}:{port}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            timeout=aiohttp.ClientTimeout(total=10),
        )

    async def request(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> Response:
        url = URL(self._origin + target, encoded=True)
        async with self._session.request(
            method, url, headers=dict(headers), data=body or None, allow_redirects=False
        ) as response:
            received = {name.lower(): value for name, value in response.raw_headers}
            return Response(response.status, received, await response.read())

    async def close(self) -> None:
        await self._session.close()


CLIENTS: Final[dict[str, Callable[[int], HttpClient]]] = {
    "HTTP pool": lambda port: HttpPool(ports.HOST, port, None),
    "aiohttp": AiohttpClient,
}


def measure(messages: int, rounds: int) -> dict[str, float]:
    """Return the CPU time of each client in µs a message: the median of rounds, taken in turns."""
    return uvloop.run(_measure(messages, rounds))


async def _measure(messages: int, rounds: int) -> dict[str, float]:
    figures: dict[str, list[float]] = {name: [] for name in CLIENTS}
    async with double(0) as target:
        for _ in range(rounds):
            for name, create in CLIENTS.items():
                await target.fill(["x" * 150] * messages)
                figures[name].append(await _cpu_us(create(target.port), target.port, messages))
    return {name: statistics.median(some) for name, some in figures.items()}


async def _cpu_us(http: HttpClient, port: int, messages: int) -> float:
    """Empty the queue; returns the CPU time of this process in µs a message."""
    auth = SharedKeyAuth(development_account.ACCOUNT_NAME, development_account.ACCOUNT_KEY)
    queue = RestClient(f"{development_account.queue_endpoint(port)}/{QUEUE}", auth, http)
    free = asyncio.Semaphore(CONCURRENT_DELETES)

    async def delete(message: QueueMessage) -> None:
        async with free:
            await queue.delete(message.id, message.pop_receipt)

    async def empty() -> None:
        while page := (await queue.receive(PAGE_SIZE, LEASE_S))[0]:
            await asyncio.gather(*map(delete, page))

    started = time.process_time()
    await asyncio.gather(*(empty() for _ in range(CONCURRENT_RECEIVES)))
    elapsed = time.process_time() - started
    await queue.close()
    return elapsed / messages * 1e6
