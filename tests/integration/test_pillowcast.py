"""`pillowcast` beside real services: why a pillow is grey, what passes, and what a client gets."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import jwt
import pytest

from devstack.azurite import Azurite
from devstack.broker import Broker
from ops.explain.verdict import Verdict
from tests.commands import run_to_end
from tests.deployment import Deployment, deployed, explain, free_port
from tests.gateway import Gateway, connect_publisher, state
from tests.poller import Poller, put, spawned
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

COMMAND = Path(sys.executable).parent / "pillowcast"

EXPIRE_S = 3

WITHIN_S = 60.0
"""How long a command may take on a busy machine."""


@pytest.fixture(scope="module")
async def stack(broker: Broker, azurite: Azurite) -> AsyncIterator[Deployment]:
    """A poller and a gateway for which a pillow is silent after three seconds."""
    async with deployed(broker, azurite, GATEWAY_EXPIRE_AFTER=f"{EXPIRE_S}") as deployment:
        yield deployment


async def run(stack: Deployment, *words: str, **env: str) -> tuple[str, str, int | None]:
    """Run the command; return its output, its errors and its status."""
    out, err, status = await run_to_end(
        COMMAND, *words, env={**os.environ, **stack.env, **env}, within_s=WITHIN_S
    )
    return out.decode(), err.decode(), status


@asynccontextmanager
async def running(stack: Deployment, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the command beside the test; it is killed if it has not ended then."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *words,
        env={**os.environ, **stack.env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def explained(
    stack: Deployment, pillow: str, code: str, token: str | None = None, **env: str
) -> Verdict:
    """Ask until the first reason is this one."""
    async with asyncio.timeout(40):
        while True:
            verdict = await explain({**stack.env, **env}, pillow, token)
            if verdict.reasons[0].code == code:
                return verdict


async def test_each_cause_of_a_grey_pillow_of_the_queue(stack: Deployment) -> None:
    """From one that nobody has heard of, to one whose messages nobody takes."""
    await explained(stack, "cloud-1", "never-heard")
    message = {"pillow": "cloud-1", "state": "hugging"}
    # Nothing is silent for this one, however long the questions take.
    patient = Gateway(stack.broker, stack.prefix, INSTANCE="g2", GATEWAY_EXPIRE_AFTER="86400")
    ports = {"GATEWAY_PORT": str(patient.port), "GATEWAY_OPS_PORT": str(patient.ops_port)}
    async with patient:
        await put(stack.azurite, stack.queue, [json.dumps(message)])
        assert (await explained(stack, "cloud-1", "not-grey", **ports)).is_grey is False
    assert (await explained(stack, "cloud-1", "silent")).is_grey is True

    await put(stack.azurite, stack.queue, [json.dumps({**message, "state": "dancing"})])
    verdict = await explained(stack, "cloud-1", "dead-letter")
    assert "unknown-state" in verdict.reasons[0].sentence

    old = {**message, "at": "2026-01-01T00:00:00Z"}
    await put(stack.azurite, stack.queue, [json.dumps(old)])
    async with asyncio.timeout(40):
        while "superseded" not in [one.code for one in verdict.reasons]:
            verdict = await explain(stack.env, "cloud-1")

    out, _, status = await run(stack, "remove", "cloud-1")
    assert (out, status) == ("removed cloud-1\n", 0)
    await explained(stack, "cloud-1", "removed")


async def test_availability_and_a_message_that_the_gateway_refuses(stack: Deployment) -> None:
    async with connect_publisher(stack.broker, stack.prefix) as pillows:
        await pillows.publish(state("cloud-2"))
        await pillows.publish_availability("cloud-2", b"offline")
        verdict = await explained(stack, "cloud-2", "offline")
        assert "last will" in verdict.reasons[0].sentence
        await pillows.publish(b"{}", pillow="cloud-3")
        refused = await explained(stack, "cloud-3", "refused")

    assert "cloud-3" in refused.reasons[0].sentence


async def test_a_poller_that_does_not_run_or_has_no_queue(
    stack: Deployment, broker: Broker, azurite: Azurite
) -> None:
    """As one operator sees it who has another poller's port in the environment."""
    poller = Poller(
        stack.queue,
        f"{stack.prefix}x",
        broker,
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string.replace(
            str(azurite.port), free_port()
        ),
    )
    alone = {"TOPIC_PREFIX": poller.prefix}
    await explained(stack, "cloud-7", "poller-down", POLLER_PORT=free_port(), **alone)
    async with spawned(poller):
        port = str(poller.port)

        async def has_tried_the_queue() -> bool:
            verdict = await explained(stack, "cloud-7", "queue-down", POLLER_PORT=port, **alone)
            return "no response from" in verdict.reasons[0].sentence

        await eventually(has_tried_the_queue, "the poller's first request")


