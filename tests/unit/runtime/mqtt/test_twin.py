"""A twin: another process with the same instance name, noticed by both."""

import asyncio
from collections.abc import Callable

import structlog

from runtime.broker_url import BrokerAddress
from runtime.mqtt.config import SessionConfig
from runtime.mqtt.packets import Message
from runtime.mqtt.twin import ANSWER_S, FORGOTTEN_S, TWIN, TwinWatch
from tests.fakes.virtual_time import virtual_time

CONFIG = SessionConfig(
    BrokerAddress("broker", 1883), "5", "poller", "one", "p/status", "p/bridge/poller/one/mark"
)


class Topic:
    """The mark topic of a broker: everyone on it receives what anyone publishes."""

    def __init__(self) -> None:
        self.watches: list[TwinWatch] = []
        self.marks = 0

    def join(self, token: str) -> TwinWatch:
        """Connect a session, which publishes a mark at once."""
        watch = TwinWatch(CONFIG, token, self.publish)
        self.watches.append(watch)
        self.publish(token.encode() + b" direct")
        return watch

    def leave(self, watch: TwinWatch) -> None:
        """Disconnect a session."""
        watch.cancel()
        self.watches.remove(watch)

    def publish(self, payload: bytes) -> None:
        """Publish a mark."""
        self.marks += 1
        for watch in self.watches:
            watch.receive(Message(CONFIG.mark_topic, payload, False))


def warned(run: Callable[[], None]) -> list[str]:
    """Return the warnings of a run."""
    with structlog.testing.capture_logs() as lines:
        run()
    return [one["event"] for one in lines]


def test_two_sessions_notice_each_other_and_say_it_once() -> None:
    """Both do, for as long as both are there, with a mark a minute."""

    @virtual_time
    async def live() -> None:
        topic = Topic()
        first, second = topic.join("a"), topic.join("b")
        await asyncio.sleep(4 * ANSWER_S)
        assert first.is_present
        assert second.is_present
        marks = topic.marks
        await asyncio.sleep(3600)
        assert first.is_present
        assert second.is_present
        assert topic.marks - marks <= 2 * 60 + 6
        topic.leave(second)
        await asyncio.sleep(FORGOTTEN_S + 1)
        assert not first.is_present
        topic.leave(first)

    assert warned(live) == [TWIN, TWIN]


def test_a_session_that_replaces_another_is_no_twin() -> None:
    """Nor is one retained mark of a process that was killed, or a removed one."""

    @virtual_time
    async def live() -> None:
        topic = Topic()
        sessions = [topic.join("a")]
        for token in "bcd":
            sessions.append(topic.join(token))
            await asyncio.sleep(ANSWER_S / 2)
            topic.leave(sessions.pop(0))
            await asyncio.sleep(FORGOTTEN_S)
        for _ in range(10):
            sessions[0].receive(Message(CONFIG.mark_topic, b"x probe", True))
            sessions[0].receive(Message(CONFIG.mark_topic, b"", False))
            await asyncio.sleep(ANSWER_S)
        assert not sessions[0].is_present
        topic.leave(sessions[0])

    assert warned(live) == []
