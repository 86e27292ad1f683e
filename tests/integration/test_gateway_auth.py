"""A real gateway that asks for tokens: its commands, share links, and what is revoked."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from contract.updates import EXPIRY_S
from devstack import ports
from devstack.broker import Broker
from gateway.transport.limit_reports import REPEAT_S
from tests.gateway import (
    TIMEOUT_S,
    Gateway,
    Publisher,
    WebSocketClient,
    connect_publisher,
    mosquitto_pub,
    state,
)
from tests.machine import need_faketime, need_mosquitto

pytestmark = pytest.mark.timeout(300)

PREFIX = "gwauth"
SECRET, SHARE_KEY = "secret-of-the-tokens-0123456789abcdef", "key-of-share-links-0123456789abcdefgh"
PILLOWS = ("cloud-1", "ward-1", "ward-2")


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """One gateway for all tests; its log must have no error, and no secret."""
    async with Gateway(
        broker,
        PREFIX,
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=SECRET,
        GATEWAY_SHARE_KEY=SHARE_KEY,
        GATEWAY_PUBLIC_URL="https://clouds.example",
        GATEWAY_EXPIRE_AFTER="86400",
    ) as started:
        yield started
        started.assert_log_is_clean()
        log = "\n".join(started.log.lines)
        assert "secret-of" not in log
        assert "key-of" not in log
        assert "eyJ" not in log  # how every JSON Web Token begins


@pytest.fixture(autouse=True)
async def _known(gateway: Gateway, cloud: Publisher) -> None:
    await cloud.publish_all([state(pillow) for pillow in PILLOWS])
    await gateway.wait_for_metric("pillows", len(PILLOWS))


def another(gateway: Gateway, broker: Broker) -> Gateway:
    """Return a second gateway with the same settings."""
    kept = {
        name: value
        for name, value in gateway.env.items()
        if value and name.startswith("GATEWAY_") and not name.endswith(("_PORT", "_HOST"))
    }
    return Gateway(broker, PREFIX, without_broker=False, **kept)


async def share(gateway: Gateway, *arguments: str) -> tuple[str, str]:
    """Make a share link; return its id and its token."""
    out, err, status = await gateway.run_command("share", *arguments)
    assert status == 0, err
    address, _, token = out.strip().partition("#token=")
    assert address == "https://clouds.example/"
    return err.partition(":")[0], token


def bearer(token: str) -> dict[str, Any]:
    """Return the options of a WebSocket connection with a token."""
    return {"additional_headers": {"Authorization": f"Bearer {token}"}}


async def names(client: WebSocketClient) -> list[str]:
    """Receive a snapshot and return its pillows."""
    return sorted(one["pillow"] for one in await client.receive_snapshot())


async def closed_with(client: WebSocketClient) -> int | None:
    """Wait until the gateway has closed the connection; return the code."""
    async with asyncio.timeout(TIMEOUT_S):
        await client.connection.wait_closed()
    return client.connection.close_code


async def test_a_development_token_is_good_for_stream_api_and_history(gateway: Gateway) -> None:
    out, err, status = await gateway.run_command("token", "ward-*", "--for", "5m")
    assert status == 0, err
    token = out.strip()

    async with gateway.connect(**bearer(token)) as client:
        assert await names(client) == ["ward-1", "ward-2"]
    authorized = {"authorization": f"Bearer {token}"}
    every = await gateway.get("/api/pillows", **authorized)
    assert sorted(one["pillow"] for one in every.json()["pillows"]) == ["ward-1", "ward-2"]
    for path in ("", "/history", "/summary", "/activity"):
        assert (await gateway.get(f"/api/pillows/ward-1{path}", **authorized)).status_code == 200
        for other in ("cloud-1", "nobody"):
            refused = await gateway.get(f"/api/pillows/{other}{path}", **authorized)
            assert refused.status_code == 403
            assert refused.headers["content-type"] == "application/problem+json"


async def test_motion_is_sent_of_permitted_pillows_only(gateway: Gateway, cloud: Publisher) -> None:
    """Another one is refused, also where a prefix lets the client see many."""
    out, err, status = await gateway.run_command("token", "ward-*", "--for", "5m")
    assert status == 0, err
    async with gateway.connect("?motion=none", **bearer(out.strip())) as client:
        assert await names(client) == ["ward-1", "ward-2"]
        await client.send({"type": "motion", "pillows": ["ward-1"]})
        await client.send({"type": "ping", "sent": 1})
        await client.receive_until(lambda frame: frame["type"] == "pong")
        await cloud.publish(state("ward-1", "shaking", motion=[[0, 1, 0]]))
        frame = await client.receive_until(lambda frame: frame["type"] == "motion")
        assert [one["pillow"] for one in frame["pillows"]] == ["ward-1"]
        await client.send({"type": "motion", "pillows": ["ward-1", "cloud-1"]})
        assert await closed_with(client) == 4403


@pytest.mark.parametrize(
    "path",
    [
        "/api/pillows",
        "/api/pillows/cloud-1/history",
        "/api/pillows/cloud-1/activity",
        "/api/today",
        "/api/labels",
        "/events",
    ],
)
async def test_nothing_is_shown_without_a_token(gateway: Gateway, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic abc"}):
        refused = await gateway.get(path, **headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.headers["content-type"] == "application/problem+json"
    assert await gateway.metric('refused_total{code="4401"}') >= 3
    lines = [line for line in gateway.log.lines if '"a client was refused"' in line]
    lines = [line for line in lines if '"code": 4401' in line]
    uptime_s = (await gateway.get_ops("/ops/about")).json()["uptime_s"]
    assert 1 <= len(lines) <= 1 + uptime_s // REPEAT_S, "one in this time"
    assert "nonsense" not in gateway.log.text
    assert (await gateway.get("/")).status_code == 200
    assert 'data-auth="jwt"' in (await gateway.get("/")).text


async def test_a_share_link_is_listed_and_ends_when_it_is_revoked(
    gateway: Gateway, broker: Broker
) -> None:
    share_id, token = await share(gateway, "cloud-1", "--for", "7d", "--note", "grandma")
    kiosk_id, kiosk = await share(gateway, "ward-*", "--forever")

    out, _, _ = await gateway.run_command("shares")
    listed = {line.split()[0]: line for line in out.splitlines()}
    assert "cloud-1, for another 6 d" in listed[share_id]
    assert "grandma" in listed[share_id]
    assert "ward-*, for ever" in listed[kiosk_id]
    out, _, _ = await gateway.run_command("shares", "--json")
    assert {json.loads(line)["id"] for line in out.splitlines()} == {share_id, kiosk_id}
    assert token not in out

    second = another(gateway, broker)
    async with (
        second,
        gateway.connect(**bearer(token)) as here,
        second.connect(**bearer(token)) as there,
        gateway.connect(**bearer(kiosk)) as other,
    ):
        assert await names(here) == await names(there) == ["cloud-1"]
        assert await names(other) == ["ward-1", "ward-2"]
        _, err, status = await gateway.run_command("unshare", share_id)
        assert status == 0, err
        assert await closed_with(here) == 4401
        assert await closed_with(there) == 4401
    out, _, _ = await gateway.run_command("shares")
    assert any(share_id in line and "revoked" in line for line in out.splitlines())

    # A gateway that starts later knows it too.
    third = another(gateway, broker)
    async with third, third.connect(**bearer(token)) as late:
        assert await closed_with(late) == 4401


async def test_an_unknown_link_and_wrong_usage_are_named(gateway: Gateway) -> None:
    _, err, status = await gateway.run_command("unshare", "0123456789abcdef")
    assert (status, "no share link" in err) == (1, True)
    _, err, status = await gateway.run_command("unshare", "x")
    assert status == 2
    _, err, status = await gateway.run_command("share", "Cloud-1")
    assert (status, "'Cloud-1'" in err) == (2, True)
    _, err, status = await gateway.run_command("share", "cloud-1", "--for", "soon")
    assert (status, "30m, 12h, 7d or 2w" in err) == (2, True)


async def test_a_token_ends_with_the_leeway(gateway: Gateway) -> None:
    def signed(lasts_s: float) -> str:
        claims = {"exp": time.time() + lasts_s, "pillows": ["ward-1"]}
        return jwt.encode(claims, SECRET, algorithm="HS256")

    # Ten seconds to connect in.
    async with gateway.connect(**bearer(signed(-20))) as ends:
        assert await names(ends) == ["ward-1"]
        assert await closed_with(ends) == 4401
    async with gateway.connect(**bearer(signed(-31))) as expired:
        assert await closed_with(expired) == 4401


def with_wrong_clock(broker: Broker, prefix: str, offset: str) -> Gateway:
    """Return a gateway whose machine's clock is off."""
    return Gateway(
        broker,
        prefix,
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=SECRET,
        LD_PRELOAD=need_faketime(),
        FAKETIME=offset,
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )


