"""The event stream of a browser that is admitted, and the answer to one that is not."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.transport.sse import Events
from tests.gateway import request
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.servers import read_to_end, serving
from tests.unit.gateway.transport.connection_registries import make_door
from tests.waiting import until


@pytest.fixture
def core() -> GatewayCore:
    return GatewayCore()


async def ask(
    core: GatewayCore, method: str = "GET", *, most: int = 10, **headers: str
) -> httpx.Response:
    """Ask the application, as one does who was not admitted at the front."""
    app = Starlette(routes=[Route("/events", Events(make_door(core, most=most)).serve)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.request(method, "/events", headers=headers)


async def test_who_only_looks_is_told_what_there_would_be(core: GatewayCore) -> None:
    """HEAD has no stream."""
    answer = await ask(core, "HEAD")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert core.dispatcher.subscriber_count == 0


@pytest.mark.parametrize(
    ("headers", "most", "status", "detail"),
    [
        ({"origin": "https://evil.example"}, 10, 403, "GATEWAY_ALLOWED_ORIGINS"),
        ({}, 0, 503, "come back later"),
        ({}, 10, 400, "no second request"),
    ],
)
async def test_who_is_not_admitted_is_told_why(
    core: GatewayCore, headers: dict[str, str], most: int, status: int, detail: str
) -> None:
    """With a problem document."""
    answer = await ask(core, most=most, **headers)

    assert answer.status_code == status
    assert detail in answer.json()["detail"]


async def test_a_stream_that_is_left_is_forgotten() -> None:
    """Wherever it stood."""
    async with serving() as served:
        async with served.dialled(request("/events")):
            await until(lambda: served.browsers == 1, "in")
        await until(lambda: served.browsers == 0, "forgotten")
        assert served.core.dispatcher.subscriber_count == 0


async def test_chunks_are_whole_events_and_have_an_end() -> None:
    """The last one says that there are no more."""
    async with serving() as served, served.dialled(request("/events")) as stream:
        await until(lambda: served.browsers == 1, "in")
        served.say()
        await until(lambda: served.count("delivered_updates_total") == 1, "told")
        served.core.dispatcher.announce_restart()
        got = await read_to_end(stream)

    head, _, rest = got.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    chunks = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        assert rest[int(size, 16) :].startswith(b"\r\n")
        rest = rest[int(size, 16) + 2 :]
    assert chunks[-1] == b""
    assert all(chunk.endswith(b"\n\n") for chunk in chunks[:-1])
    kinds = b"".join(chunks)
    assert kinds.index(b"retry: ") < kinds.index(b'"snapshot"') < kinds.index(b'"goodbye"')
