"""How long the queue's oldest message has waited: what a poller publishes on its topic `queue`."""

from typing import Final

import msgspec

from contract.json_limits import DECODE_ERRORS

MAX_OLDEST_S: Final = 10_000_000
"""Longer than a queue keeps a message, in seconds; a report of a longer time is invalid."""


class QueueReport(msgspec.Struct, frozen=True):
    """One report. `oldest_s` is 0 where no message has waited for a second.

    `answers` is false while the queue does not answer the poller; `oldest_s` then is how long a
    message may have waited.
    """

    oldest_s: int
    answers: bool = True


_decoder: Final[msgspec.json.Decoder[QueueReport]] = msgspec.json.Decoder(QueueReport)


def encode_queue_report(report: QueueReport) -> bytes:
    """Return the payload of a report."""
    return msgspec.json.encode(
        msgspec.structs.replace(report, oldest_s=min(report.oldest_s, MAX_OLDEST_S))
    )


def decode_queue_report(payload: bytes) -> QueueReport | None:
    """Return the report; None if the payload is invalid. Never raises, whatever the bytes."""
    try:
        report = _decoder.decode(payload)
    except DECODE_ERRORS:
        return None
    return report if 0 <= report.oldest_s <= MAX_OLDEST_S else None
