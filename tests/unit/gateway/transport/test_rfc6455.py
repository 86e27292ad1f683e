"""RFC 6455, section by section, against the real server on real sockets.

Each case is what a client sends after its handshake, and what must come back after the snapshot.
A last message asks for a pong of the contract: where the connection is to live, it must come.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.gateway import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    client_frame,
    close_code,
    handshake,
    parse_frames,
)
from tests.unit.gateway.servers import Served, read_to_end, serving

CONT, PONG = 0, 10
LAST = b'{"type":"ping","sent":424242}'
ASK = b'{"type":"ping","sent":%d}'


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A server for one test."""
    async with serving() as started:
        yield started


async def converse(served: Served, sent: bytes, *, pieces: int = 0) -> list[tuple[int, bytes]]:
    """Say something on a WebSocket, all at once or in pieces; what came back after the snapshot."""
    loop = asyncio.get_running_loop()
    async with served.dial(receive_buffer=1 << 16) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        whole = sent + client_frame(TEXT, LAST)
        size = pieces or len(whole)
        got = b""
        async with asyncio.timeout(10):
            while b'"snapshot"' not in got:  # until then only the newest question is answered
                got += await loop.sock_recv(client, 1 << 16)
        try:
            for at in range(0, len(whole), size):
                await loop.sock_sendall(client, whole[at : at + size])
                if pieces:
                    await asyncio.sleep(0)
        except ConnectionError:
            pass  # it was closed meanwhile
        async with asyncio.timeout(10):
            while b"424242" not in got and close_code(got) is None:
                data = await loop.sock_recv(client, 1 << 16)
                assert data, f"ended without a close frame: {got!r}"
                got += data
        return [one for one in parse_frames(got) if b'"snapshot"' not in one[1]]


def asked(number: int, *, cuts: int = 1) -> bytes:
    """A message of the contract, in so many fragments."""
    text = ASK % number
    size = -(-len(text) // cuts)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    return b"".join(
        client_frame(TEXT if number == 0 else CONT, part, fin=number == len(parts) - 1)
        for number, part in enumerate(parts)
    )


def told(frames: list[tuple[int, bytes]]) -> list[object]:
    """What came back, in short: answers by their number, pongs by payload, a close by its code."""
    short: list[object] = []
    for opcode, payload in frames:
        if opcode == TEXT:
            message = msgspec.json.decode(payload)
            short.append(message.get("sent", message.get("code")))
        elif opcode == CLOSE:
            short.append(("close", struct.unpack("!H", payload[:2])[0] if payload else None))
        else:
            short.append((opcode, payload))
    return short


LIVES = 424242


# §5.1: a client masks, a server does not.


async def test_5_1_no_frame_of_the_server_is_masked(served: Served) -> None:
    """A client must close a connection on which one is."""
    async with served.dial() as client:
        await asyncio.get_running_loop().sock_sendall(client, client_frame(PING, b"x") + asked(1))
        got = b""
        async with asyncio.timeout(10):
            while b'"pong"' not in got:
                got += await asyncio.get_running_loop().sock_recv(client, 1 << 16)
    rest = got.partition(b"\r\n\r\n")[2]
    for _, payload in parse_frames(got):
        assert rest[1] & 0x80 == 0
        head = 2 if len(payload) < 126 else 4 if len(payload) < 65_536 else 10
        rest = rest[head + len(payload) :]


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE])
async def test_5_1_a_frame_that_is_not_masked_ends_it(served: Served, opcode: int) -> None:
    """With 1002."""
    frames = await converse(served, client_frame(opcode, b"", mask=False))
    assert told(frames) == [("close", 1002)]


async def test_5_3_every_mask_is_taken_off(served: Served) -> None:
    """Whatever its bytes."""
    sent = b""
    for number, mask in enumerate((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04"), 1):
        text = ASK % number
        covered = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
        sent += bytes([0x81, 0x80 | len(text)]) + mask + covered
    assert told(await converse(served, sent)) == [1, 2, 3, LIVES]


# §5.2: the base of a frame.


@pytest.mark.parametrize("bits", [0x40, 0x20, 0x10, 0x70])
async def test_5_2_a_reserved_bit_without_a_meaning_ends_it(served: Served, bits: int) -> None:
    """No extension was agreed that gives it one."""
    frames = await converse(served, bytes([0x81 | bits, 0x80]) + bytes(4))
    assert told(frames) == [("close", 1002)]


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
async def test_5_2_an_unknown_opcode_ends_it(served: Served, opcode: int) -> None:
    """Data or control."""
    assert told(await converse(served, client_frame(opcode, b""))) == [("close", 1002)]


@pytest.mark.parametrize("length", [125, 126, 127, 65_535, 65_536])
async def test_5_2_each_way_to_write_a_length_is_read(served: Served, length: int) -> None:
    """In seven bits, in two bytes, in eight."""
    text = (ASK % 5).ljust(length)
    assert told(await converse(served, client_frame(TEXT, text))) == [5, LIVES]


@pytest.mark.parametrize("length", [65_537, 1 << 31, 1 << 62, (1 << 63) + 1])
async def test_5_2_a_length_that_is_too_long_ends_it(served: Served, length: int) -> None:
    """At once, however little of it comes; the most significant bit must be 0."""
    head = b"\x81\xff" + struct.pack("!Q", length) + bytes(4)
    assert told(await converse(served, head)) == [("close", 1009)]


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 100])
async def test_5_2_a_frame_comes_as_tcp_brings_it(served: Served, pieces: int) -> None:
    """Byte by byte, if it must."""
    sent = asked(1) + client_frame(PING, b"between") + asked(2, cuts=3)
    assert told(await converse(served, sent, pieces=pieces)) == [1, (PONG, b"between"), 2, LIVES]