async def statuses(gateway: Gateway) -> list[int]:
    """Return the answers to a token that is good for a minute, and to one that expired."""
    return [
        (await gateway.get("/api/pillows", authorization=f"Bearer {token}")).status_code
        for token in (
            jwt.encode({"exp": time.time() + lasts_s}, SECRET, algorithm="HS256")
            for lasts_s in (60, -60)
        )
    ]


@pytest.mark.parametrize("offset", ["+2h", "-2h"])
async def test_tokens_are_judged_by_the_queues_time_once_it_is_known(
    broker: Broker, prefix: str, offset: str
) -> None:
    """The clock of the gateway's machine is two hours off; live states tell the queue's time."""
    async with (
        with_wrong_clock(broker, prefix, offset) as wrong,
        connect_publisher(broker, prefix) as publisher,
    ):
        deadline = time.monotonic() + TIMEOUT_S
        while await statuses(wrong) != [200, 401]:
            assert time.monotonic() < deadline, await statuses(wrong)
            for pillow in PILLOWS:
                now_ms = time.time_ns() // 1_000_000
                hops = {"queued": now_ms, "polled": now_ms, "published": now_ms}
                await publisher.publish(state(pillow, hops=hops))
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("offset", ["+2h", "-2h"])
async def test_retained_states_tell_the_time_before_live_ones_do(
    broker: Broker, prefix: str, offset: str
) -> None:
    """By their expiry, which the broker counts down."""
    need_mosquitto()
    now_ms = time.time_ns() // 1_000_000
    hops = dict.fromkeys(("queued", "polled", "published"), now_ms - 100000)
    expiry = ("-V", "5", "-D", "publish", "message-expiry-interval", str(EXPIRY_S - 100))
    await mosquitto_pub(broker, f"{prefix}/cloud-1/state", state(hops=hops), *expiry)
    async with with_wrong_clock(broker, prefix, offset) as wrong:
        assert await statuses(wrong) == [200, 401]


