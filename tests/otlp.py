"""A collector of spans in this process: it speaks OTLP over HTTP, and keeps what it is sent."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

AZURE_PATH: Final = "/v2.1/track"
"""Where the exporter for Azure Monitor sends spans, in a format of its own."""


class Span:
    """One span as it was sent."""

    def __init__(self, service: str, span: Any) -> None:
        self.service = service
        self.name: str = span.name
        self.trace_id: str = span.trace_id.hex()
        self.span_id: str = span.span_id.hex()
        self.parent_id: str = span.parent_span_id.hex()
        self.start_ns: int = span.start_time_unix_nano
        self.end_ns: int = span.end_time_unix_nano
        self.is_error: bool = span.status.code == 2
        self.attributes = {
            one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes
        }

    def __repr__(self) -> str:
        return f"{self.service}: {self.name} {self.span_id} < {self.parent_id} {self.attributes}"


class Collector:
    """The spans that arrived, and the headers that came with them."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Span] = []
        self.headers: list[dict[str, str]] = []
        self.requests: list[tuple[str, bytes]] = []
        """Every request: its path and its body, unpacked."""

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace."""
        return [span for span in list(self.spans) if span.trace_id == trace_id]

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        """Keep the spans of a request."""
        self.headers.append(headers)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.spans += [
                Span(names["service.name"], span)
                for scope in resource.scope_spans
                for span in scope.spans
            ]


@contextmanager
def collector() -> Iterator[Collector]:
    """Run a collector on a free port."""
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers["content-encoding"] == "gzip":
                body = gzip.decompress(body)
            kept.requests.append((self.path, body))
            answer = b""
            if self.path == AZURE_PATH:
                answer = b'{"itemsReceived":1,"itemsAccepted":1,"errors":[]}'
            else:
                kept.take(body, {name.lower(): text for name, text in self.headers.items()})
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
