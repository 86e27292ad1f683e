"""The deadline of incomplete messages, with a simulated time and on real sockets."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

import pytest
import structlog

from gateway.transport.message_deadlines import MessageDeadlines
from tests.gateway import PING, TEXT, client_frame, close_code
from tests.unit.gateway.servers import read_to_end, serving
from tests.waiting import until


@dataclass(eq=False)
class Client:
    """A client that has begun a message."""

    has_unprocessed_input: bool = False

    def end_overdue_message(self) -> None:
        """Do nothing."""


def test_a_message_is_overdue_once_however_often_a_part_of_it_arrives() -> None:
    """A byte now and then does not extend the time."""
    deadlines, client = MessageDeadlines(30), Client()
    for second in range(30):
        deadlines.start(client, second)
        assert list(deadlines.pop_overdue(second)) == []

    assert list(deadlines.pop_overdue(30)) == [client]
    assert list(deadlines.pop_overdue(60)) == []


def test_a_complete_message_is_never_overdue() -> None:
    """The next one has a time of its own."""
    deadlines, client, other = MessageDeadlines(30), Client(), Client()
    deadlines.start(other, 0)
    deadlines.start(client, 0)
    deadlines.end(client)
    deadlines.start(client, 20)

    assert list(deadlines.pop_overdue(45)) == [other]
    assert list(deadlines.pop_overdue(50)) == [client]
    assert len(deadlines) == 0


def test_data_that_waits_for_its_turn_here_is_not_late() -> None:
    """Others may use the time of the process."""
    deadlines, client = MessageDeadlines(30), Client(has_unprocessed_input=True)
    deadlines.start(client, 0)

    assert list(deadlines.pop_overdue(30)) == []
    client.has_unprocessed_input = False
    assert list(deadlines.pop_overdue(59)) == []
    assert list(deadlines.pop_overdue(60)) == [client]


HALF_MESSAGES: Final = {
    "header": client_frame(TEXT, b"x" * 60_000)[:3],
    "frame": client_frame(TEXT, b"x" * 60_000)[:50_000],
    "end": client_frame(TEXT, b"x" * 60_000)[:59_990],
    "fragment": client_frame(TEXT, b"x" * 60_000, fin=False),
    "control": client_frame(PING, b"x" * 100)[:40],
}


@pytest.mark.parametrize("half", HALF_MESSAGES.values(), ids=HALF_MESSAGES)
async def test_an_incomplete_message_has_a_deadline(half: bytes) -> None:
    """Whatever part of it is missing; pings in between extend nothing."""
    with structlog.testing.capture_logs() as logs:
        async with serving(message_s=0.3) as served, served.dial() as client:
            await asyncio.get_running_loop().sock_sendall(client, half)
            async with asyncio.timeout(10):
                while served.clients and half is HALF_MESSAGES["fragment"]:
                    with contextlib.suppress(ConnectionError):
                        await asyncio.get_running_loop().sock_sendall(
                            client, client_frame(PING, b"")
                        )
                    await asyncio.sleep(0.05)
            await until(lambda: served.clients == 0, "closed")
            if half is not HALF_MESSAGES["fragment"]:
                assert close_code(await read_to_end(client)) == 1008
            assert served.count("connection_limit_reached_total", limit="message") == 1
    assert [line["setting"] for line in logs if "limit" in line] == ["GATEWAY_MESSAGE_TIMEOUT"]


async def test_messages_that_follow_each_other_each_have_the_whole_time() -> None:
    """A client may always be within a message."""
    message = client_frame(TEXT, b'{"type":"ping","sent":1}')
    async with serving(message_s=0.5) as served, served.dial() as client:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, message[:10])
        for _ in range(20):
            await asyncio.sleep(0.05)
            await loop.sock_sendall(client, message[10:] + message[:10])
        assert served.clients == 1
