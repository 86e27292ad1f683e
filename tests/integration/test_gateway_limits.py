"""Requests that would take much work, at a real gateway process."""

import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
import pytest

from devstack.broker import Broker
from gateway.transport.limit_reports import REPEAT_S
from tests.gateway import Gateway, close_code, handshake, parse_frames, request

pytestmark = pytest.mark.timeout(180)

PREFIX = "gwlimits"
MANY = "&".join("a" for _ in range(30_000))


@pytest.fixture(scope="module")
async def gateway(broker: Broker) -> AsyncIterator[Gateway]:
    """One gateway for all tests; its log must have no error."""
    async with Gateway(broker, PREFIX) as started:
        yield started
        started.assert_log_is_clean()


REFUSED = {
    "commas": (request("/", "Accept-Encoding: " + "," * 131_072), b"431"),
    "a long value": (request("/", "Cookie: " + "x" * 20_000), b"431"),
    "headers together": (request("/", *(f"X-{n}: {'x' * 9000}" for n in range(4))), b"431"),
    "many headers": (request("/", *(f"X-{n}: 1" for n in range(200))), b"431"),
    "a long target": (request("/" + "x" * 9000), b"414"),
    "query fields": (request(f"/events?{MANY}"), b"400"),
    "query fields of the API": (request(f"/api/pillows?{'&' * 2000}"), b"400"),
    "query escapes": (request(f"/events?pillow={'%41' * 3000}"), b"400"),
    "extensions": (handshake("/ws", "Sec-WebSocket-Extensions: " + "a," * 4000), b"431"),
    "subprotocols": (handshake("/ws", "Sec-WebSocket-Protocol: " + "a," * 4000), b"431"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_request_above_a_limit_is_refused_with_its_reason(
    gateway: Gateway, case: str
) -> None:
    """As a problem document, before anything is parsed of it."""
    sent, status = REFUSED[case]
    wire = await gateway.open_raw(sent)
    got = await wire.read_until(lambda data: data.endswith(b"}"))
    wire.close()

    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert re.search(r"\d", msgspec.json.decode(body)["detail"])


async def test_a_websocket_with_too_many_fields_is_closed_with_4400(gateway: Gateway) -> None:
    """After an error frame that names the limit."""
    wire = await gateway.open_raw(handshake(f"/ws?{MANY}"))
    got = await wire.read_until(lambda data: close_code(data) is not None)
    wire.close()

    assert close_code(got) == 4400
    assert "fields" in msgspec.json.decode(parse_frames(got)[0][1])["message"]


async def test_hostile_requests_take_as_little_time_as_others(broker: Broker, prefix: str) -> None:
    """128 KiB of commas took 60 ms, 30,000 fields 20 ms; each limit is logged once and counted.

    The time is compared with that of ordinary requests, because machines differ.
    """
    async with Gateway(broker, prefix) as gateway:

        async def spent_s(sent: bytes) -> float:
            before_s = _cpu_s(gateway)
            for _ in range(100):
                wire = await gateway.open_raw(sent)
                await wire.read_to_end()
                wire.close()
            return _cpu_s(gateway) - before_s

        ordinary_s = await spent_s(request("/api/pillows", "Connection: close"))
        for case in ("commas", "query fields", "extensions"):
            assert await spent_s(REFUSED[case][0]) < 2 * ordinary_s, case
        for limit in ("header-bytes", "query-fields", "offer"):
            counted = f'connection_limit_reached_total{{limit="{limit}"}}'
            assert await gateway.metric(counted) == 100
        lines = [line for line in gateway.log.lines if "limit reached" in line]
        uptime_s = (await gateway.get_ops("/ops/about")).json()["uptime_s"]
        assert 3 <= len(lines) <= 3 * (1 + uptime_s // REPEAT_S), "each once in this time"


def _names(client: int, count: int) -> str:
    """Return a query of pillows that nobody has, other ones for each client."""
    return "&".join(f"pillow=nobody-{client}-{number:04}" for number in range(count))


def _reading_s(queries: list[str]) -> float:
    """Return the CPU time of reading these queries by urllib and keeping their names."""
    began_s = time.process_time()
    kept = [dict.fromkeys(frozenset(value for _, value in parse_qsl(one))) for one in queries]
    spent_s = time.process_time() - began_s
    assert len(kept) == len(queries)
    return spent_s


async def test_names_that_nobody_has_take_little_memory_and_time(
    broker: Broker, prefix: str
) -> None:
    """A thousand of them took 370 KB and 3 ms for each client.

    The time is compared with that of reading the names alone, because machines differ.
    """
    async with Gateway(broker, prefix) as gateway:
        wires = []
        for client in range(20):  # what is allocated once
            wires.append(await gateway.open_raw(handshake(f"/ws?{_names(client, 1000)}")))
            await wires[-1].read_until(lambda data: b'"snapshot"' in data)
        before, before_s = gateway.resident_bytes(), _cpu_s(gateway)
        for client in range(100, 200):
            wires.append(await gateway.open_raw(handshake(f"/ws?{_names(client, 1000)}")))
            await wires[-1].read_until(lambda data: b'"snapshot"' in data)
        assert (gateway.resident_bytes() - before) / 100 < 200_000
        spent_s = _cpu_s(gateway) - before_s
        assert spent_s < 4.5 * _reading_s([_names(client, 1000) for client in range(100)])
        assert await gateway.metric("subscription_bytes") == 120 * 1000 * 150
        for wire in wires:
            wire.close()
        await gateway.wait_for_metric("subscription_bytes", 0)


async def test_names_have_a_limit_together_and_a_few_are_always_allowed(
    broker: Broker, prefix: str
) -> None:
    """Above it a long list is refused with 4429 or 429, unless another client has the same one."""
    async with Gateway(broker, prefix, GATEWAY_SUBSCRIPTION_BYTES=str(150 * 250)) as gateway:
        async with (
            gateway.connect(f"?{_names(1, 100)}") as first,
            gateway.connect(f"?{_names(2, 100)}") as second,
        ):
            await first.receive_snapshot()
            await second.receive_snapshot()
            async with gateway.connect(f"?{_names(3, 100)}") as refused:
                error = await refused.receive()
                assert error["code"] == 4429
                assert "try again later" in error["message"]
                assert await refused.wait_closed() == 4429
            answer = await gateway.get(f"/events?{_names(4, 100)}")
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0
            for query in (_names(5, 16), _names(1, 100), ""):
                async with gateway.connect(f"?{query}") as admitted:
                    await admitted.receive_snapshot()
            await second.send({"type": "subscribe", "pillows": [f"x-{n}" for n in range(200)]})
            assert await second.wait_closed() == 4429
        async with gateway.connect(f"?{_names(6, 100)}") as later:
            await later.receive_snapshot()
        counted = 'connection_limit_reached_total{limit="subscriptions"}'
        assert await gateway.metric(counted) == 3
        lines = [line for line in gateway.log.lines if "GATEWAY_SUBSCRIPTION_BYTES" in line]
        assert len(lines) == 1


def _cpu_s(gateway: Gateway) -> float:
    """Return the time that the process has used the processor, in seconds."""
    fields = Path(f"/proc/{gateway.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