async def test_no_token_is_refused_for_good_while_the_time_is_unknown(
    broker: Broker, prefix: str
) -> None:
    """Nothing has told the queue's time, because the broker is away: clients come again."""
    gateway = Gateway(
        broker,
        prefix,
        without_broker=True,
        GATEWAY_AUTH="jwt",
        GATEWAY_JWT_SECRET=SECRET,
        MQTT_URL=f"mqtt://{ports.HOST}:{ports.free()}",
    )
    expired = jwt.encode({"exp": time.time() - 7200}, SECRET, algorithm="HS256")
    async with gateway:
        assert await statuses(gateway) == [200, 503]
        async with gateway.connect(**bearer(expired)) as client:
            assert await closed_with(client) == 1013
        async with gateway.connect(**bearer(expired + "x")) as client:
            assert await closed_with(client) == 4401


async def test_a_revoked_link_reads_no_history_while_the_broker_is_away(
    gateway: Gateway, tmp_path: Path
) -> None:
    """Nothing has told which links were revoked; the recorder's past is there all the same."""
    share_id, token = await share(gateway, "cloud-1", "--for", "1h")
    _, err, status = await gateway.run_command("unshare", share_id)
    assert status == 0, err
    waiting = Gateway(
        gateway.broker,
        PREFIX,
        without_broker=True,
        GATEWAY_AUTH="jwt",
        GATEWAY_SHARE_KEY=SHARE_KEY,
        HISTORY_URL=f"sqlite:///{tmp_path}/history.db",
        MQTT_URL=f"mqtt://{ports.HOST}:{ports.free()}",
    )
    async with waiting:
        refused = await waiting.get("/api/pillows/cloud-1/history", authorization=f"Bearer {token}")
        assert refused.status_code == 503
        async with waiting.connect(**bearer(token)) as client:
            assert await closed_with(client) == 1013
