"""Browsers on the real gateway's WebSocket: good ones, rude ones, slow ones and dead ones."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from contract.frames import MAX_SUBSCRIBED
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

ODD = (
    b'{ "pillow" : "%b",\t"state":"hugging",\n "at":"2026-11-22T06:00:00.123456Z" , "seq":7,'
    b' "mood":{"very":["good", 1.50, null]} }'
)
PREFIX = "gwws"


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """One gateway for all that leaves it running; no test of these may put an error in its log."""
    # Nothing expires here but where a test is about that.
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
async def cloud(broker: Broker) -> AsyncIterator[Publisher]:
    """Who publishes for that gateway."""
    async with connect_publisher(broker, PREFIX) as publisher:
        yield publisher


@pytest.fixture(scope="module")
async def witness(gateway: Gateway) -> AsyncIterator[list[Frame]]:
    """A browser that was there from the start and wants nothing: what it heard."""
    heard: list[Frame] = []
    address = f"ws://{ports.HOST}:{gateway.port}/ws?pillow=nobody"

    async def listen() -> None:
        async with connect(address, proxy=None) as connection:
            async for text in connection:
                heard.append(msgspec.json.decode(text))  # noqa: PERF401 - one by one, as they come

    listening = asyncio.ensure_future(listen())
    yield heard
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening


@pytest.fixture
def name(prefix: str) -> str:
    """A pillow that no other test has."""
    return prefix


async def test_the_first_frame_is_a_snapshot_byte_for_byte(
    gateway: Gateway, broker: Broker, name: str, witness: list[Frame]
) -> None:
    """A state is in it exactly as a client that nobody here wrote has published it."""
    said = ODD % name.encode()
    await mosquitto_pub(broker, f"{PREFIX}/{name}/state", said)
    async with gateway.connect(f"?pillow={name}") as before:
        if not (await before.receive())["pillows"]:
            await before.receive_state(name, "hugging")
    async with gateway.connect(f"?pillow={name}") as browser:
        snapshot = await browser.receive()

    assert list(snapshot) == ["type", "cursor", "recovered", "broker", "sent", "pillows"]
    assert snapshot["type"] == "snapshot"
    assert snapshot["recovered"] is False
    assert snapshot["broker"] == "online"
    assert abs(snapshot["sent"] / 1000 - time.time()) < 60
    assert browser.raw.endswith(b'"pillows":[' + said + b"]}")


async def test_an_update_follows_byte_for_byte(
    gateway: Gateway, cloud: Publisher, name: str
) -> None:
    """With a cursor that has moved on."""
    async with gateway.connect(f"?pillow={name}") as browser:
        snapshot = await browser.receive()
        said = await cloud.publish(ODD % name.encode())
        update = await browser.receive()

    assert list(update) == ["type", "cursor", "sent", "pillows"]
    assert update["type"] == "update"
    assert browser.raw.endswith(b'"pillows":[' + said + b"]}")
    epoch, offset = snapshot["cursor"].split(":")
    assert update["cursor"].split(":")[0] == epoch
    assert int(update["cursor"].split(":")[1]) > int(offset)


async def test_a_browser_that_keeps_up_sees_every_update_in_order(
    gateway: Gateway, cloud: Publisher, name: str
) -> None:
    """All of a thousand."""
    async with gateway.connect(f"?pillow={name}") as browser:
        await browser.receive()
        publishing = asyncio.ensure_future(
            cloud.publish_all([state(name, ago_s=10 - n / 1000, seq=n) for n in range(1000)])
        )
        seen: list[int] = []
        while len(seen) < 1000:
            seen += [shown["seq"] for shown in (await browser.receive())["pillows"]]
        await publishing

    assert seen == list(range(1000))


async def test_a_resumed_browser_gets_only_what_it_missed(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """The pillows that changed while it was away, and those that are no more."""
    kept, changed, gone = (f"{prefix}-{number}" for number in range(3))
    query = f"?pillow={kept}&pillow={changed}&pillow={gone}"
    async with gateway.connect(query) as browser:
        await browser.receive()
        for pillow in (kept, changed, gone):
            await cloud.publish(state(pillow))
            cursor = (await browser.receive())["cursor"]
        await cloud.publish(state(changed, "spinning"))
        await cloud.remove(gone)
        await browser.receive_until(lambda frame: frame["type"] == "removed")

    async with gateway.connect(f"{query}&since={cursor}") as browser:
        snapshot = await browser.receive()
        removed = await browser.receive()

    assert snapshot["recovered"] is True
    assert [(shown["pillow"], shown["state"]) for shown in snapshot["pillows"]] == [
        (changed, "spinning")
    ]
    assert removed["type"] == "removed"
    assert removed["pillows"] == [gone]
    assert removed["cursor"] == snapshot["cursor"]


@pytest.mark.parametrize(
    "cursor",
    ["abcd1234:0", "garbage", "%00", "", ":", "EPOCH:999999999", "EPOCH:-1", "EPOCH:1e3", "%F0:1"],
)
async def test_a_cursor_that_is_not_covered_gets_everything(
    gateway: Gateway, cloud: Publisher, name: str, cursor: str
) -> None:
    """One of another process, of the future, or none at all."""
    async with gateway.connect(f"?pillow={name}") as browser:
        epoch = (await browser.receive())["cursor"].split(":")[0]
        await cloud.publish(state(name))
        await browser.receive()
    since = cursor.replace("EPOCH", epoch)
    async with gateway.connect(f"?pillow={name}&since={since}") as browser:
        snapshot = await browser.receive()

    assert snapshot["recovered"] is False
    assert [shown["pillow"] for shown in snapshot["pillows"]] == [name]


async def test_a_browser_hears_only_of_what_it_asked_for(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """By the query, and by what it says later."""
    one, two = f"{prefix}-1", f"{prefix}-2"
    async with gateway.connect(f"?pillow={one}") as browser:
        assert (await browser.receive())["pillows"] == []
        await cloud.publish(state(two))
        await cloud.publish(state(one))
        assert [shown["pillow"] for shown in (await browser.receive())["pillows"]] == [one]

        await browser.send({"type": "subscribe", "pillows": [two]})
        snapshot = await browser.receive()
        assert snapshot["type"] == "snapshot"
        assert snapshot["recovered"] is False
        assert [shown["pillow"] for shown in snapshot["pillows"]] == [two]
        await cloud.publish(state(one, "spinning"))
        await cloud.publish(state(two, "spinning"))
        assert [shown["pillow"] for shown in (await browser.receive())["pillows"]] == [two]

        await browser.send({"type": "subscribe", "pillows": "all"})
        everything = {shown["pillow"] for shown in (await browser.receive())["pillows"]}
        assert {one, two} <= everything
        await browser.send({"type": "subscribe", "pillows": []})
        assert (await browser.receive())["pillows"] == []


async def test_a_query_may_name_as_many_pillows_as_the_contract_says(gateway: Gateway) -> None:
    """Each of the longest name there may be: the request is then 71 kB long."""
    names = "&".join(f"pillow={n:04}{'x' * 59}" for n in range(MAX_SUBSCRIBED))

    async with gateway.connect(f"?{names}") as browser:
        assert (await browser.receive())["type"] == "snapshot"


async def test_a_ping_is_answered_with_its_own_time(gateway: Gateway) -> None:
    """Unchanged, and with the gateway's clock."""
    async with gateway.connect("?pillow=nobody") as browser:
        await browser.receive()
        for sent in (1, 1795337950882, 0.5):
            await browser.send({"type": "ping", "sent": sent})
            pong = await browser.receive()
            assert pong["type"] == "pong"
            assert pong["sent"] == sent
            assert abs(pong["received"] / 1000 - time.time()) < 60
        async with asyncio.timeout(TIMEOUT_S):
            await (await browser.connection.ping(b"protocol"))


