"""The handler of messages may fail: each kind of error is logged once, and all are counted."""

import structlog

from runtime.error_text import MAX_ERROR_CHARACTERS
from runtime.mqtt.guarded_handler import GuardedHandler
from runtime.mqtt.packets import Message


def test_each_kind_of_error_is_logged_once_and_cut() -> None:
    """A message that fails may be sent for ever, and its error may quote it."""
    handled: list[bytes] = []

    def handle(message: Message) -> None:
        handled.append(message.payload)
        if message.payload == b"value":
            raise ValueError("9" * 100_000)
        if message.payload == b"key":
            raise KeyError("k")

    guarded = GuardedHandler(handle, 100)
    with structlog.testing.capture_logs() as lines:
        for number in range(100):
            guarded.receive(Message(f"p/{number}/state", b"value", False))
            guarded.receive(Message(f"p/{number}/state", b"key", False))
            guarded.receive(Message(f"p/{number}/state", b"good", False))

    assert (guarded.failed, len(handled)) == (200, 300)
    assert [line["error"].partition(":")[0] for line in lines] == ["ValueError", "KeyError"]
    assert all(len(line["error"]) <= MAX_ERROR_CHARACTERS for line in lines)
    assert lines[0]["at"].startswith("test_guarded_handler.py:")


def test_a_message_above_the_limit_is_logged_once_and_counted() -> None:
    """Its handler does not get it."""
    guarded = GuardedHandler(lambda _message: None, 100)
    with structlog.testing.capture_logs() as lines:
        for number in range(3):
            guarded.discard("p/a/state", 101 + number)

    assert guarded.oversized == 3
    assert [(line["bytes"], line["limit"]) for line in lines] == [(101, 100)]
