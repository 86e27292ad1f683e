"""The paths of the public port."""

from contract.close_codes import CLOSE_CODES
from contract.documents.gateway_paths import gateway_paths


def test_the_event_stream_has_the_refusals_of_the_close_codes() -> None:
    """One table says why a client is refused, on a WebSocket and in a response."""
    responses = gateway_paths()["/events"]["get"]["responses"]
    statuses = {str(code.status) for code in CLOSE_CODES.values() if code.status}

    assert set(responses) == {"200", "default", *statuses}
    for code in CLOSE_CODES.values():
        if code.status is not None:
            is_for_now = "Retry-After" in responses[str(code.status)].get("headers", {})
            assert is_for_now == (code.reconnect != "no")


def test_what_needs_a_token_may_answer_401() -> None:
    """And what needs none has no security."""
    for path, item in gateway_paths().items():
        operation = item["get"]
        if path != "/ws":  # refuses by a close code
            assert ("401" in operation["responses"]) == ("security" not in operation), path
