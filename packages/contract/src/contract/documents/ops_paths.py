"""Paths of the operators' ports, each on the servers that have it."""

from typing import Final

from contract.documents.paths import (
    CURRENT,
    FOREIGN_HOST,
    PILLOW,
    PUBLIC,
    TEXT,
    content,
    json,
    operation,
    problem,
    query,
    text,
    whole,
)
from contract.documents.schemas import Node, reference

_HOST: Final[Node] = {"421": text("The port is not answered under the host of this request.")}


def _server(description: str, port: int) -> Node:
    return {
        "url": "http://localhost:{port}",
        "description": description,
        "variables": {"port": {"default": str(port)}},
    }


GATEWAY: Final = _server("The gateway's public port, GATEWAY_PORT.", 8080)
GATEWAY_OPS: Final = _server("The gateway's port for operators, GATEWAY_OPS_PORT.", 8082)
POLLER: Final = _server("The poller's port for operators, POLLER_PORT.", 8081)
NOTIFIER: Final = _server("The notifier's port for operators, NOTIFIER_PORT.", 8083)
RECORDER: Final = _server("The recorder's port for operators, RECORDER_PORT.", 8084)
EVERY: Final = [GATEWAY_OPS, POLLER, NOTIFIER, RECORDER]

_LIMIT: Final = query("limit", "How many at most.", whole(500))
_AFTER: Final = query("after", "What `next` of the page before says.", TEXT)
_GREY: Final = query("grey", "1 for grey pillows only.", {"enum": ["1"]})
_CLIENT: Final[Node] = {
    "name": "client",
    "in": "path",
    "required": True,
    "description": "The client's id, as /ops/clients has it.",
    "schema": TEXT,
}


def ops_paths() -> Node:
    """Return the paths."""
    return {**_health(), **_pages(), **_reports(), **_clients()}


def _health() -> Node:
    return {
        "/healthz": {
            "servers": [GATEWAY, *EVERY],
            "get": operation(
                "alive",
                "ops",
                "The process runs.",
                {"200": text("It does."), "403": problem("The same on the public port."), **_HOST},
                **PUBLIC,
            ),
        },
        "/readyz": {
            "servers": EVERY,
            "get": operation(
                "ready",
                "ops",
                "Whether each dependency works.",
                {
                    "200": json("All do.", "Readiness"),
                    "503": json("One does not.", "Readiness"),
                    **_HOST,
                },
                **PUBLIC,
            ),
        },
        "/metrics": {
            "servers": EVERY,
            "get": operation(
                "metrics",
                "ops",
                "Metrics for Prometheus.",
                {"200": content("The metrics.", "text/plain", TEXT), **_HOST},
                **PUBLIC,
            ),
        },
        "/wake": {
            "servers": [POLLER],
            "post": operation(
                "wake",
                "ops",
                "The queue is polled at once.",
                {"202": text("It is polled now."), **_HOST},
                **PUBLIC,
            ),
        },
    }


def _pages() -> Node:
    return {
        "/": {
            "servers": [GATEWAY, GATEWAY_OPS],
            "get": operation(
                "page",
                "gateway",
                "The page; on the port for operators, that of operators.",
                {
                    "200": content("The page.", "text/html", TEXT),
                    "304": CURRENT,
                    "403": FOREIGN_HOST,
                    **_HOST,
                },
                **PUBLIC,
            ),
        },
    }


def _reports() -> Node:
    one_pillow = {"anyOf": [reference("GatewayPillowReport"), reference("PollerPillowReport")]}
    return {
        "/ops/about": _report(
            [GATEWAY_OPS, POLLER],
            "about",
            "Which process this is: version, clock, settings without secrets.",
            reference("OpsAbout"),
        ),
        "/ops/pillows": _report(
            [GATEWAY_OPS],
            "pillowReports",
            "What is known of pillows.",
            reference("GatewayPillowPage"),
            _AFTER,
            _LIMIT,
            _GREY,
        ),
        "/ops/pillows/{pillow}": _report(
            [GATEWAY_OPS, POLLER],
            "pillowReport",
            "What is known of one pillow.",
            one_pillow,
            PILLOW,
        ),
        "/ops/dead-letters": _report(
            [POLLER],
            "deadLetters",
            "The newest dead letters of this process.",
            _list_of("PollerRecentDeadLetter"),
        ),
        "/ops/limits": _report(
            [GATEWAY_OPS],
            "limits",
            "Each limit, and what is used of it.",
            _list_of("GatewayLimitReport"),
        ),
        "/ops/refusals": _report(
            [GATEWAY_OPS],
            "refusals",
            "The clients that were refused last.",
            _list_of("GatewayRefusedClient"),
        ),
    }


def _clients() -> Node:
    gone = {"404": json("No such client is connected.", "OpsFailure")}
    return {
        "/ops/clients": _report(
            [GATEWAY_OPS],
            "clientReports",
            "The clients that are connected.",
            reference("GatewayClientPage"),
            _AFTER,
            _LIMIT,
        ),
        "/ops/clients/{client}": _report(
            [GATEWAY_OPS],
            "clientReport",
            "One client.",
            reference("GatewayClientReport"),
            _CLIENT,
            others=gone,
        ),
        "/ops/clients/{client}/trace": _report(
            [GATEWAY_OPS],
            "traceClient",
            "What one client is sent from now on, and why; the next request goes on behind it, "
            "also when the client has left meanwhile.",
            reference("GatewayClientTrace"),
            _CLIENT,
            _AFTER,
            others={**gone, "429": json("As many clients are traced as may be.", "OpsFailure")},
        ),
    }


def _list_of(name: str) -> Node:
    return {"type": "array", "items": reference(name)}


def _report(
    servers: list[Node],
    name: str,
    summary: str,
    schema: Node,
    *parameters: Node,
    others: Node | None = None,
) -> Node:
    """Return a path for operators; `pillowcast` reads the response."""
    report = content("The report.", "application/json", schema)
    responses = {"200": report, **(others or {}), **_HOST}
    return {
        "servers": servers,
        "get": operation(name, "ops", summary, responses, *parameters, **PUBLIC),
    }
