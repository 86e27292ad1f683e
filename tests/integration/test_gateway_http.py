"""Ordinary HTTP requests to a real gateway process."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from contract.states import STATES_JSON
from devstack import ports
from devstack.broker import Broker
from devstack.processes import Program
from tests.gateway import COMMAND, TIMEOUT_S, Gateway, Publisher, request, state
from tests.waiting import eventually

PREFIX = "gwhttp"


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """One gateway for all tests; its log must have no error."""
    async with Gateway(
        broker, PREFIX, GATEWAY_EXPIRE_AFTER="86400", GATEWAY_HISTORY_BYTES="4000"
    ) as started:
        yield started
        started.assert_log_is_clean()


async def publish(gateway: Gateway, cloud: Publisher, payload: bytes) -> bytes:
    """Publish a state and wait until the gateway has it."""
    pillow = msgspec.json.decode(payload)["pillow"]
    async with gateway.connect(f"?pillow={pillow}") as client:
        await client.receive()
        await cloud.publish(payload)
        await client.receive()
    return payload


async def test_the_api_returns_current_states_and_the_cursor(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """Of one pillow or of all, byte for byte as they were on MQTT."""
    payload = await publish(gateway, cloud, state(prefix, mood=[1, 2]).replace(b", ", b" ,  "))

    one = await gateway.get(f"/api/pillows/{prefix}")
    everything = await gateway.get("/api/pillows")

    assert one.content == payload
    assert one.headers["content-type"] == "application/json"
    assert one.headers["cache-control"] == "no-store"
    assert payload in everything.content
    assert everything.json()["broker"] == "online"
    async with gateway.connect(f"?since={everything.json()['cursor']}") as client:
        snapshot = await client.receive()
        assert snapshot["recovered"] is True
        assert snapshot["pillows"] == []


async def test_the_history_stays_within_its_memory_budget(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """It is returned oldest first, and the oldest states are dropped first."""
    payload = [
        await publish(gateway, cloud, state(prefix, ago_s=9 - n, seq=n, pad="x" * 700))
        for n in range(6)
    ]

    answer = await gateway.get(f"/api/pillows/{prefix}/history")

    states = answer.json()["states"]
    assert answer.json()["pillow"] == prefix
    assert 1 < len(states) < 6
    assert [one["seq"] for one in states] == list(range(6))[-len(states) :]
    assert answer.content.endswith(payload[-1] + b"]}")
    assert await gateway.metric("history_bytes") <= 4000


async def test_an_unknown_pillow_is_answered_with_a_problem_document(gateway: Gateway) -> None:
    """With status 404."""
    for path in ("/api/pillows/nobody", "/api/pillows/nobody/history", "/api/pillows/%00"):
        answer = await gateway.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 404


async def test_the_page_its_modules_and_the_api_documents_are_served(gateway: Gateway) -> None:
    """With their media types and the security headers."""
    types = {
        "/": "text/html",
        "/embed.js": "text/javascript",
        "/pillowcast.js": "text/javascript",
        "/states.js": "text/javascript",
        "/style.css": "text/css",
        "/favicon.svg": "image/svg+xml",
        "/openapi.json": "application/json",
        "/asyncapi.json": "application/json",
    }
    for path, media_type in types.items():
        answer = await gateway.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith(media_type), path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers
        assert ("access-control-allow-origin" in answer.headers) == path.endswith(".js")
    states = (await gateway.get("/states.js")).content
    assert STATES_JSON.strip() in states


async def test_a_file_with_a_matching_etag_is_answered_with_304(gateway: Gateway) -> None:
    """Another tag gets the file."""
    first = await gateway.get("/pillowcast.js")
    again = await gateway.get("/pillowcast.js", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await gateway.get("/pillowcast.js", **{"If-None-Match": '"other"'})).status_code == 200


async def test_metrics_count_messages_and_connections(
    gateway: Gateway, cloud: Publisher, prefix: str
) -> None:
    """Messages by their outcome, connections by their transport."""
    taken = await gateway.metric('received_total{outcome="taken"}')
    older = await gateway.metric('received_total{outcome="older"}')
    await publish(gateway, cloud, state(prefix))
    await cloud.publish(state(prefix, ago_s=60))
    await gateway.wait_for_metric('received_total{outcome="older"}', older + 1)

    assert await gateway.metric('received_total{outcome="taken"}') == taken + 1
    assert await gateway.metric("broker_up") == 1
    async with gateway.connect() as client:
        await client.receive()
        await gateway.wait_for_metric('connections{transport="websocket"}', 1)


async def test_pipelined_requests_are_answered_in_order(gateway: Gateway) -> None:
    """Several of one packet."""
    connection = await gateway.open_raw(
        request("/healthz") + request("/") + request("/nothing") + request("/healthz")
    )
    got = await connection.read_until(lambda data: data.count(b"HTTP/1.1 ") == 4)
    connection.close()

    assert [part[:3] for part in got.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"404", b"200"]


async def test_a_file_is_framed_in_chunks_for_a_client_that_knows_them(gateway: Gateway) -> None:
    """The page has a length, and so has everything for HTTP/1.0."""
    file = request("/favicon.svg", "Connection: close")

    async def head_of(sent: bytes) -> tuple[bytes, bytes]:
        connection = await gateway.open_raw(sent)
        head, _, body = (await connection.read_to_end()).partition(b"\r\n\r\n")
        connection.close()
        return head.lower(), body

    head, body = await head_of(file)
    assert b"transfer-encoding: chunked" in head
    assert b"content-length" not in head
    assert body.endswith(b"\r\n0\r\n\r\n")
    _, whole = await head_of(file.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert body.partition(b"\r\n")[2] == whole + b"\r\n0\r\n\r\n"
    for sent in (file.replace(b"HTTP/1.1", b"HTTP/1.0"), request("/", "Connection: close")):
        head, body = await head_of(sent)
        assert f"content-length: {len(body)}".encode() in head
        assert b"transfer-encoding" not in head
    head, body = await head_of(file.replace(b"GET", b"HEAD"))
    assert head.startswith(b"http/1.1 200")
    assert body == b""


async def test_a_post_is_answered_with_405_before_its_body_is_read(gateway: Gateway) -> None:
    """And a body without an end takes no memory."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        answer = await client.post(f"{gateway.url}/api/pillows", content=b"{}")
    assert answer.status_code == 405
    before = gateway.resident_bytes()
    connection = await gateway.open_raw(
        request("/api/pillows", "Content-Length: 9999999999", method="POST")
    )
    await connection.read_until(lambda data: b" 405 " in data)
    for _ in range(32):
        await connection.send(b"x" * 2**20)
    await connection.read_to_end()
    connection.close()
    assert gateway.resident_bytes() - before < 16 * 2**20


