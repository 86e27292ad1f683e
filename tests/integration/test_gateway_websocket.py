"""WebSocket clients of a real gateway process: well-behaved, hostile, slow and dead ones."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from contract.frames import HEARTBEAT_S, MAX_SUBSCRIBED
from devstack import ports
from devstack.broker import Broker
from tests.gateway import (
    TEXT,
    TIMEOUT_S,
    Frame,
    Gateway,
    Publisher,
    WebSocketClient,
    client_frame,
    close_code,
    connect_publisher,
    handshake,
    mosquitto_pub,
    parse_frames,
    request,
    state,
)
from tests.waiting import until

pytestmark = pytest.mark.timeout(180)

ODD = (
    b'{ "pillow" : "%b",\t"state":"hugging",\n "at":"2026-11-22T06:00:00.123456Z" , "seq":7,'
    b' "mood":{"very":["good", 1.50, null]} }'
)
PREFIX = "gwws"


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """One gateway for all tests that do not end it; its log must have no error."""
    # Pillows expire only in the tests that start a gateway of their own.
    async with Gateway(
        broker,
        PREFIX,
        GATEWAY_EXPIRE_AFTER="86400",
        GATEWAY_ALLOWED_ORIGINS="https://friend.example",
    ) as started:
        yield started
        await started.wait_for_metric('connections{transport="websocket"}', 0)
        started.assert_log_is_clean()


@pytest.fixture(scope="module")
async def witness(gateway: Gateway) -> AsyncIterator[list[Frame]]:
    """The frames of a client that is connected from the start and subscribes to no known pillow."""
    frames: list[Frame] = []
    address = f"ws://{ports.HOST}:{gateway.port}/ws?pillow=nobody"

    async def receive() -> None:
        async with connect(address, proxy=None) as connection:
            async for text in connection:
                frames.append(msgspec.json.decode(text))  # noqa: PERF401 - one by one, as they come

    receiving = asyncio.ensure_future(receive())
    yield frames
    receiving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await receiving


@pytest.fixture
def name(prefix: str) -> str:
    """The id of a pillow that no other test has."""
    return prefix


async def test_the_first_frame_is_a_snapshot_byte_for_byte(
    gateway: Gateway, broker: Broker, name: str, witness: list[Frame]
) -> None:
    """With a state exactly as mosquitto_pub has published it."""
    payload = ODD % name.encode()
    await mosquitto_pub(broker, f"{PREFIX}/{name}/state", payload)
    async with gateway.connect(f"?pillow={name}") as before:
        if not (await before.receive())["pillows"]:
            await before.receive_state(name, "hugging")
    async with gateway.connect(f"?pillow={name}") as client:
        snapshot = await client.receive()

    assert list(snapshot) == [
        *("type", "cursor", "recovered", "broker", "sent", "watching", "pillows")
    ]
    assert snapshot["watching"] >= 1
    assert snapshot["type"] == "snapshot"
    assert snapshot["recovered"] is False
    assert snapshot["broker"] == "online"
    assert abs(snapshot["sent"] / 1000 - time.time()) < 60
    assert client.raw.endswith(b'"pillows":[' + payload + b"]}")


async def test_an_update_has_the_published_bytes(
    gateway: Gateway, cloud: Publisher, name: str
) -> None:
    """And a cursor with a higher offset."""
    async with gateway.connect(f"?pillow={name}") as client:
        snapshot = await client.receive()
        payload = await cloud.publish(ODD % name.encode())
        update = await client.receive()

    assert list(update) == ["type", "cursor", "sent", "pillows"]
    assert update["type"] == "update"
    assert client.raw.endswith(b'"pillows":[' + payload + b"]}")
    epoch, offset = snapshot["cursor"].split(":")
    assert update["cursor"].split(":")[0] == epoch
    assert int(update["cursor"].split(":")[1]) > int(offset)


async def test_a_client_that_keeps_up_receives_every_update_in_order(
    gateway: Gateway, cloud: Publisher, name: str
) -> None:
    """A thousand of them."""
    async with gateway.connect(f"?pillow={name}") as client:
        await client.receive()
        publishing = asyncio.ensure_future(
            cloud.publish_all([state(name, ago_s=10 - n / 1000, seq=n) for n in range(1000)])
        )
        seen: list[int] = []
        while len(seen) < 1000:
            seen += [item["seq"] for item in (await client.receive())["pillows"]]
        await publishing

    assert seen == list(range(1000))


async def test_a_resumed_client_receives_only_what_it_missed(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """The pillows that changed meanwhile, and those that were removed."""
    kept, changed, gone = (f"{prefix}-{number}" for number in range(3))
    query = f"?pillow={kept}&pillow={changed}&pillow={gone}"
    async with gateway.connect(query) as client:
        await client.receive()
        for pillow in (kept, changed, gone):
            await cloud.publish(state(pillow))
            cursor = (await client.receive())["cursor"]
        await cloud.publish(state(changed, "spinning"))
        await cloud.remove(gone)
        await client.receive_until(lambda frame: frame["type"] == "removed")

    async with gateway.connect(f"{query}&since={cursor}") as client:
        snapshot = await client.receive()
        removed = await client.receive()

    assert snapshot["recovered"] is True
    assert [(item["pillow"], item["state"]) for item in snapshot["pillows"]] == [
        (changed, "spinning")
    ]
    assert removed["type"] == "removed"
    assert removed["pillows"] == [gone]
    # A connection lost between the two frames is resumed before the removal.
    snapshot_offset, removed_offset = (
        int(frame["cursor"].partition(":")[2]) for frame in (snapshot, removed)
    )
    assert snapshot_offset == removed_offset - 1


@pytest.mark.parametrize(
    "cursor",
    ["abcd1234:0", "garbage", "%00", "", ":", "EPOCH:999999999", "EPOCH:-1", "EPOCH:1e3", "%F0:1"],
)
async def test_a_cursor_that_is_not_covered_gets_a_whole_snapshot(
    gateway: Gateway, cloud: Publisher, name: str, cursor: str
) -> None:
    """One of another process, one of the future, or a malformed one."""
    async with gateway.connect(f"?pillow={name}") as client:
        epoch = (await client.receive())["cursor"].split(":")[0]
        await cloud.publish(state(name))
        await client.receive()
    since = cursor.replace("EPOCH", epoch)
    async with gateway.connect(f"?pillow={name}&since={since}") as client:
        snapshot = await client.receive()

    assert snapshot["recovered"] is False
    assert [item["pillow"] for item in snapshot["pillows"]] == [name]


async def test_a_client_receives_only_the_pillows_that_it_subscribed_to(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """By the query, and by a later subscribe message."""
    one, two = f"{prefix}-1", f"{prefix}-2"
    async with gateway.connect(f"?pillow={one}") as client:
        assert (await client.receive())["pillows"] == []
        await cloud.publish(state(two))
        await cloud.publish(state(one))
        assert [item["pillow"] for item in (await client.receive())["pillows"]] == [one]

        await client.send({"type": "subscribe", "pillows": [two]})
        snapshot = await client.receive()
        assert snapshot["type"] == "snapshot"
        assert snapshot["recovered"] is False
        assert [item["pillow"] for item in snapshot["pillows"]] == [two]
        await cloud.publish(state(one, "spinning"))
        await cloud.publish(state(two, "spinning"))
        assert [item["pillow"] for item in (await client.receive())["pillows"]] == [two]

        await client.send({"type": "subscribe", "pillows": "all"})
        everything = {item["pillow"] for item in (await client.receive())["pillows"]}
        assert {one, two} <= everything
        await client.send({"type": "subscribe", "pillows": []})
        assert (await client.receive())["pillows"] == []


async def test_a_query_may_have_max_subscribed_pillows(gateway: Gateway) -> None:
    """Each with the longest id: the request is 71 kB long."""
    names = "&".join(f"pillow={n:04}{'x' * 59}" for n in range(MAX_SUBSCRIBED))

    async with gateway.connect(f"?{names}") as client:
        assert (await client.receive())["type"] == "snapshot"


async def test_a_ping_is_answered_with_its_own_time_unchanged(gateway: Gateway) -> None:
    """And with the gateway's time."""
    async with gateway.connect("?pillow=nobody") as client:
        await client.receive()
        for sent in (1, 1795337950882, 0.5):
            await client.send({"type": "ping", "sent": sent})
            pong = await client.receive()
            assert pong["type"] == "pong"
            assert pong["sent"] == sent
            assert abs(pong["received"] / 1000 - time.time()) < 60
        async with asyncio.timeout(TIMEOUT_S):
            await (await client.connection.ping(b"protocol"))


