"""The headers of every response."""

from runtime.security_headers import SECURITY_FIELDS, SECURITY_HEADERS


def test_the_policy_of_data_has_what_every_policy_needs() -> None:
    """No base, no object, no frame; nothing by default."""
    directives = SECURITY_HEADERS["Content-Security-Policy"].split("; ")

    assert {
        "default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
    } <= set(directives)  # fmt: skip


def test_the_fields_as_they_are_written_are_the_same() -> None:
    """Names in lower case, as HTTP/2 has them."""
    assert {name.decode(): value.decode() for name, value in SECURITY_FIELDS} == {
        name.lower(): value for name, value in SECURITY_HEADERS.items()
    }
