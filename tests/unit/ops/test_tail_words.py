"""What tail, bench and trace-client print."""

from gateway.ops.client_reports import ClientReport, Follows
from ops.commands.bench import Measured, summary
from ops.commands.trace_client import describe
from ops.tail.feeds import websocket_url


def test_percentiles_are_of_what_arrived() -> None:
    times = [float(number) for number in range(1, 101)]

    assert summary(100, times) == Measured(100, 100, 51.0, 91.0, 100.0, 100.0)
    assert summary(3, []) == Measured(3, 0, None, None, None, None)


def test_the_stream_of_some_pillows_has_their_names_in_its_address() -> None:
    assert websocket_url("http://gateway:8080", []) == "ws://gateway:8080/ws"
    assert (
        websocket_url("https://clouds.example.org/sky/", ["a", "b"])
        == "wss://clouds.example.org/sky/ws?pillow=a&pillow=b"
    )


def test_a_client_is_one_line() -> None:
    follows = Follows(True, 0, [])
    client = ClientReport(
        "3wykm", "10.0.0.1", None, "websocket", "deflated", follows, "paused", 61.0, 9, 17, 3,
        "k3f9", None,
    )  # fmt: skip

    assert describe(client) == (
        "3wykm  10.0.0.1  websocket  follows all pillows  paused, connected for 1.0 min, backlog "
        "9 B, behind by 17, paused 3 times, by share link k3f9"
    )
