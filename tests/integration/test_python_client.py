"""The Python client with a real gateway: what a program sees of outages and refusals."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

import jwt
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from devstack import ports
from devstack.broker import Broker
from devstack.processes import ROOT
from pillowcast import Client, RefusedError, Update, connect
from pillowcast.update_queue import MAX_QUEUED
from tests.gateway import TIMEOUT_S, Gateway, Publisher, state
from tests.waiting import POLL_S, eventually

PREFIX = "pyclient"
README = ROOT / "packages/client/README.md"
SECRET = "secret-of-the-tokens-0123456789abcdef"


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """One gateway for all tests; each leaves it running."""
    async with Gateway(broker, PREFIX, GATEWAY_EXPIRE_AFTER="86400") as started:
        yield started
        started.assert_log_is_clean()


async def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition is true."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(POLL_S)


async def next_state(updates: AsyncIterator[Update], pillow: str, name: str | None) -> Update:
    """Read updates until a pillow has a state."""
    async with asyncio.timeout(TIMEOUT_S):
        async for update in updates:
            if (update.pillow, update.state) == (pillow, name):
                return update
    raise AssertionError(f"the loop ended before {pillow} was {name}")


async def test_a_loop_begins_with_the_known_states(gateway: Gateway, cloud: Publisher) -> None:
    """And ends what it began: the gateway has no client then."""
    await cloud.publish(state("first-1", "hugging", seq=3, battery=0.5, mood="soft"))
    async with asyncio.timeout(TIMEOUT_S):
        async for update in connect(gateway.url, ["first-1"], proxy=None):
            assert (update.pillow, update.state, update.seq) == ("first-1", "hugging", 3)
            assert update.fields["mood"] == "soft"
            assert update.current is not None
            assert update.current.battery == 0.5
            assert update.at is not None
            break

    await gateway.wait_for_metric('connections{transport="websocket"}', 0)


async def test_a_removal_and_other_pillows(gateway: Gateway, cloud: Publisher) -> None:
    """One client, one connection."""
    await cloud.publish_all([state("other-1"), state("other-2", "spinning")])
    async with connect(gateway.url, ["other-1"], proxy=None) as client:
        await client.wait_ready(TIMEOUT_S)
        assert set(client.pillows) == {"other-1"}
        assert (client.broker, client.connection) == ("online", "live")
        assert client.freshness("other-1") == "live"
        updates = aiter(client)
        await next_state(updates, "other-1", "hugging")

        client.subscribe(["other-1", "other-2"])
        await next_state(updates, "other-2", "spinning")
        await cloud.remove("other-2")
        await next_state(updates, "other-2", None)

        assert set(client.pillows) == {"other-1"}
        assert client.connections == 1


async def test_a_killed_gateway_is_an_outage_and_no_end(gateway: Gateway, cloud: Publisher) -> None:
    """Nothing is shown as live meanwhile; what changed is told by the same loop afterwards."""
    await cloud.publish(state("killed-1", "hugging"))
    seen: list[str] = []
    async with connect(
        gateway.url,
        ["killed-1"],
        on_connection=lambda one: seen.append(one.connection),
        proxy=None,
    ) as client:
        await client.wait_ready(TIMEOUT_S)
        updates = aiter(client)
        await next_state(updates, "killed-1", "hugging")
        assert client.state_to_show("killed-1") == "hugging"

        gateway.kill()
        await gateway.wait()
        await wait_for(lambda: client.status.phase == "waiting", "the loss is not noticed")
        assert client.connection == "disconnected"
        assert client.freshness("killed-1") == "stale"
        assert client.state_to_show("killed-1") == "notconnected"
        assert client.pillows["killed-1"].state == "hugging", "what was known is kept"

        await cloud.publish(state("killed-1", "spinning"))
        await gateway.start()
        client.retry()
        await next_state(updates, "killed-1", "spinning")
        assert client.connections == 2
    assert "disconnected" in seen
    assert seen.index("live") < seen.index("disconnected")


async def test_a_lost_connection_resumes_at_its_cursor(gateway: Gateway, cloud: Publisher) -> None:
    """The gateway sends only what changed, and another client resumes there too."""
    await cloud.publish_all([state("resume-1", "hugging"), state("resume-2", "hugging")])
    pillows = ["resume-1", "resume-2"]
    async with connect(gateway.url, pillows, proxy=None) as client:
        await client.wait_ready(TIMEOUT_S)
        cursor = client.cursor
    await cloud.publish(state("resume-2", "shaking"))

    async with connect(gateway.url, pillows, cursor=cursor, proxy=None) as client:
        await next_state(aiter(client), "resume-2", "shaking")

        assert set(client.pillows) == {"resume-2"}, "only what changed"


async def test_a_slow_loop_gets_the_newest_of_each_pillow(
    gateway: Gateway, cloud: Publisher
) -> None:
    """Its memory is bounded, and what it did not get is counted."""
    await cloud.publish(state("slow-1", "neutral", seq=0))
    async with connect(gateway.url, ["slow-1"], proxy=None) as client:
        await client.wait_ready(TIMEOUT_S)
        updates = aiter(client)
        await next_state(updates, "slow-1", "neutral")
        count = MAX_QUEUED + 500
        states = [state("slow-1", "hugging", seq=seq) for seq in range(1, count)]
        await cloud.publish_all([*states, state("slow-1", "throwing", seq=count)])
        await wait_for(lambda: client.pillows["slow-1"].seq == count, "not at the newest")
        assert client.superseded > 0

        got = [await anext(updates)]
        while got[-1].state != "throwing":
            got.append(await anext(updates))

        assert len(got) <= MAX_QUEUED
        assert [one.seq for one in got] == sorted(one.seq for one in got)


async def test_a_refusal_is_raised_and_is_final(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a loop and while waiting; a token that is right is let in, and renewed."""
    monkeypatch.setattr("pillowcast.tokens.RENEW_AT", 0.02)  # long before its end
    async with Gateway(
        broker,
        f"{PREFIX}auth",
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=SECRET,
        GATEWAY_JWT_LEEWAY="0",
    ) as closed:
        with pytest.raises(RefusedError) as refusal:
            async for _ in connect(closed.url, token="no token", proxy=None):
                pass
        assert refusal.value.code == 4401
        assert str(refusal.value).startswith("the gateway refused (4401): ")
        async with connect(closed.url, token="no token", proxy=None) as client:
            with pytest.raises(RefusedError):
                await client.wait_ready(TIMEOUT_S)
            assert client.status.phase == "stopped"

        asked = 0

        async def token() -> str:
            nonlocal asked
            asked += 1
            claims = {"exp": time.time() + 60, "pillows": ["cloud-1"]}
            return jwt.encode(claims, SECRET, algorithm="HS256")

        async with connect(closed.url, ["cloud-1"], token=token, proxy=None) as client:
            await client.wait_ready(TIMEOUT_S)
            await wait_for(lambda: asked >= 2, "the token is not renewed")
            assert (client.connections, client.connection) == (1, "live")


