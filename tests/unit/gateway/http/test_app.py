"""Every endpoint of the application: its response and the headers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from contract.states import STATES_JSON
from devstack.processes import ROOT
from gateway.http.api import PIECE_BYTES, api_routes
from gateway.http.app import STATIC, create_app
from gateway.http.guard import Guard
from gateway.http.responses import PiecedResponse
from gateway.http.sse_endpoint import sse_endpoint
from gateway.past_parts import Past
from gateway.settings import GatewaySettings
from gateway.transport.pipeline import PIPELINE_KEY, Pipeline
from tests.unit.gateway.core import GatewayCore
from tests.unit.gateway.strategies import update
from tests.unit.gateway.transport.contexts import make_context
from tests.unit.gateway.transport.transports import MemoryTransport

FRIEND = "https://friend.example"
ODD = b'{ "pillow":"cloud-1" , "state":"hugging","at":"2023-11-22T06:00:00Z","seq":7, "x":[ 1 ]}'


def api_of(core: GatewayCore, guard: Guard) -> list[Route]:
    """Return the routes of the API, without a database."""
    past = Past(GatewaySettings.load(), core.history, core.clock, core.metrics)
    return [*api_routes(core.store, core.dispatcher, guard), *past.routes(core.store, guard)]


class Site:
    """An application and an HTTP client of it."""

    def __init__(self, **settings: object) -> None:
        self.core = core = GatewayCore()
        given = GatewaySettings.load(**settings)
        context = make_context(core, given.allowed_origins)
        self.app = create_app(
            given,
            [
                Route("/events", sse_endpoint(context)),
                *api_of(core, Guard(None, context.registry.count_refused)),
            ],
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://gateway"
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=given)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    async with made.client:
        yield made


@pytest.fixture
async def open_site() -> AsyncIterator[Site]:
    """An application that allows another origin."""
    made = Site(GATEWAY_ALLOWED_ORIGINS=(FRIEND,))
    async with made.client:
        yield made


PAGES = [
    "/",
    "/favicon.svg",
    "/style.css",
    "/embed.js",
    "/pillowcast.js",
    "/states.js",
    "/api/pillows",
    "/healthz",
    "/nothing",
]


@pytest.mark.parametrize("path", PAGES)
async def test_every_response_has_the_security_headers(site: Site, path: str) -> None:
    """Also a 404."""
    headers = (await site.get(path)).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "object-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers
    assert headers.get("vary", "").lower().count("origin") <= 1
    assert "set-cookie" not in headers
    if not headers["content-type"].partition(";")[0].endswith("json"):  # which is UTF-8 by itself
        assert headers["content-type"].endswith("; charset=utf-8")
    assert headers["cross-origin-resource-policy"] == (
        "cross-origin" if path.endswith(".js") else "same-origin"
    )
    assert headers["cache-control"] == ("no-store" if path.startswith("/api/") else "no-cache")


async def test_data_may_run_and_load_nothing_where_a_browser_shows_it(site: Site) -> None:
    """Only the page has scripts and styles."""
    for path in PAGES[1:]:
        policy = (await site.get(path)).headers["content-security-policy"]
        assert policy.endswith("; sandbox"), path
        assert "script-src" not in policy


@pytest.mark.parametrize(
    ("setting", "directive"),
    [("", "'none'"), ("self, https://*.friend.example", "'self' https://*.friend.example")],
)
async def test_the_page_may_be_framed_by_the_sites_of_the_setting(
    setting: str, directive: str
) -> None:
    """And nothing else may be."""
    made = Site(GATEWAY_FRAME_ANCESTORS=setting)
    async with made.client:
        page = (await made.get("/")).headers["content-security-policy"]
        other = (await made.get("/api/pillows")).headers["content-security-policy"]

    assert f"frame-ancestors {directive};" in page
    assert "frame-ancestors 'none';" in other


async def test_the_states_module_equals_the_contracts_declaration(site: Site) -> None:
    """The page and the services share one declaration of the states."""
    answer = await site.get("/states.js")

    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.content.startswith(b"export default {")
    object_ = answer.content.removeprefix(b"export default ").removesuffix(b";\n")
    assert msgspec.json.decode(object_) == msgspec.json.decode(STATES_JSON)


@pytest.mark.parametrize("path", ["/embed.js", "/pillowcast.js", "/states.js"])
async def test_any_origin_may_load_the_modules(site: Site, path: str) -> None:
    """Browsers fetch modules with CORS."""
    answer = await site.get(path, Origin="https://anyone.example")

    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/api/pillows", "/healthz", "/"])
async def test_another_origin_may_read_nothing_else(site: Site, path: str) -> None:
    """Unless GATEWAY_ALLOWED_ORIGINS has it."""
    answer = await site.get(path, Origin=FRIEND)

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/api/pillows", "/healthz", "/", "/openapi.json"])
@pytest.mark.parametrize("origin", ["", FRIEND, "https://stranger.example"])
async def test_a_cache_keeps_responses_to_other_origins_apart(
    open_site: Site, path: str, origin: str
) -> None:
    """Also the response to a request without an origin, which lets nobody read it."""
    answer = await open_site.get(path, **({"Origin": origin} if origin else {}))

    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize(
    "headers",
    [
        {"Access-Control-Request-Method": "GET", "Origin": "https://stranger.example"},
        {"Access-Control-Request-Method": "GET", "Origin": "null"},
        {"Access-Control-Request-Method": "POST", "Origin": FRIEND},
        {
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-other",
            "Origin": FRIEND,
        },
    ],
)
async def test_a_preflight_of_what_is_not_allowed_is_refused(
    open_site: Site, headers: dict[str, str]
) -> None:
    """Another origin, another method, another header."""
    answer = await open_site.client.options("/api/pillows", headers=headers)

    assert answer.status_code == 400
    assert answer.headers.get("access-control-allow-origin") in (None, FRIEND)
    assert "access-control-allow-credentials" not in answer.headers


async def test_an_allowed_origin_may_read_the_api(open_site: Site) -> None:
    """And no other."""
    friend = await open_site.get("/api/pillows", Origin=FRIEND)
    stranger = await open_site.get("/api/pillows", Origin="https://stranger.example")

    assert friend.headers["access-control-allow-origin"] == FRIEND
    assert "Origin" in friend.headers["vary"]
    assert "access-control-allow-origin" not in stranger.headers


async def test_a_preflight_allows_an_allowed_origin_to_resume_the_event_stream(
    open_site: Site,
) -> None:
    """A browser sends a preflight because of the Last-Event-ID header."""
    answer = await open_site.client.options(
        "/events",
        headers={
            "Origin": FRIEND,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "cache-control, last-event-id",
        },
    )

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert "last-event-id" in answer.headers["access-control-allow-headers"].lower()


async def test_the_api_responds_with_states_byte_for_byte(site: Site) -> None:
    """One, all, and past ones."""
    site.core.receive("pillow/cloud-1/state", ODD)

    assert (await site.get("/api/pillows/cloud-1")).content == ODD
    everything = (await site.get("/api/pillows")).content
    assert everything == b'{"cursor":"ep:1","broker":"offline","pillows":[%b]}' % ODD
    site.core.consumer.on_broker_ready(delivers_retained=False)
    limited = (await site.get("/api/pillows")).content
    assert limited.startswith(b'{"cursor":"ep:1","broker":"online","retained":false,"pillows":[')
    site.core.receive("pillow/cloud-1/state", update(at=10**9).payload)
    history = (await site.get("/api/pillows/cloud-1/history")).content
    assert history == b'{"pillow":"cloud-1","states":[%b,%b]}' % (ODD, update(at=10**9).payload)


@pytest.mark.parametrize("name", ["cloud-9", "bridge", "%23", "%22", "%ff%0d%0a", "x" * 3000])
@pytest.mark.parametrize("tail", ["", "/history"])
async def test_an_unknown_pillow_is_a_problem_document(site: Site, name: str, tail: str) -> None:
    """Whatever its name; the document stays short."""
    answer = await site.get(f"/api/pillows/{name}{tail}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 404
    assert problem["title"] == "unknown pillow"
    assert len(problem["detail"]) < 300


async def test_the_public_port_says_that_the_process_runs_and_nothing_else(site: Site) -> None:
    """A restart of the gateway does not start a broker; what is wrong is for operators."""
    answer = await site.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/metrics?x=1", "/readyz/", "/%6detrics"])
async def test_readiness_and_metrics_are_not_on_the_public_port(site: Site, path: str) -> None:
    """They name the broker and its faults."""
    assert (await site.get(path)).status_code == 404


async def test_an_asset_with_a_matching_etag_is_answered_with_304(site: Site) -> None:
    """Without security headers but the policy, because the browser keeps those that it has."""
    for path in ("/", "/pillowcast.js", "/style.css"):
        first = await site.get(path)
        assert first.status_code == 200
        again = await site.get(path, If_None_Match=first.headers["etag"])
        assert again.status_code == 304
        assert again.content == b""
        assert ("content-security-policy" in again.headers) == (path == "/")
        assert "permissions-policy" not in again.headers
    assert (await site.get("/style.css")).content == (STATIC / "style.css").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/%2e%2e/app.py",
        "/..%2fapp.py",
        "//etc/passwd",
        "/%00",
        "/" + "a" * 5000,
    ],
)
async def test_a_path_outside_the_static_folder_is_answered_with_404(site: Site, path: str) -> None:
    """Without an exception."""
    request = httpx.Request("GET", httpx.URL(f"http://gateway{path}"))

    assert (await site.client.send(request)).status_code == 404


@pytest.mark.parametrize("path", ["/", "/api/pillows", "/events", "/healthz"])
async def test_methods_that_write_are_answered_with_405(site: Site, path: str) -> None:
    """Clients only read."""
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        assert (await site.client.request(method, path)).status_code == 405


async def test_the_openapi_and_asyncapi_documents_are_served(site: Site) -> None:
    """At their paths."""
    assert (await site.get("/openapi.json")).json()["openapi"] == "3.1.0"
    assert (await site.get("/asyncapi.json")).json()["asyncapi"] == "3.0.0"


async def test_head_of_the_event_stream_subscribes_nothing(site: Site) -> None:
    """It has the stream's headers, and ends."""
    answer = await site.client.head("/events")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store, no-transform"
    assert site.core.dispatcher.subscriber_count() == 0


