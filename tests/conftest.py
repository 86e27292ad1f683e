"""Shared fixtures: a broker and a queue service for the session, and unique names."""

import gc
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import structlog

from devstack.azurite import Azurite
from devstack.broker import Broker
from tests import hypothesis_profiles, worker_ports
from tests.machine import need_mosquitto

hypothesis_profiles.register()
worker_ports.divide()

# A shell that starts the tests in the background has them ignore Ctrl-C, and all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """What a command that runs in this process configures ends with the test."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        root.setLevel(before[0])
        root.handlers[:] = before[1]


@pytest.fixture
def without_garbage_collection() -> Iterator[None]:
    """For limits of time: its own grows with what all other tests of this process have left."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
async def broker() -> AsyncIterator[Broker]:
    """Mosquitto with the repository's configuration and an ACL for every one-level prefix.

    A test that stops or kills a broker starts its own.
    """
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as started:
        yield started


@pytest.fixture(scope="session")
async def azurite() -> AsyncIterator[Azurite]:
    """Azurite."""
    async with Azurite() as started:
        yield started


@pytest.fixture
def prefix() -> str:
    """A unique topic prefix."""
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
def queue_name() -> str:
    """A unique queue name."""
    return f"q{uuid4().hex[:12]}"