# §5.4: fragments.


@pytest.mark.parametrize("cuts", [2, 3, 25])
async def test_5_4_a_message_may_come_in_fragments(served: Served, cuts: int) -> None:
    """Of any number."""
    assert told(await converse(served, asked(1, cuts=cuts))) == [1, LIVES]


async def test_5_4_fragments_may_be_empty(served: Served) -> None:
    """The first, one in the middle, and the last."""
    sent = (
        client_frame(TEXT, b"", fin=False)
        + client_frame(CONT, b"", fin=False)
        + client_frame(CONT, ASK % 1, fin=False)
        + client_frame(CONT, b"", fin=True)
    )
    assert told(await converse(served, sent)) == [1, LIVES]


async def test_5_4_control_frames_may_come_between_fragments(served: Served) -> None:
    """And are answered before the message is whole."""
    sent = (
        client_frame(TEXT, (ASK % 1)[:5], fin=False)
        + client_frame(PING, b"a")
        + client_frame(PONG, b"nobody asked")
        + client_frame(CONT, (ASK % 1)[5:8], fin=False)
        + client_frame(PING, b"b")
        + client_frame(CONT, (ASK % 1)[8:])
    )
    answered = told(await converse(served, sent))
    assert answered[-2:] == [1, LIVES]
    # §5.5.3 allows to answer only the newest of several; here each is answered.
    assert answered[:-2] == [(PONG, b"a"), (PONG, b"b")]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_5_4_a_new_message_within_another_ends_it(served: Served, opcode: int) -> None:
    """Fragments of two messages are never mixed."""
    sent = client_frame(TEXT, b"{", fin=False) + client_frame(opcode, b"{}")
    assert told(await converse(served, sent)) == [("close", 1002)]


@pytest.mark.parametrize("fin", [True, False])
async def test_5_4_a_continuation_of_nothing_ends_it(served: Served, fin: bool) -> None:
    """At the beginning, and after a message that was whole."""
    assert told(await converse(served, client_frame(CONT, b"", fin=fin))) == [("close", 1002)]
    assert told(await converse(served, asked(1) + client_frame(CONT, b"", fin=fin))) == [
        1,
        ("close", 1002),
    ]


# §5.5: control frames.


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
async def test_5_5_a_control_frame_is_short_and_whole(served: Served, opcode: int) -> None:
    """125 bytes at most, and never in fragments."""
    long = bytes([0x80 | opcode, 0x80 | 126]) + struct.pack("!H", 126) + bytes(4) + bytes(126)
    assert told(await converse(served, long)) == [("close", 1002)]
    assert told(await converse(served, client_frame(opcode, b"", fin=False))) == [("close", 1002)]


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(125))])
async def test_5_5_2_a_ping_is_answered_with_its_payload(served: Served, payload: bytes) -> None:
    """All of it."""
    frames = await converse(served, client_frame(PING, payload))
    assert told(frames) == [(PONG, payload), LIVES]


async def test_5_5_3_a_pong_that_nobody_asked_for_is_no_fault(served: Served) -> None:
    """And is not answered."""
    assert told(await converse(served, client_frame(PONG, b"hello"))) == [LIVES]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", None),
        (b"\x03\xe8", 1000),
        (b"\x03\xe8bye", 1000),
        (b"\x03\xe8" + b"x" * 123, 1000),
        (b"\x03\xe9", 1001),
        (b"\x0f\xa0", 4000),
    ],
)
async def test_5_5_1_a_close_is_answered_with_its_code(
    served: Served, payload: bytes, code: int | None
) -> None:
    """And then the server ends the connection: nothing that comes after it is read."""
    async with served.dial() as client:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, client_frame(CLOSE, payload) + asked(1))
        got = await read_to_end(client)
    frames = [one for one in parse_frames(got) if b'"snapshot"' not in one[1]]
    assert frames == [(CLOSE, payload)]
    assert told(frames) == [("close", code)]


# §5.6, §8.1: text is UTF-8.


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"\xc0\xaf", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xce\xba\xe1\xbd"],
)
async def test_8_1_text_that_is_not_utf_8_ends_it(served: Served, text: bytes) -> None:
    """Whole or in fragments, wherever it is cut."""
    assert told(await converse(served, client_frame(TEXT, text))) == [("close", 1007)]
    sent = client_frame(TEXT, text[:1], fin=False) + client_frame(CONT, text[1:])
    assert told(await converse(served, sent)) == [("close", 1007)]