async def test_the_subprotocol_is_agreed_when_it_is_offered(gateway: Gateway) -> None:
    """And a browser that offers none, or another, is served as well."""
    async with gateway.connect(subprotocols=["other", "pillowcast.v1"]) as browser:
        assert browser.connection.subprotocol == "pillowcast.v1"
    async with gateway.connect(subprotocols=["other"]) as browser:
        assert browser.connection.subprotocol is None
        assert (await browser.receive())["type"] == "snapshot"


async def test_a_removed_pillow_is_told(gateway: Gateway, cloud: Publisher, name: str) -> None:
    """An empty retained payload ends it, for those who watch and for those who come."""
    async with gateway.connect(f"?pillow={name}") as browser:
        await browser.receive()
        await cloud.publish(state(name))
        await browser.receive()
        await cloud.remove(name)
        removed = await browser.receive()

        assert list(removed) == ["type", "cursor", "pillows"]
        assert (removed["type"], removed["pillows"]) == ("removed", [name])
    async with gateway.connect(f"?pillow={name}") as browser:
        assert (await browser.receive())["pillows"] == []


async def test_an_older_state_is_never_shown(gateway: Gateway, cloud: Publisher, name: str) -> None:
    """By `at`, and by `seq` where that is equal; whatever the order of arrival."""
    at = "2026-11-22T06:00:00Z"
    async with gateway.connect(f"?pillow={name}") as browser:
        await browser.receive()
        for stamp, seq in ((at, 5), ("2026-11-22T05:59:59.999Z", 9), (at, 4), (at, 5), (at, 6)):
            await cloud.publish(
                json.dumps({"pillow": name, "state": "hugging", "at": stamp, "seq": seq}).encode()
            )
        seen: list[int] = []
        while 6 not in seen:
            seen += [shown["seq"] for shown in (await browser.receive())["pillows"]]

    assert seen == [5, 6]