async def is_told(client: Client, why: str) -> bool:
    """Return whether a client that waits is told why; an attempt that has begun says nothing."""
    with pytest.raises(TimeoutError) as error:
        await client.wait_ready(0.1)
    return re.search(why, str(error.value)) is not None


async def test_a_wrong_address_is_explained(gateway: Gateway) -> None:
    """It may become right, so it is no refusal."""
    for url, reason in (
        (f"http://{ports.HOST}:{ports.free()}", "Connect call failed"),
        (f"{gateway.url}/nowhere", "HTTP 403: There is no WebSocket but /ws"),
        (gateway.ops_url, "HTTP 404"),
    ):
        async with connect(url, proxy=None) as client:
            why = f"{url[7:]}.*{reason}"
            await eventually(partial(is_told, client, why), why)
            assert client.status.phase in ("waiting", "connecting")


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that accepts and never says a word, and one that lets nobody in."""
    monkeypatch.setattr("pillowcast.link.SILENCE_S", 0.2)
    monkeypatch.setattr("pillowcast.link.PROBE_S", 0.2)

    async def say_nothing(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(say_nothing, ports.HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"http://{ports.HOST}:{port}", proxy=None) as client:
            await wait_for(lambda: client.status.phase == "waiting", "it is not given up")
            assert client.status.reason == "nothing was heard"
            client.retry()
            await wait_for(lambda: client.connections == 2, "it does not try again")


async def test_the_display_runs(gateway: Gateway, cloud: Publisher) -> None:
    """The twenty lines of the README, with a real gateway, until that is killed."""
    [code] = re.findall(r"```python\n(\"\"\"Shows.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 20
    await cloud.publish(state("display-1", "hugging"))
    display = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, gateway.url, stdout=asyncio.subprocess.PIPE
    )
    assert display.stdout is not None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await display.stdout.readuntil(b"display-1               hugging\n")
            gateway.kill()
            await gateway.wait()
            await display.stdout.readuntil(b"disconnected\n")
            await display.stdout.readuntil(b"display-1               notconnected\n")
    finally:
        display.kill()
        await display.wait()
        await gateway.start()


async def test_two_loops_of_one_client_get_the_same(gateway: Gateway, cloud: Publisher) -> None:
    """By one connection; closing ends both."""
    await cloud.publish(state("twice-1", "hugging"))

    async def follow(client: Client) -> list[str | None]:
        return [one.state async for one in client]

    async with connect(gateway.url, ["twice-1"], proxy=None) as client:
        both = asyncio.gather(follow(client), follow(client))
        await client.wait_ready(TIMEOUT_S)
        await cloud.publish(state("twice-1", "spinning"))
        await wait_for(lambda: client.pillows["twice-1"].state == "spinning", "no update")
        assert client.connections == 1
    async with asyncio.timeout(TIMEOUT_S):
        assert list(await both) == [["hugging", "spinning"]] * 2


async def test_a_redirect_is_named_and_not_followed(gateway: Gateway) -> None:
    """The token would be sent to whomever it names."""

    def redirect(_connection: ServerConnection, _request: Request) -> Response:
        return Response(302, "Found", Headers({"Location": f"ws://{ports.HOST}:{gateway.port}/ws"}))

    async def never(_connection: ServerConnection) -> None:
        raise AssertionError("a connection was opened")

    async with serve(never, ports.HOST, 0, process_request=redirect) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"http://{ports.HOST}:{port}", proxy=None) as client:
            await wait_for(lambda: client.status.phase == "waiting", "it is not refused")
            assert f"HTTP 302, which points to ws://{ports.HOST}" in client.status.reason
            assert client.connections == 0
