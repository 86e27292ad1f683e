"""Long inputs of one kind, which a parser must read in linear time: 64 KiB of blanks, of brackets …

The fuzzer tries short inputs, because most of what goes wrong is short.
"""

import importlib
import time
from typing import Final

import pytest

from gateway.transport.admission import admit, refusal_of_host
from tests.fuzz.admission import NAMES, PEERS, POLICIES

pytestmark = pytest.mark.usefixtures("without_garbage_collection")

SIZE: Final = 65_000
MAX_S: Final = 1.5
"""The CPU time of one input; the slowest, ten thousand frames read byte by byte, takes 0.15 s, and
four times that on a busy machine. What is not linear takes minutes."""

UNITS: Final = (
    b"\0", b"\xff", b"[", b'{"a":', b"1", b" ", b'"', b"\\", b"\\ud800", b",", b"&pillow=a", b"%41",
    b"a: b\r\n", b"<a>", b"&amp;", b"QUFB", b"\x81\x80\0\0\0\0", b"\x89\x80\0\0\0\0",
    b"\x30\x05\x00\x01t\x00x", b'host="\\', b";host=", b"'HUG',", b"1.1,",
)  # fmt: skip
HANDSHAKE: Final = (
    b"\x3fGET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
BEGINNINGS: Final = {
    "queue_message": (b"", b"('HUG',", b'{"pillow":"a","state":"hug","seq":'),
    "state": (b"pillow/a/state\n", b'pillow/a/state\n{"pillow":"a","state":"hugging","at":"', b""),
    "mqtt_packet": (b"\x00\x3f", b"\x01\x00"),
    "http_request": (b"\x3fGET /ws?", b"\x3fGET / HTTP/1.1\r\nHost: x\r\nX: ", HANDSHAKE),
    "websocket": (b"\x00\x1f", b"\x01\x1f"),
    "client_message": (b"", b'{"type":"ping","sent":', b'{"type":"'),
    "access_token": (b"\x00\x00", b"\x01\x00\x02{}", b"\x04", b"\x05", b"\x06"),
    "queue_answer": (b"\x00", b"\x00<QueueMessagesList>", b"\x01<Error>"),
}  # fmt: skip


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_long_input_is_read_in_time_and_without_an_exception(name: str) -> None:
    """Whatever it begins with."""
    target = importlib.import_module(f"tests.fuzz.{name}")
    for beginning in BEGINNINGS[name]:
        for unit in UNITS:
            began_s = time.thread_time()
            target.check(beginning + unit * (SIZE // len(unit)))
            spent_s = time.thread_time() - began_s
            assert spent_s < MAX_S, f"{beginning[-20:]!r} and {unit!r}: {spent_s:.2f} s"


@pytest.mark.parametrize("name", NAMES)
def test_a_long_header_is_read_in_time_and_without_an_exception(name: bytes) -> None:
    """Under each policy, also from a trusted proxy."""
    for unit in (*UNITS, b'for=";', b"; ", b"host=a;", b"a,", b"a.", b":", b"[", b"@"):
        fields = {b"host": b"a", b"origin": b"http://a", name: unit * (SIZE // len(unit))}
        for policy in POLICIES:
            for peer in PEERS:
                began_s = time.thread_time()
                admit(policy, 1, b"", fields, peer)
                refusal_of_host(policy, fields, peer)
                spent_s = time.thread_time() - began_s
                assert spent_s < MAX_S, f"{name!r} of {unit!r}: {spent_s:.2f} s"