async def test_a_last_will_shows_a_pillow_as_not_connected(
    gateway: Gateway, cloud: Publisher, name: str
) -> None:
    """Until it is online again."""
    async with gateway.connect(f"?pillow={name}") as browser:
        await browser.receive()
        said = await cloud.publish(state(name, "spinning", seq=3))
        await browser.receive()

        await cloud.publish_availability(name, b"offline")
        shown = await browser.receive_state(name, "notconnected")
        assert shown["last"] == "spinning"
        assert shown["seq"] == 3
        assert shown["at"] == msgspec.json.decode(said)["at"]
        assert shown["since"].endswith("Z")

        await cloud.publish_availability(name, b"online")
        await browser.receive()
        assert said in browser.raw


async def test_a_silent_pillow_becomes_not_connected_and_comes_back(
    broker: Broker, prefix: str
) -> None:
    """And a retained state that was old at the gateway's start is never shown as live."""
    async with connect_publisher(broker, prefix) as cloud:
        await cloud.publish(state("old", "hugging", ago_s=3600))
        async with Gateway(broker, prefix, GATEWAY_EXPIRE_AFTER="0.7") as gateway:
            async with gateway.connect() as browser:
                (old,) = (await browser.receive())["pillows"]
                assert (old["state"], old["last"]) == ("notconnected", "hugging")

                begun = time.time()
                said = await cloud.publish(state("cloud-1", "spinning"))
                await browser.receive_state("cloud-1", "spinning")
                gone = await browser.receive_state("cloud-1", "notconnected")
                assert time.time() - begun >= 0.7
                assert list(gone) == ["pillow", "state", "at", "last", "since"]
                assert gone["last"] == "spinning"
                assert gone["at"] == msgspec.json.decode(said)["at"]
                assert gone["since"] > gone["at"]
                assert await gateway.metric("expired_total") == 1

                await cloud.publish(state("cloud-1", "hugging"))
                await browser.receive_state("cloud-1", "hugging")
            gateway.assert_log_is_clean()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "\xff"])
async def test_a_page_of_another_site_may_not_listen(gateway: Gateway, origin: str) -> None:
    """It is told so in a way that a page can see."""
    wire = await gateway.open_raw(handshake("/ws", f"Origin: {origin}"))
    got = await wire.read_until(lambda data: close_code(data) is not None)
    wire.close()

    (_, error), *_ = parse_frames(got)
    assert msgspec.json.decode(error)["code"] == 4403
    assert close_code(got) == 4403


