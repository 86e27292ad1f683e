"""What tests share: one real broker and one real queue service, and names nobody else has."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from devstack.azurite import Azurite
from devstack.broker import Broker
from tests import hypothesis_profiles
from tests.machine import need_mosquitto

hypothesis_profiles.register()


@pytest.fixture(scope="session")
async def broker() -> AsyncIterator[Broker]:
    """mosquitto with the repository's configuration and an ACL for every one-level prefix.

    Tests that stop or kill a broker start one of their own.
    """
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as started:
        yield started


@pytest.fixture(scope="session")
async def azurite() -> AsyncIterator[Azurite]:
    """A queue service in memory."""
    async with Azurite() as started:
        yield started


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
def queue_name() -> str:
    """A queue name that no other test has."""
    return f"q{uuid4().hex[:12]}"
