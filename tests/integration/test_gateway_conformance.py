"""The gateway conforms to the golden sessions for gateways."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from conformance.gateway.runner import read_sessions, run_sessions
from conformance.gateway.target import Publisher, Target, connect_publisher
from conformance.published import Published
from conformance.result import Result, shown

from devstack.broker import Broker
from tests.gateway import Gateway
from tests.machine import need_mosquitto

SECRET = "secret-of-conformance-0123456789abcdef"
SESSIONS = read_sessions()

WITH_SHORT_INTERVALS = """\
import contract.frames
contract.frames.HEARTBEAT_S = 4
from gateway.__main__ import main
main()
"""


class ImpatientGateway(Gateway):
    """A gateway whose heartbeats are four seconds apart, so that no test waits for twenty."""

    def __init__(self, broker: Broker, prefix: str) -> None:
        super().__init__(broker, prefix, GATEWAY_EXPIRE_AFTER="3600")
        self.command = [sys.executable, "-c", WITH_SHORT_INTERVALS]


def publisher_url(broker: Broker) -> str:
    """Return the broker's URL with a user that may write every pillow."""
    return broker.url_for("simulator")


@asynccontextmanager
async def target(
    broker: Broker, prefix: str, gateway: Gateway, **controls: Any
) -> AsyncIterator[Target]:
    """Connect the kit to a gateway."""
    async with connect_publisher(publisher_url(broker), prefix) as publisher:
        published = Published(strict=True)
        yield Target(gateway.url, publisher, published, SECRET, controls)


def assert_conforms(results: list[Result], *, profile: str) -> None:
    """Assert that every session of a profile was run and passed."""
    sys.stdout.write(shown(results) + "\n")
    expected = sum(len(one.transports) for one in SESSIONS.values() if one.profile == profile)

    assert [one for one in results if not one.passed] == []
    assert len(results) == expected


@pytest.mark.timeout(120)
async def test_the_gateway_conforms(prefix: str) -> None:
    """Everything that needs no token; it is restarted, and its broker is stopped and started."""
    need_mosquitto()
    async with Broker(kind="mosquitto", topic_prefix="+") as broker:
        gateway = ImpatientGateway(broker, prefix)

        async def restart() -> None:
            await gateway.stop()
            await gateway.start()

        async with gateway:
            controls = {
                "restart": restart,
                "broker-stop": broker.stop,
                "broker-start": broker.start,
            }
            async with target(broker, prefix, gateway, **controls) as tried:
                results = await run_sessions(SESSIONS, tried, profile="open")
            gateway.assert_log_is_clean()
    assert_conforms(results, profile="open")


class Retyping(Publisher):
    """Publishes every state with other white space, as a gateway would send that decodes it."""

    async def state(self, pillow: str, payload: bytes) -> None:
        """Publish it retyped."""
        retyped = json.dumps(json.loads(payload), indent=1).encode() if payload else b""
        await super().state(pillow, retyped)


async def test_a_gateway_that_changes_states_does_not_conform(broker: Broker, prefix: str) -> None:
    """And the result says what came, and what should have."""
    publisher = Retyping(publisher_url(broker), prefix)
    await publisher.open()
    async with Gateway(broker, prefix) as gateway:
        tried = Target(gateway.url, publisher, Published())
        chosen = {name: SESSIONS[name] for name in ("byte-for-byte",)}
        results = await run_sessions(chosen, tried, profile="open")
        await publisher.close()

    assert [one.passed for one in results] == [False, False]
    assert "byte for byte" in results[0].detail


async def test_a_gateway_that_asks_for_tokens_conforms(broker: Broker, prefix: str) -> None:
    """With tokens by header, subprotocol and message."""
    asking = Gateway(
        broker,
        prefix,
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=SECRET,
        GATEWAY_JWT_LEEWAY="0",
        GATEWAY_EXPIRE_AFTER="3600",
    )
    async with (
        asking as gateway,
        target(broker, prefix, gateway) as tried,
    ):
        results = await run_sessions(SESSIONS, tried, profile="auth")
    assert_conforms(results, profile="auth")


async def test_a_full_gateway_conforms(broker: Broker, prefix: str) -> None:
    """Two clients are all that it takes."""
    async with (
        Gateway(broker, prefix, GATEWAY_MAX_BROWSERS="2") as gateway,
        target(broker, prefix, gateway) as tried,
    ):
        results = await run_sessions(SESSIONS, tried, profile="full")
    assert_conforms(results, profile="full")