async def test_the_subprotocol_is_selected_if_it_is_offered(gateway: Gateway) -> None:
    """A client that offers none, or another, is accepted too."""
    async with gateway.connect(subprotocols=["other", "pillowcast.v1"]) as client:
        assert client.connection.subprotocol == "pillowcast.v1"
    async with gateway.connect(subprotocols=["other"]) as client:
        assert client.connection.subprotocol is None
        assert (await client.receive())["type"] == "snapshot"


async def test_a_removed_pillow_is_announced_and_not_in_snapshots(
    gateway: Gateway, cloud: Publisher, name: str
) -> None:
    """An empty retained payload removes it."""
    async with gateway.connect(f"?pillow={name}") as client:
        await client.receive()
        await cloud.publish(state(name))
        await client.receive()
        await cloud.remove(name)
        removed = await client.receive()

        assert list(removed) == ["type", "cursor", "pillows"]
        assert (removed["type"], removed["pillows"]) == ("removed", [name])
    async with gateway.connect(f"?pillow={name}") as client:
        assert (await client.receive())["pillows"] == []


async def test_an_older_state_is_never_sent(gateway: Gateway, cloud: Publisher, name: str) -> None:
    """By `at`, and by `seq` if that is equal, in any order of arrival."""
    at = "2026-11-22T06:00:00Z"
    async with gateway.connect(f"?pillow={name}") as client:
        await client.receive()
        for stamp, seq in ((at, 5), ("2026-11-22T05:59:59.999Z", 9), (at, 4), (at, 5), (at, 6)):
            await cloud.publish(
                json.dumps({"pillow": name, "state": "hugging", "at": stamp, "seq": seq}).encode()
            )
        seen: list[int] = []
        while 6 not in seen:
            seen += [item["seq"] for item in (await client.receive())["pillows"]]

    assert seen == [5, 6]


