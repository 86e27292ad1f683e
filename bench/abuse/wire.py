"""What clients send, as bytes; and the close code in what they receive."""

from websockets.frames import Frame, Opcode

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def request(target: str, *headers: str, method: str = "GET") -> bytes:
    """Return a request without a body."""
    lines = (f"{method} {target} HTTP/1.1", "Host: localhost", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1")


def upgrade(target: str = "/ws", *headers: str) -> bytes:
    """Return the opening handshake of a WebSocket."""
    return request(
        target,
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {_KEY}",
        "Sec-WebSocket-Version: 13",
        *headers,
    )


def text_message(payload: bytes) -> bytes:
    """Return a text message in one frame."""
    return Frame(Opcode.TEXT, payload).serialize(mask=True)


def ping(payload: bytes) -> bytes:
    """Return a ping."""
    return Frame(Opcode.PING, payload).serialize(mask=True)


def pong() -> bytes:
    """Return a pong without a payload, as it answers the gateway's pings."""
    return Frame(Opcode.PONG, b"").serialize(mask=True)


def close_code(received: bytes) -> int | None:
    """Return the code of the close frame behind the response to a handshake; None without one."""
    rest = received.partition(b"\r\n\r\n")[2]
    while len(rest) >= 4:
        size, start = rest[1] & 0x7F, 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(rest[2:start])
        if rest[0] & 0x0F == Opcode.CLOSE:
            return int.from_bytes(rest[start : start + 2])
        rest = rest[start + size :]
    return None