async def test_a_refused_event_stream_is_answered_with_the_reason(site: Site) -> None:
    """As a problem document, because an EventSource shows a page nothing of a failed request."""
    bad = await site.get("/events?pillow=%23")
    foreign = await site.get("/events", Origin="https://evil.example")

    assert bad.status_code == 400
    assert bad.json()["detail"] == "pillow id '#' is not valid"
    assert foreign.status_code == 403
    assert "GATEWAY_ALLOWED_ORIGINS" in foreign.json()["detail"]


async def test_an_internal_error_has_the_security_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser shows that response too."""
    made = Site()

    def fail() -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(made.core.store, "arrivals_after", fail)
    transport = httpx.ASGITransport(made.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.get("/api/pillows")
    assert answer.status_code == 500
    assert "a bug" not in answer.text
    assert "ValueError" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_every_refusal_is_a_problem_document(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With exactly these fields a client tells it from a proxy's."""

    def fail(_arrival: int) -> None:
        raise ValueError("a bug")

    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    monkeypatch.setattr(site.core.store, "arrivals_after", fail)
    transport = httpx.ASGITransport(site.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        refusals = [
            await client.get("/nothing"),
            await client.get("/api/nothing"),
            await client.get("/api/pillows/nobody"),
            await client.get("/api/pillows"),
            await client.get("/ws"),
            await client.get("/events?pillow=%23"),
            await client.get("/events", headers={"Origin": "https://evil.example"}),
            await client.post("/"),
            await client.delete("/api/pillows"),
            await client.options("/events", headers=preflight),
        ]
    for one in refusals:
        assert one.headers["content-type"] == "application/problem+json", one.request
        document = one.json()
        assert sorted(document) == ["detail", "status", "title", "type"]
        assert document["type"] == "about:blank"
        assert document["status"] == one.status_code
        assert document["title"]
        assert document["detail"]
    assert [one.status_code for one in refusals] == [
        404, 404, 404, 500, 426, 400, 403, 405, 405, 400,
    ]  # fmt: skip
    assert refusals[6].headers["access-control-allow-origin"] == "*"
    assert sorted(refusals[7].headers["allow"].split(", ")) == ["GET", "HEAD"]


async def test_ws_without_a_handshake_is_answered_with_426(site: Site) -> None:
    """Proxies that are not configured for WebSockets send such requests."""
    answer = await site.get("/ws")
    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"


@pytest.mark.parametrize("pillows", [1, 300])
async def test_a_list_of_any_length_is_complete(site: Site, pillows: int) -> None:
    """A long one is sent in pieces, so that a slow reader holds one piece and no copy of all."""
    updates = [update(f"cloud-{number}", 1, pad=1000) for number in range(pillows)]
    for one in updates:
        site.core.receive(f"pillow/{one.pillow}/state", one.payload)
    answer = await site.get("/api/pillows")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert ("content-length" in answer.headers) == (pillows == 1)
    assert answer.content.endswith(b"[" + b",".join(one.payload for one in updates) + b"]}")
    assert len(answer.json()["pillows"]) == pillows


async def test_a_long_list_is_made_as_it_is_read() -> None:
    """Each piece has the states of its moment; what is added later is not in the list."""
    core = GatewayCore(history_bytes=1 << 20)
    for number in range(400):
        pillow = "cloud-0" if number % 2 else f"cloud-{number}"
        core.put(update(pillow, number, pad=1000))
    pillows = begin(core, "/api/pillows")
    history = begin(core, "/api/pillows/{pillow}/history")

    listed, past = await anext(pillows), await anext(history)
    core.put(update("cloud-398", 1000, state="punching", pad=1000))
    core.put(update("cloud-0", 1001, pad=1000))
    core.put(update("new", 1002, pad=1000))
    listed += b"".join([piece async for piece in pillows])
    past += b"".join([piece async for piece in history])

    states = msgspec.json.decode(listed)["pillows"]
    assert [state["pillow"] for state in states] == [f"cloud-{2 * n}" for n in range(200)]
    assert states[-1]["state"] == "punching"
    instants = [state["at"] for state in msgspec.json.decode(past)["states"]]
    assert instants == sorted(set(instants))
    assert len(instants) == 201


@pytest.mark.parametrize("is_closed", [True, False])
async def test_a_long_list_ends_when_nobody_reads_it_any_more(*, is_closed: bool) -> None:
    """The client has closed, or its connection has been given to another protocol.

    The list is sent by the request's own task, whose time is charged.
    """
    sent: list[Any] = []
    tasks = set()
    transport = MemoryTransport()
    pipeline = Pipeline(asyncio.Protocol(), transport, lambda: None)

    async def pieces() -> AsyncGenerator[bytes]:
        try:
            for _ in range(5):
                tasks.add(asyncio.current_task())
                yield b"piece"
        finally:
            sent.append("closed")

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 3:
            transport.abort() if is_closed else pipeline.connection_lost(None)

    async def receive() -> Any:
        raise AssertionError("the client is not asked")

    await PiecedResponse(pieces())({"state": {PIPELINE_KEY: pipeline}}, receive, send)

    assert [one["body"] for one in sent[1:3]] == [b"piece", b"piece"]
    assert sent[3:] == ["closed", {"type": "http.response.body", "body": b"", "more_body": False}]
    assert tasks == {asyncio.current_task()}


async def begin(core: GatewayCore, path: str) -> AsyncIterator[bytes]:
    """Call an endpoint; return what yields the pieces of its response."""
    guard = Guard(None, make_context(core).registry.count_refused)
    routes = {route.path: route for route in api_of(core, guard)}
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    request = Request({**scope, "path_params": {"pillow": "cloud-0"}})
    response = await routes[path].endpoint(request)
    assert isinstance(response, StreamingResponse)
    async for piece in response.body_iterator:
        assert isinstance(piece, bytes)
        assert len(piece) <= PIECE_BYTES
        yield piece


@pytest.mark.parametrize("name", ["asyncapi.json", "openapi.json"])
async def test_the_document_that_is_served_is_the_one_in_the_repository(
    site: Site, name: str
) -> None:
    """Which a stranger reads without a gateway."""
    response = await site.get(f"/{name}")

    published = ROOT / "packages" / "contract" / name
    assert response.json() == msgspec.json.decode(published.read_bytes())