async def test_5_6_a_character_may_be_cut_by_a_fragment(served: Served) -> None:
    """Only the whole message need be UTF-8."""
    text = '{"type":"ping","sent":3,"x":"☁🤗"}'.encode()
    for cut in range(1, len(text)):
        sent = client_frame(TEXT, text[:cut], fin=False) + client_frame(CONT, text[cut:])
        if cut % 7 == 0 or text[cut] & 0xC0 == 0x80:
            assert told(await converse(served, sent)) == [3, LIVES]


# §7.4: close codes.


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4999])
async def test_7_4_codes_that_may_be_sent_are_accepted(served: Served, code: int) -> None:
    """And echoed."""
    frames = await converse(served, client_frame(CLOSE, struct.pack("!H", code)))
    assert told(frames) == [("close", code)]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])
async def test_7_4_codes_that_may_not_be_sent_end_it(served: Served, code: int) -> None:
    """Those that stand for something else, and those that nobody has defined."""
    frames = await converse(served, client_frame(CLOSE, struct.pack("!H", code)))
    assert told(frames) == [("close", 1002)]


@pytest.mark.parametrize(("payload", "code"), [(b"\x03", 1002), (b"\x03\xe8\xff", 1007)])
async def test_7_1_6_a_close_that_cannot_be_read_ends_it(
    served: Served, payload: bytes, code: int
) -> None:
    """Half a code, or a reason that is not UTF-8."""
    assert told(await converse(served, client_frame(CLOSE, payload))) == [("close", code)]


# §7.1: ends and races.


async def test_7_1_1_the_server_ends_tcp_first(served: Served) -> None:
    """After both close frames, so that the client's side holds no port."""
    async with served.dial() as client:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, client_frame(CLOSE, b"\x03\xe8"))
        got = await read_to_end(client)  # returns only when the server has closed
    assert close_code(got) == 1000


async def test_7_1_both_may_close_at_the_same_time(served: Served) -> None:
    """Each takes the other's close for the answer to its own."""
    async with served.dial() as client:
        loop = asyncio.get_running_loop()
        served.core.dispatcher.announce_restart()
        await loop.sock_sendall(client, client_frame(CLOSE, b"\x03\xe9"))
        got = await read_to_end(client)
    closes = [payload for opcode, payload in parse_frames(got) if opcode == CLOSE]
    assert len(closes) == 1
    assert closes[0][:2] in (b"\x03\xf4", b"\x03\xe9")


async def test_7_1_what_comes_after_our_close_is_not_acted_on(served: Served) -> None:
    """It is read until the client's close, which ends it."""
    async with served.dial() as client:
        loop = asyncio.get_running_loop()
        sent = (
            client_frame(TEXT, b"garbage")
            + asked(1)
            + client_frame(PING, b"?")
            + client_frame(CLOSE, b"\x11\x30")
        )
        await loop.sock_sendall(client, sent)
        got = await read_to_end(client)
    frames = [one for one in parse_frames(got) if b'"snapshot"' not in one[1]]
    assert told(frames)[0] == 4400
    assert [opcode for opcode, _ in frames].count(CLOSE) == 1
    assert b'"pong"' not in got


async def test_7_1_4_an_end_without_a_close_is_an_end(served: Served) -> None:
    """Nothing is written into it."""
    async with served.dial() as client:
        client.shutdown(socket.SHUT_WR)
        got = await read_to_end(client)
    assert close_code(got) is None
    assert served.count("connections", transport="websocket") in (0, 1)


# §4: the opening handshake; what the library answers is in test_handshake.


async def test_4_2_2_nothing_is_sent_before_the_answer(served: Served) -> None:
    """And the answer ends with an empty line, right before the first frame."""
    async with served.dial() as client:
        got = b""
        async with asyncio.timeout(10):
            while b'"snapshot"' not in got:
                got += await asyncio.get_running_loop().sock_recv(client, 1 << 16)
    head, _, rest = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nupgrade: websocket" in head.lower()
    assert b"\r\nconnection: upgrade" in head.lower()
    assert rest[0] == 0x81


@pytest.mark.parametrize(
    "request_line",
    [
        handshake().replace(b"HTTP/1.1", b"HTTP/1.0"),
        handshake().replace(b"websocket", b"websockets"),
        handshake().replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"),
        handshake().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25jZQ"),
        handshake().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ="),
        handshake().replace(b"Connection: Upgrade", b"Connection: keep-alive"),
        handshake("/ws", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    ],
)
async def test_4_2_1_a_handshake_that_is_none_is_refused(
    served: Served, request_line: bytes
) -> None:
    """In HTTP, and the connection ends or goes on as HTTP."""
    async with served.dial(request_line) as client:
        got = b""
        async with asyncio.timeout(10):
            while b"\r\n\r\n" not in got:
                got += await asyncio.get_running_loop().sock_recv(client, 1 << 16)
    assert b" 101 " not in got.partition(b"\r\n")[0]
    assert served.clients == 0
