"""Questions put to a program to know whether it is up: `None` is yes, a text says why not."""

import asyncio
from collections.abc import Awaitable, Callable

Probe = Callable[[], Awaitable[str | None]]

PATIENCE_S = 2.0


async def mqtt_answers(host: str, port: int) -> str | None:
    """Ask for an MQTT 3.1.1 session and give it back."""
    client = b"devstack"
    variable = b"\x00\x04MQTT\x04\x02\x00\x0a" + len(client).to_bytes(2, "big") + client
    connect = bytes([0x10, len(variable)]) + variable
    answer = await _exchange(host, port, connect, 4)
    if isinstance(answer, str):
        return answer
    return None if answer == b"\x20\x02\x00\x00" else f"answered CONNECT with {answer!r}"


async def http_answers(host: str, port: int, path: str, *, status: int | None = None) -> str | None:
    """Get a path; any answer will do unless `status` is given."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    answer = await _exchange(host, port, request.encode(), -1)
    if isinstance(answer, str):
        return answer
    head, _, body = answer.partition(b"\r\n\r\n")
    first = head.split(b"\r\n")[0].decode(errors="replace")
    if not first.startswith("HTTP/"):
        return f"answered {first!r}, which is no HTTP"
    if status is None or first.split()[1:2] == [str(status)]:
        return None
    return f"{path} answers {first.partition(' ')[2]}: {body.decode(errors='replace').strip()}"


async def _exchange(host: str, port: int, request: bytes, size: int) -> bytes | str:
    writer = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            return await (reader.read() if size < 0 else reader.readexactly(size))
    except TimeoutError:
        return f"no answer on port {port} within {PATIENCE_S:.0f} s"
    except (OSError, asyncio.IncompleteReadError) as error:
        return f"no answer on port {port}: {error}"
    finally:
        if writer is not None:
            writer.close()