async def test_a_broker_that_is_down_and_a_token_that_does_not_permit_the_pillow(
    stack: Deployment,
) -> None:
    secret = "a-secret-of-thirty-two-bytes-at-least"
    own = Broker(kind="mosquitto", topic_prefix="+")
    gateway = Gateway(
        own,
        stack.prefix,
        INSTANCE="g3",
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=secret,
        GATEWAY_EXPIRE_AFTER="86400",
    )
    claims = {"exp": time.time() + 600, "pillows": ["cloud-8"]}
    token = jwt.encode(claims, secret, algorithm="HS256")
    async with own, gateway:
        env = {
            "MQTT_URL": own.url_for("operator"),
            "GATEWAY_PORT": str(gateway.port),
            "GATEWAY_OPS_PORT": str(gateway.ops_port),
        }
        async with connect_publisher(own, stack.prefix) as pillows:
            await pillows.publish(state("cloud-9"))

        async def has_tried_the_token() -> bool:
            verdict = await explained(stack, "cloud-9", "not-grey", token, **env)
            codes = [one.code for one in verdict.reasons]
            return codes == ["not-grey", "token"] and (
                "does not permit 'cloud-9'" in verdict.reasons[1].sentence
            )

        # A gateway that is busy for three seconds has not answered.
        await eventually(has_tried_the_token, "what the gateway says of the token")
        await own.stop()
        await explained(stack, "cloud-9", "broker-down", **env)


async def test_tail_and_bench_follow_states_from_the_queue_to_a_client(stack: Deployment) -> None:
    async with running(stack, "tail", "--count", "6", "--json") as tail:
        assert tail.stderr is not None
        async with asyncio.timeout(WITHIN_S):
            # It shows what comes from then on.
            awaited = {"mqtt: works", "websocket: works"}
            while awaited:
                line = (await tail.stderr.readline()).decode()
                assert line, "it has ended"
                awaited.discard(line.strip())
        benched = json.loads((await run(stack, "bench", "-n", "6", "--rate", "5", "--json"))[0])
        async with asyncio.timeout(WITHIN_S):
            out, _ = await tail.communicate()
    rows = [json.loads(line) for line in out.splitlines()]

    assert benched["arrived"] == benched["sent"] == 6
    assert 0 < benched["p50_ms"] < 20_000
    assert len(rows) == 6
    assert {row["pillow"][:6] for row in rows} == {"bench-"}
    assert all(row["websocket_ms"] is not None for row in rows)
    assert all(row["waited_ms"] >= 0 and row["mqtt_ms"] >= 0 for row in rows)


async def test_trace_client_prints_what_a_connection_is_sent(stack: Deployment) -> None:
    async with AsyncExitStack() as commands:
        async with stack.gateway.connect("?pillow=cloud-5") as client:
            await client.receive_snapshot()
            listed, _, _ = await run(stack, "trace-client", "--json")
            [mine] = [
                one
                for one in map(json.loads, listed.splitlines())
                if one["follows"]["names"] == ["cloud-5"]
            ]
            tracing = await commands.enter_async_context(
                running(stack, "trace-client", mine["id"], "--json")
            )
            assert tracing.stdout is not None
            first = asyncio.ensure_future(tracing.stdout.readline())
            async with connect_publisher(stack.broker, stack.prefix) as pillows:
                # Until the command has something of the trace, which begins with its request.
                async with asyncio.timeout(WITHIN_S):
                    while not first.done():
                        await pillows.publish(state("cloud-5", "spinning"))
                        await asyncio.wait((first,), timeout=0.2)
        async with asyncio.timeout(WITHIN_S):
            rest, err = await tracing.communicate()

    assert tracing.returncode == 0, err
    events = [json.loads(line) for line in (first.result() + rest).splitlines()]
    assert {one["what"] for one in events} == {"update", "left"}
    assert "spinning" in events[0]["frames"][0]
    assert b"no client" in err