async def test_a_last_will_makes_a_pillow_notconnected(
    gateway: Gateway, cloud: Publisher, name: str
) -> None:
    """Until its availability is online again."""
    async with gateway.connect(f"?pillow={name}") as client:
        await client.receive()
        payload = await cloud.publish(state(name, "spinning", seq=3))
        await client.receive()

        await cloud.publish_availability(name, b"offline")
        item = await client.receive_state(name, "notconnected")
        assert item["last"] == "spinning"
        assert item["seq"] == 3
        assert item["at"] == msgspec.json.decode(payload)["at"]
        assert item["since"].endswith("Z")

        await cloud.publish_availability(name, b"online")
        await client.receive()
        assert payload in client.raw


async def test_a_silent_pillow_becomes_notconnected_until_its_next_state(
    broker: Broker, prefix: str
) -> None:
    """A retained state that is old at the gateway's start is never sent as live."""
    async with connect_publisher(broker, prefix) as cloud:
        await cloud.publish(state("old", "hugging", ago_s=3600))
        async with Gateway(broker, prefix, GATEWAY_EXPIRE_AFTER="0.7") as gateway:
            async with gateway.connect() as client:
                (old,) = (await client.receive())["pillows"]
                assert (old["state"], old["last"]) == ("notconnected", "hugging")

                begun = time.time()
                payload = await cloud.publish(state("cloud-1", "spinning"))
                await client.receive_state("cloud-1", "spinning")
                gone = await client.receive_state("cloud-1", "notconnected")
                assert time.time() - begun >= 0.7
                assert list(gone) == ["pillow", "state", "at", "last", "since"]
                assert gone["last"] == "spinning"
                assert gone["at"] == msgspec.json.decode(payload)["at"]
                assert gone["since"] > gone["at"]
                assert await gateway.metric("expired_total") == 1

                await cloud.publish(state("cloud-1", "hugging"))
                await client.receive_state("cloud-1", "hugging")
            gateway.assert_log_is_clean()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "\xff"])
