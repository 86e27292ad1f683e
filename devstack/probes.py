"""Probes: whether a program is ready. None means that it is; a text says why it is not."""

import asyncio
from collections.abc import Awaitable, Callable

Probe = Callable[[], Awaitable[str | None]]

PROBE_TIMEOUT_S = 2.0


async def mqtt_answers(host: str, port: int, *credentials: str) -> str | None:
    """Connect with MQTT 3.1.1, and disconnect; `credentials` are a user and its password."""
    flags = b"\xc2" if credentials else b"\x02"
    fields = [field.encode() for field in ("devstack", *credentials)]
    body = b"\x00\x04MQTT\x04" + flags + b"\x00\x0a"
    body += b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    connect = bytes([0x10, len(body)]) + body
    answer = await _exchange(host, port, connect, 4)
    if isinstance(answer, str):
        return answer
    return None if answer == b"\x20\x02\x00\x00" else f"answered CONNECT with {answer!r}"


async def http_answers(host: str, port: int, path: str, *, status: int | None = None) -> str | None:
    """Get a path; without `status` every HTTP answer means that the program is ready."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    answer = await _exchange(host, port, request.encode(), -1)
    if isinstance(answer, str):
        return answer
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line = head.split(b"\r\n")[0].decode(errors="replace")
    if not status_line.startswith("HTTP/"):
        return f"answered {status_line!r}, which is not HTTP"
    if status is None or status_line.split()[1:2] == [str(status)]:
        return None
    reason = status_line.partition(" ")[2]
    return f"{path} answers {reason}: {body.decode(errors='replace').strip()}"


async def tcp_accepts(host: str, port: int) -> str | None:
    """Connect, and close."""
    answer = await _exchange(host, port, b"", 0)
    return answer if isinstance(answer, str) else None


async def _exchange(host: str, port: int, request: bytes, size: int) -> bytes | str:
    """Send a request; return `size` bytes of the answer (-1: all of it), or why there is none."""
    writer = None
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            return await (reader.read() if size < 0 else reader.readexactly(size))
    except TimeoutError:
        return f"no answer on port {port} within {PROBE_TIMEOUT_S:.0f} s"
    except (OSError, asyncio.IncompleteReadError) as error:
        return f"no answer on port {port}: {error}"
    finally:
        if writer is not None:
            writer.close()
