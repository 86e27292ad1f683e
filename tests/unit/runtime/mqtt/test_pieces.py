"""Reading in pieces: the event loop gets its turn between them."""

import asyncio

from runtime.mqtt.pieces import PIECE_BYTES, Pieces
from tests.waiting import until


class FakeTransport(asyncio.Transport):
    """Counts what the pieces ask of it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.closing = False

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def is_closing(self) -> bool:
        return self.closing


async def test_a_large_read_is_handled_in_order_over_several_turns() -> None:
    """What arrives meanwhile is handled behind it, and reading goes on at the end."""
    transport, handled = FakeTransport(), list[bytes]()
    pieces = Pieces(transport, handled.append)
    data = bytes(range(256)) * (2 * PIECE_BYTES // 256) + b"end"

    pieces.feed(data)
    assert [len(piece) for piece in handled] == [PIECE_BYTES]
    pieces.feed(b"more")
    await until(lambda: b"".join(handled) == data + b"more", "the rest")

    assert max(map(len, handled)) == PIECE_BYTES
    assert transport.calls == ["pause", "resume", "pause", "resume"]
    pieces.feed(b"small")
    assert handled[-1] == b"small"


async def test_nothing_is_handled_after_the_end_of_the_connection() -> None:
    """The rest would be messages of a session that has reconnected."""
    transport, handled = FakeTransport(), list[bytes]()
    pieces = Pieces(transport, handled.append)

    pieces.feed(b"x" * (PIECE_BYTES + 1))
    transport.closing = True
    for _ in range(3):
        await asyncio.sleep(0)

    assert len(handled) == 1