async def test_a_foreign_origin_is_refused_with_4403(gateway: Gateway, origin: str) -> None:
    """After the upgrade, so that a page can read the code."""
    wire = await gateway.open_raw(handshake("/ws", f"Origin: {origin}"))
    got = await wire.read_until(lambda data: close_code(data) is not None)
    wire.close()

    (_, error), *_ = parse_frames(got)
    assert msgspec.json.decode(error)["code"] == 4403
    assert close_code(got) == 4403


@pytest.mark.parametrize("origin", ["https://friend.example", "http://127.0.0.1:PORT"])
async def test_an_allowed_origin_and_the_gateways_own_are_accepted(
    gateway: Gateway, origin: str
) -> None:
    """By GATEWAY_ALLOWED_ORIGINS, and by the Host header."""
    own = origin.replace("PORT", str(gateway.port))
    async with gateway.connect(origin=own) as client:
        assert (await client.receive())["type"] == "snapshot"


BAD_FRAMES = {
    "a bad message": (client_frame(TEXT, b"garbage"), 4400),
    "1 MiB": (client_frame(TEXT, b"x" * 2**20), 1009),
    "invalid UTF-8": (client_frame(TEXT, b"\xff\xfe"), 1007),
    "an unmasked frame": (client_frame(TEXT, b"{}", mask=False), 1002),
}


@pytest.mark.parametrize("case", BAD_FRAMES)
async def test_a_bad_frame_is_closed_with_its_code(gateway: Gateway, case: str) -> None:
    """One of each code; the gateway's log stays clean."""
    sent, code = BAD_FRAMES[case]
    wire = await gateway.open_raw(handshake("/ws?pillow=nobody"))
    await wire.read_until(lambda data: len(parse_frames(data)) == 1)
    await wire.send(sent)
    got = await wire.read_until(lambda data: close_code(data) is not None)
    wire.close()

    assert close_code(got) == code


async def test_two_faults_at_once_are_closed_once(gateway: Gateway) -> None:
    """The second arrives while the first is being answered."""
    for _ in range(50):
        wire = await gateway.open_raw(handshake("/ws?pillow=nobody"))
        await wire.read_until(lambda data: len(parse_frames(data)) == 1)
        await wire.send(client_frame(TEXT, b"garbage"))
        await wire.send(b"\xff\xff\xff\xff")
        got = await wire.read_until(lambda data: close_code(data) is not None)
        wire.close()
        assert close_code(got) in (4400, 1002)


@pytest.mark.parametrize(
    "query", ["?pillow=%23", "?pillow=../x", "?pillow=a&pillow=", "?pillow=%ff"]
)
async def test_a_bad_query_is_refused_with_4400(gateway: Gateway, query: str) -> None:
    """After an error frame with the reason."""
    async with gateway.connect(query) as client:
        error = await client.receive()
        assert (error["type"], error["code"]) == ("error", 4400)
        assert "is not " in error["message"]
        assert await client.wait_closed() == 4400