async def run(**env: str) -> tuple[int, str]:
    """Run the command with settings; return its exit status and its output."""
    program = Program("gateway", [COMMAND], env={"LOG_FORMAT": "json", **env})
    await program.spawn()
    return await program.wait(), program.log.text


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_connection_without_a_whole_request_is_closed(
    gateway: Gateway, sent: bytes
) -> None:
    """After GATEWAY_REQUEST_TIMEOUT, because it holds a file descriptor."""
    reader, writer = await asyncio.open_connection(ports.HOST, gateway.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
    finally:
        writer.close()


async def test_wrong_settings_end_the_process_with_status_2_and_every_name() -> None:
    """But without the value of a secret."""
    code, output = await run(GATEWAY_PORT="x", GATEWAY_EXPIRE_AFTER="-1", MQTT_URL="http://a:s3@b")

    assert code == 2
    for name in ("GATEWAY_PORT", "GATEWAY_EXPIRE_AFTER", "MQTT_URL"):
        assert name in output
    assert "s3" not in output
    assert "Traceback" not in output


async def test_a_port_in_use_ends_the_process_with_one_sentence(gateway: Gateway) -> None:
    """It names the setting to change."""
    code, output = await run(GATEWAY_HOST=ports.HOST, GATEWAY_PORT=str(gateway.port))

    assert code == 2
    assert output == (
        f"gateway: cannot listen on {ports.HOST}:{gateway.port}: Address already in use; "
        "set GATEWAY_PORT to a free port"
    )


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_with_status_0(
    broker: Broker, prefix: str, by: signal.Signals
) -> None:
    """At once if no client is connected."""
    async with Gateway(broker, prefix) as gateway:
        gateway._signal(by, to_group=False)
        assert await gateway.wait() == 0
        assert sum('"event": "stopped"' in line for line in gateway.log.lines) == 1
        gateway.assert_log_is_clean()


async def test_names_of_a_file_are_told_and_read_again(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """And the page is told that there are some."""
    path = tmp_path / "labels.toml"
    await asyncio.to_thread(path.write_text, "cloud-1 = 'Grandma'", encoding="utf-8")
    gateway = Gateway(broker, prefix, GATEWAY_LABELS_FILE=str(path))

    async def names() -> object:
        return (await gateway.get("/api/labels")).json()["labels"]

    async with gateway:
        assert "<body data-labels" in (await gateway.get("/")).text
        assert await names() == {"cloud-1": "Grandma"}
        await asyncio.to_thread(path.write_text, "cloud-1 = 'Granny'", encoding="utf-8")

        async def is_read() -> bool:
            return await names() == {"cloud-1": "Granny"}

        await eventually(is_read, "the names are read again")
        assert await gateway.metric("labels") == 1
        assert await gateway.metric("labels_up") == 1
        gateway.assert_log_is_clean()
