"""The responses that are written without the application have the security headers too."""

from gateway.transport.plain_response import problem_response
from gateway.transport.request_parser import RequestHead
from gateway.transport.sse import response_head
from runtime.security_headers import SECURITY_HEADERS


def fields_of(response: bytes) -> dict[str, str]:
    """Return the header fields of a response by their lower-case names; none is repeated."""
    lines = response.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    fields = dict(line.split(": ", 1) for line in lines)
    assert len(fields) == len(lines)
    return fields


WANTED = {name.lower(): value for name, value in SECURITY_HEADERS.items()}


def test_a_refusal_before_the_application_has_the_security_headers() -> None:
    """A browser shows it as it shows any other."""
    assert WANTED.items() <= fields_of(problem_response(431, "Too large.")).items()


def test_an_event_stream_has_the_security_headers() -> None:
    """It may be opened as a page."""
    head = RequestHead(b"GET", b"/events", "1.1", {}, (), is_upgrade=False)

    assert WANTED.items() <= fields_of(response_head(head)).items()