HANDSHAKES = {
    "POST": (handshake(method="POST"), b"405"),
    "a body": (handshake("/ws", "Content-Length: 3") + b"abc", b"400"),
    "a chunked body": (handshake("/ws", "Transfer-Encoding: chunked"), b"400"),
    "two hundred headers": (handshake("/ws", *(f"X-{n}: 1" for n in range(200))), b"431"),
    "no key": (request("/ws", "Upgrade: websocket", "Connection: Upgrade"), b"400"),
    "two versions": (handshake("/ws", "Sec-WebSocket-Version: 12"), b"400"),
    "a malformed subprotocol": (handshake("/ws", "Sec-WebSocket-Protocol: \xff, ,"), b"400"),
    "another path": (handshake("/elsewhere"), b"403"),
    "the API": (handshake("/api/pillows"), b"403"),
    "garbage": (b"\x00\xff\x12 blah\r\n\r\n", b"400"),
    "TLS": (bytes.fromhex("16030100a5010000a1030300"), b"400"),
    "a path that is not ASCII": (request("/\xff\xfe"), b"400"),
    "a malformed chunk": (
        request("/api/pillows", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n",
        b"400",
    ),
    "a path with dot segments": (request("/../../../etc/passwd"), b"404"),
    "a null in the path": (request("/%00"), b"404"),
    "a path of 5,000": (request("/" + "a" * 5000), b"404"),
    "another upgrade": (request("/healthz", "Upgrade: h2c", "Connection: Upgrade"), b"200"),
    "CONNECT": (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
}


@pytest.mark.parametrize("case", HANDSHAKES)
async def test_a_bad_request_is_answered_with_its_status(gateway: Gateway, case: str) -> None:
    """The process parses hostile bytes without an error in its log."""
    sent, code = HANDSHAKES[case]
    wire = await gateway.open_raw(sent)
    got = await wire.read_until(lambda data: b"\r\n\r\n" in data)
    wire.close()

    assert got.split(b" ", 2)[:2] == [b"HTTP/1.1", code]


@pytest.mark.parametrize("begun", [b"GET /", b"GET / HTTP/1.1\r\nX: "])
async def test_a_request_without_an_end_takes_no_memory(gateway: Gateway, begun: bytes) -> None:
    """It is ended at the limit."""
    before = gateway.resident_bytes()
    wire = await gateway.open_raw(begun)
    for _ in range(64):
        await wire.send(b"x" * 2**20)
    got = await wire.read_to_end()
    wire.close()

    # A reset, because of unread data, may have discarded the response.
    assert got == b"" or got.startswith((b"HTTP/1.1 414 ", b"HTTP/1.1 431 "))
    assert gateway.resident_bytes() - before < 16 * 2**20


@pytest.mark.usefixtures("witness")
async def test_broken_connections_are_unregistered(gateway: Gateway) -> None:
    """Before, within and after the handshake and within a frame; by reset, close and half-close."""
    half = client_frame(TEXT, b'{"type":"ping","sent":1}')[:9]
    for sent in (b"", b"GET /ws HT", handshake()[:-2], handshake(), handshake() + half):
        for end in ("reset", "close", "half_close"):
            wire = await gateway.open_raw(sent)
            if sent.startswith(handshake()):
                await wire.read_until(lambda data: len(parse_frames(data)) == 1)
            getattr(wire, end)()
            wire.close()
    for _ in range(20):
        (await gateway.open_raw(handshake())).reset()

    await gateway.wait_for_metric('connections{transport="websocket"}', 1)  # the witness
    async with gateway.connect() as client:
        assert (await client.receive())["type"] == "snapshot"


async def test_silent_connections_do_not_delay_a_client(gateway: Gateway) -> None:
    """Fifty connections without a byte."""
    silent = [await gateway.open_raw() for _ in range(50)]
    async with gateway.connect() as client:
        assert (await client.receive())["type"] == "snapshot"
    for wire in silent:
        wire.close()


BIG = 40_000
FLOOD = 150
"""This many states of BIG bytes are far more than is buffered for one client."""


async def flood(cloud: Publisher, client: WebSocketClient, first: int) -> None:
    """Publish as fast as one client reads, so that it keeps up; fail if it misses an update.

    One at a time, because more than the buffers hold would be missed while this process is paused.
    """
    for n in range(first, first + FLOOD):
        payload = state(f"cloud-{n % 3}", ago_s=20 - n / 1000, seq=n, pad="x" * BIG)
        await cloud.publish(payload)
        seen = [item["seq"] for item in (await client.receive())["pillows"]]
        assert seen == [n], "a client that keeps up receives every update"


async def test_a_client_that_does_not_read_delays_nobody_and_then_gets_the_newest_states(
    broker: Broker, prefix: str
) -> None:
    """Not the backlog; and its unread data does not delay the end of the process."""
    async with (
        connect_publisher(broker, prefix) as cloud,
        Gateway(broker, prefix, GATEWAY_HISTORY_BYTES="0") as gateway,
    ):
        unread = [
            await gateway.open_raw(handshake(), receive_buffer=4096),
            await gateway.open_raw(request("/events"), receive_buffer=4096),
        ]
        async with gateway.connect() as client:
            await client.receive()
            before = gateway.resident_bytes()
            await flood(cloud, client, 0)
            assert gateway.resident_bytes() - before < FLOOD * BIG

            newest = [b'"seq": %d,' % n for n in range(FLOOD - 3, FLOOD)]
            got = [
                await wire.read_until(lambda data: all(one in data for one in newest))
                for wire in unread
            ]
            for data in got:
                assert len(data) < FLOOD * BIG // 3, "it received the backlog"
            received = [
                (item["pillow"], item["seq"])
                for opcode, payload in parse_frames(got[0])
                if opcode == TEXT
                for item in msgspec.json.decode(payload).get("pillows", ())
            ]
            for number in range(3):
                of_one = [seq for pillow, seq in received if pillow == f"cloud-{number}"]
                assert of_one == sorted(of_one), "a pillow went backwards"
            assert await gateway.metric("conflated_total") >= 2

            # Once more, and now they do not read until the end.
            await flood(cloud, client, FLOOD)
            # The process still waits for the clients that do not read; one that comes behind
            # SIGTERM gets a goodbye too. Paused, it sees all of this at once.
            gateway.pause()
            gateway.terminate()
            late = await gateway.open_raw(handshake())
            stream = await gateway.open_raw(request("/events"))
            gateway.resume()
            await client.receive_until(lambda frame: frame["type"] == "goodbye")
        frames = parse_frames(await late.read_until(lambda data: close_code(data) is not None))
        texts = [msgspec.json.decode(payload) for opcode, payload in frames if opcode == TEXT]
        *first, last = (frame["type"] for frame in texts)
        assert (set(first), last) == ({"snapshot"}, "goodbye")
        assert close_code(late.received) == 1012
        await stream.read_until(lambda data: b'"type":"goodbye"' in data)
        async with asyncio.timeout(TIMEOUT_S):
            assert await gateway.wait() == 0
        for wire in (*unread, late, stream):
            wire.close()
        gateway.assert_log_is_clean()


async def test_a_restart_sends_goodbye_and_closes_with_1012(broker: Broker, prefix: str) -> None:
    """To every client, with the delays for a reconnect; the process ends with status 0."""
    async with Gateway(broker, prefix) as gateway, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(gateway.connect()) for _ in range(20)]
        for client in clients:
            await client.receive()
        gateway.terminate()
        for client in clients:
            assert await client.receive() == {"type": "goodbye", "reconnect_ms": [200, 5000]}
            with pytest.raises(ConnectionClosed):
                await client.receive()
            assert client.connection.close_code == 1012
        async with asyncio.timeout(TIMEOUT_S):
            assert await gateway.wait() == 0
        gateway.assert_log_is_clean()


async def test_a_client_without_updates_receives_heartbeats(
    gateway: Gateway, witness: list[Frame]
) -> None:
    """So that a page can tell silence from a dead connection."""
    await until(lambda: len(witness) > 1, "a heartbeat", within_s=2 * HEARTBEAT_S)

    first, second, *_ = witness
    assert first["type"] == "snapshot"
    assert second["type"] == "heartbeat"
    assert list(second) == ["type", "sent", "watching"]
