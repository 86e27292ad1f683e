"""A publisher for the gateway of each test module."""

from collections.abc import AsyncIterator

import pytest

from tests.gateway import Gateway, Publisher, connect_publisher


@pytest.fixture(scope="module")
async def cloud(gateway: Gateway) -> AsyncIterator[Publisher]:
    """A publisher on the prefix of the module's `gateway`."""
    async with connect_publisher(gateway.broker, gateway.prefix) as publisher:
        yield publisher