@pytest.mark.parametrize("origin", ["https://friend.example", "http://127.0.0.1:PORT"])
async def test_a_page_of_a_named_site_or_of_our_own_may_listen(
    gateway: Gateway, origin: str
) -> None:
    """By the setting, and by the request's own host."""
    own = origin.replace("PORT", str(gateway.port))
    async with gateway.connect(origin=own) as browser:
        assert (await browser.receive())["type"] == "snapshot"


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
async def test_a_bad_query_closes_with_its_code(gateway: Gateway, query: str) -> None:
    """After a sentence saying what is wrong."""
    async with gateway.connect(query) as browser:
        error = await browser.receive()
        assert (error["type"], error["code"]) == ("error", 4400)
        assert "is not " in error["message"]
        assert await browser.wait_closed() == 4400


HANDSHAKES = {
    "POST": (handshake(method="POST"), b"405"),
    "a body": (handshake("/ws", "Content-Length: 3") + b"abc", b"400"),
    "a coding": (handshake("/ws", "Transfer-Encoding: chunked"), b"400"),
    "two hundred headers": (handshake("/ws", *(f"X-{n}: 1" for n in range(200))), b"431"),
    "no key": (request("/ws", "Upgrade: websocket", "Connection: Upgrade"), b"400"),
    "two versions": (handshake("/ws", "Sec-WebSocket-Version: 12"), b"400"),
    "a subprotocol that is none": (handshake("/ws", "Sec-WebSocket-Protocol: \xff, ,"), b"400"),
    "another path": (handshake("/elsewhere"), b"403"),
    "the API": (handshake("/api/pillows"), b"403"),
    "garbage": (b"\x00\xff\x12 blah\r\n\r\n", b"400"),
    "TLS": (bytes.fromhex("16030100a5010000a1030300"), b"400"),
    "a path that is not text": (request("/\xff\xfe"), b"400"),
    "a chunk that is none": (
        request("/api/pillows", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n",
        b"400",
    ),
    "a path that climbs": (request("/../../../etc/passwd"), b"404"),
    "a null in the path": (request("/%00"), b"404"),
    "a path of 5,000": (request("/" + "a" * 5000), b"404"),
    "another upgrade": (request("/healthz", "Upgrade: h2c", "Connection: Upgrade"), b"200"),
    "CONNECT": (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
}


@pytest.mark.parametrize("case", HANDSHAKES)
async def test_a_bad_request_is_answered_and_not_left_waiting(gateway: Gateway, case: str) -> None:
    """With HTTP's own code for it."""
    sent, code = HANDSHAKES[case]
    wire = await gateway.open_raw(sent)
    got = await wire.read_until(lambda data: b"\r\n\r\n" in data)
    wire.close()

    assert got.split(b" ", 2)[:2] == [b"HTTP/1.1", code]


@pytest.mark.parametrize("begun", [b"GET /", b"GET / HTTP/1.1\r\nX: "])
async def test_a_request_without_an_end_is_cut_off(gateway: Gateway, begun: bytes) -> None:
    """It would take all memory there is."""
    before = gateway.resident_bytes()
    wire = await gateway.open_raw(begun)
    for _ in range(64):
        await wire.send(b"x" * 2**20)
    got = await wire.read_to_end()
    wire.close()

    # What we had sent and it did not read may have taken its answer away.
    assert got == b"" or got.startswith(b"HTTP/1.1 400 ")
    assert gateway.resident_bytes() - before < 16 * 2**20


@pytest.mark.usefixtures("witness")
async def test_connections_that_break_off_leave_nothing_behind(gateway: Gateway) -> None:
    """Before, within and after the handshake, in the middle of a frame, by reset and half-open."""
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
    async with gateway.connect() as browser:
        assert (await browser.receive())["type"] == "snapshot"


async def test_nothing_at_all_harms_nobody(gateway: Gateway) -> None:
    """Connections on which nothing is said are let be; others are served."""
    silent = [await gateway.open_raw() for _ in range(50)]
    async with gateway.connect() as browser:
        assert (await browser.receive())["type"] == "snapshot"
    for wire in silent:
        wire.close()


BIG = 40_000
FLOOD = 150
"""So many states of that size are far more than anything holds for a browser."""


async def flood(cloud: Publisher, browser: WebSocketClient, first: int) -> None:
    """Publish as fast as one browser reads, so that it never lags; fail if it misses one."""
    for start in range(first, first + FLOOD, 5):
        numbers = range(start, start + 5)
        await cloud.publish_all(
            [state(f"cloud-{n % 3}", ago_s=20 - n / 1000, seq=n, pad="x" * BIG) for n in numbers]
        )
        seen: list[int] = []
        while len(seen) < 5:
            seen += [shown["seq"] for shown in (await browser.receive())["pillows"]]
        assert seen == list(numbers), "a browser that keeps up sees every update"


async def test_a_browser_that_never_reads_slows_nobody_and_then_gets_the_newest(
    broker: Broker, prefix: str
) -> None:
    """Not the backlog; and what it does not read keeps no process from ending."""
    async with (
        connect_publisher(broker, prefix) as cloud,
        Gateway(broker, prefix, GATEWAY_HISTORY_BYTES="0") as gateway,
    ):
        deaf = [
            await gateway.open_raw(handshake(), receive_buffer=4096),
            await gateway.open_raw(request("/events"), receive_buffer=4096),
        ]
        async with gateway.connect() as browser:
            await browser.receive()
            before = gateway.resident_bytes()
            await flood(cloud, browser, 0)
            assert gateway.resident_bytes() - before < FLOOD * BIG

            newest = [b'"seq": %d,' % n for n in range(FLOOD - 3, FLOOD)]
            got = [
                await wire.read_until(lambda data: all(one in data for one in newest))
                for wire in deaf
            ]
            for data in got:
                assert len(data) < FLOOD * BIG // 3, "that was the backlog"
            shown = [
                (one["pillow"], one["seq"])
                for opcode, payload in parse_frames(got[0])
                if opcode == TEXT
                for one in msgspec.json.decode(payload).get("pillows", ())
            ]
            for number in range(3):
                of_one = [seq for pillow, seq in shown if pillow == f"cloud-{number}"]
                assert of_one == sorted(of_one), "it went backwards"
            assert await gateway.metric("conflated_total") >= 2

            # Once more, and now they stay deaf.
            await flood(cloud, browser, FLOOD)
            gateway.terminate()
            begun = time.monotonic()
            await browser.receive_until(lambda frame: frame["type"] == "goodbye")
        # The last of them is still waited for: who comes now is told to come back, too.
        async with gateway.connect() as late:
            assert (await late.receive())["type"] == "snapshot"
            assert (await late.receive())["type"] == "goodbye"
            assert await late.wait_closed() == 1012
        stream = await gateway.open_raw(request("/events"))
        await stream.read_until(lambda data: b'"type":"goodbye"' in data)
        async with asyncio.timeout(10):
            assert await gateway.wait() == 0
        assert time.monotonic() - begun < 8
        for wire in (*deaf, stream):
            wire.close()
        gateway.assert_log_is_clean()


async def test_a_restart_says_goodbye_to_everyone(broker: Broker, prefix: str) -> None:
    """With the delays to come back after, then 1012; the process exits 0 and soon."""
    async with Gateway(broker, prefix) as gateway, contextlib.AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(gateway.connect()) for _ in range(20)]
        for browser in browsers:
            await browser.receive()
        gateway.terminate()
        for browser in browsers:
            assert await browser.receive() == {"type": "goodbye", "reconnect_ms": [200, 5000]}
            with pytest.raises(ConnectionClosed):
                await browser.receive()
            assert browser.connection.close_code == 1012
        async with asyncio.timeout(8):
            assert await gateway.wait() == 0
        gateway.assert_log_is_clean()


async def test_a_heartbeat_comes_where_nothing_else_is_said(
    gateway: Gateway, witness: list[Frame]
) -> None:
    """So that a page can tell silence from a dead connection."""
    await until(lambda: len(witness) > 1, "a heartbeat", within_s=25)

    first, second, *_ = witness
    assert first["type"] == "snapshot"
    assert second["type"] == "heartbeat"
    assert list(second) == ["type", "sent"]
