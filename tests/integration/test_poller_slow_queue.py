"""The poller beside a queue that answers slowly: its leases are short for what requests take."""

import asyncio
import random
from typing import Any

import pytest

from devstack.azurite import Azurite
from devstack.broker import Broker
from tests.fire.queue_proxy import QueueProxy
from tests.poller import (
    Poller,
    created_queue,
    numbered,
    put,
    retained_states,
    wait_empty,
)
from tests.service_process import WITHIN_S

pytestmark = pytest.mark.timeout(180)


class PacedProxy(QueueProxy):
    """A proxy before Azurite that passes requests on at a fixed rate, however fast Azurite is."""

    def __init__(self, upstream: int, requests_a_second: float) -> None:
        super().__init__(upstream, random.Random(0))
        self._each_s = 1 / requests_a_second
        self._turn = asyncio.Lock()

    async def _exchange(self, request: bytes, writer: asyncio.StreamWriter, up: Any) -> bool:
        async with self._turn:
            await asyncio.sleep(self._each_s)
        return await super()._exchange(request, writer, up)


async def test_60_requests_a_second_and_a_lease_of_2_s_make_progress(
    azurite: Azurite, broker: Broker, prefix: str, queue_name: str
) -> None:
    """Otherwise 256 messages wait for their deletion until all their leases are over."""
    await put(azurite, queue_name, [numbered(number) for number in range(256)])
    async with PacedProxy(azurite.port, 60) as proxy:
        poller = Poller(
            queue_name,
            prefix,
            broker,
            AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string.replace(
                f":{azurite.port}/", f":{proxy.port}/"
            ),
            POLLER_VISIBILITY_TIMEOUT="2",
        )
        async with poller:
            await wait_empty(azurite, queue_name, poller)
            counts = await poller.check_counts()
            assert proxy.errors == []

    assert counts["received"] < 2 * 256
    assert counts["dead_lettered"] == 0
    assert len(await retained_states(broker, prefix, 256)) == 256


async def test_sigterm_at_60_requests_a_second_gives_every_message_back(
    azurite: Azurite, prefix: str, queue_name: str
) -> None:
    """Their leases last five minutes, and the broker is silent: 150 of 400 stayed hidden."""
    async with Broker(topic_prefix=prefix) as broker, PacedProxy(azurite.port, 60) as proxy:
        poller = Poller(
            queue_name,
            prefix,
            broker,
            AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string.replace(
                f":{azurite.port}/", f":{proxy.port}/"
            ),
            POLLER_VISIBILITY_TIMEOUT="300",
        )
        async with poller:
            broker.pause()
            try:
                await put(azurite, queue_name, [numbered(number) for number in range(400)])
                await poller.log.wait_for("broker lost", within_s=WITHIN_S)
                poller.terminate()
                assert await poller.exit_status() == 0
            finally:
                broker.resume()
        async with created_queue(azurite, queue_name) as client:
            left = [one async for one in client.receive_messages(messages_per_page=32)]

    assert len(left) == 400
    assert "not given back" not in poller.log.text
