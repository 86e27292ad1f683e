"""Fuzz targets: a module for each parser of bytes from outside, and one for the way of a message.

A target has `check(data)`, which raises for bytes that break what it promises, and `seeds()`.
`scripts/fuzz` runs the targets under atheris; tests/unit/test_fuzz.py runs each once with every
input of its corpus, without atheris.
"""

from typing import Final

TARGETS: Final = (
    "stream",
    "queue_message",
    "state",
    "mqtt_packet",
    "http_request",
    "admission",
    "websocket",
    "client_message",
    "access_token",
    "queue_answer",
)
"""The names of the modules. The slowest is first."""
