"""Requests that would take much work, at a real gateway process."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from devstack.broker import Broker
from tests.gateway import Gateway, close_code, handshake, parse_frames, request

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
    """128 KiB of commas took 60 ms, 30,000 fields 20 ms; each limit is logged once and counted."""
    async with Gateway(broker, prefix) as gateway:
        for case in ("commas", "query fields", "extensions"):
            sent, _ = REFUSED[case]
            before_s = _cpu_s(gateway)
            for _ in range(100):
                wire = await gateway.open_raw(sent)
                await wire.read_to_end()
                wire.close()
            assert (_cpu_s(gateway) - before_s) / 100 < 0.004, case
        for limit in ("header-bytes", "query-fields", "offer"):
            counted = f'connection_limit_reached_total{{limit="{limit}"}}'
            assert await gateway.metric(counted) == 100
        lines = [line for line in gateway.log.lines if "limit reached" in line]
        assert len(lines) == 3


def _cpu_s(gateway: Gateway) -> float:
    """Return the time that the process has used the processor, in seconds."""
    fields = Path(f"/proc/{gateway.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
