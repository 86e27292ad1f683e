"""One browser on a WebSocket: what it says, and how it is told and let go."""

import asyncio
from typing import Final

from contract.frames import (
    BAD_MESSAGE,
    RESTART,
    Error,
    Ping,
    Pong,
    ServerFrame,
    decode_request,
    encode_frame,
)
from gateway.fanout import encoding
from gateway.fanout.encoding import Frame
from gateway.transport.connection import Browser
from gateway.transport.connections import Door, Refusal
from gateway.transport.heartbeat import Beat
from gateway.transport.message_reader import Answered, Asked, Inbound, Said

CLOSE_S: Final = 10.0
"""How long a browser may take to answer that we close; then the connection ends without."""

LINGER_S: Final = 1.0
"""How long a browser that broke the protocol is still read: else a reset overtakes its code."""


PONG_HEAD: Final = b"\x8a\x80"
PONG_BYTES: Final = 6
"""The answer to our ping: a whole pong, masked, without a payload."""


class WebSocketBrowser(Browser):
    """A browser between its handshake and its end.

    `_inbound` is there only while something is pending, see there.
    `_held` is what it gets when it reads again: the newest answer to each kind of ping.
    """

    __slots__ = ("_deflate", "_held", "_inbound", "_leaving")

    kind = "websocket"

    def __init__(
        self, door: Door, transport: asyncio.Transport, answer: bytes, *, deflate: bool
    ) -> None:
        super().__init__(door, transport, answer)
        self._deflate = deflate
        self._inbound: Inbound | None = None
        self._held: dict[str, bytes] | None = None
        self._leaving = False

    def data_received(self, data: bytes) -> None:
        """Take in what the browser says."""
        if self._inbound is None and len(data) == PONG_BYTES and data.startswith(PONG_HEAD):
            self.heard = True  # all that most browsers ever say; no machine is made for it
            return
        self.door.hearing.hear(self, data)

    @property
    def is_unheard(self) -> bool:
        """Whether something that it said waits for its turn."""
        return self in self.door.hearing

    def take_in(self, data: bytes) -> None:
        """Read what it said, and answer."""
        inbound = self._begun()
        answers: list[bytes] = []
        for said in inbound.feed(data):
            if not self.is_subscribed:
                break  # it has been told that it goes
            if isinstance(said, Answered):
                self.heard = True
            elif isinstance(said, Asked):
                self._answer(answers, "protocol", encoding.pong(said.payload), wait=self.is_paused)
            else:
                outcome = self._receive(said)
                if isinstance(outcome, Refusal):
                    self._write_all(answers)
                    self.refuse(outcome)
                    break
                if outcome is not None:
                    self._answer(answers, "contract", outcome, wait=not self.is_live)
        self._write_all([*answers, inbound.take()])
        if inbound.is_at_rest:
            self._inbound = None
        elif not inbound.is_open:
            self._go(inbound)

    def refuse(self, refusal: Refusal) -> None:
        """Say why it may not be here, and close with the code for it."""
        self.door.count_refused(refusal.code)
        self.door.dispatcher.unsubscribe(self)
        self.write(_text(Error(refusal.code, refusal.why)))
        self._close(refusal.code)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it, and what it said."""
        self.door.hearing.forget(self)
        super().connection_lost(exc)

    def on_caught_up(self, *, closing: bool) -> None:
        """Give it the answers that had to wait; or let it go, now that it has all there is."""
        if closing:
            self.door.dispatcher.unsubscribe(self)
            self._close(RESTART)
        elif self._held is not None and not self.is_paused:
            held, self._held = self._held, None
            self.write(b"".join(held.values()))

    def ask(self, beat: Beat) -> None:
        """Write the heartbeat with a ping."""
        self.write(beat.with_ping)

    def _receive(self, said: Said) -> bytes | Refusal | None:
        """Act on a message; return the answer to it, or why it may not be here after it."""
        if said.text is None:
            return Refusal(BAD_MESSAGE, "a binary message; frames are text")
        asked = decode_request(said.text)
        if isinstance(asked, str):
            return Refusal(BAD_MESSAGE, asked)
        if isinstance(asked, Ping):
            return _text(Pong(asked.sent, self.door.clock()))
        named = frozenset(asked.pillows) if isinstance(asked.pillows, list) else None
        self.door.dispatcher.change_filter(self, named)
        return None

    def _answer(self, answers: list[bytes], kind: str, answer: bytes, *, wait: bool) -> None:
        """Answer with all else that is said now; or later, where the newest answer will do."""
        if wait:
            if self._held is None:
                self._held = {}
            self._held[kind] = answer
        else:
            answers.append(answer)

    def _write_all(self, answers: list[bytes]) -> None:
        """Write together what is answered, if anything is."""
        data = b"".join(answers)
        answers.clear()
        if data:
            self.write(data)

    def _begun(self) -> Inbound:
        if self._inbound is None:
            self._inbound = Inbound(deflate=self._deflate)
        return self._inbound

    def _close(self, code: int) -> None:
        inbound = self._begun()
        inbound.close(code)
        self.write(inbound.take())
        self._go(inbound)

    def _go(self, inbound: Inbound) -> None:
        """End the connection as soon as both sides have said so, or it takes too long."""
        self.door.dispatcher.unsubscribe(self)
        loop = asyncio.get_running_loop()
        if not self._leaving:
            self._leaving = True
            wait_s = LINGER_S if inbound.is_broken else CLOSE_S
            loop.call_later(wait_s, self.transport.abort)
        if inbound.is_over and not inbound.is_broken:
            self.transport.close()


def _text(said: ServerFrame) -> bytes:
    """Return a frame for one browser alone."""
    return Frame(encode_frame(said)).websocket
