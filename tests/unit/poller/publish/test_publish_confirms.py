"""Publishes that are confirmed by coming back, for brokers that cannot say no."""

import asyncio

import pytest

from poller.publish.publish_confirms import ECHO_S, PublishConfirms
from runtime.mqtt import BrokerLost, PublishRefused
from tests.fakes.virtual_time import in_virtual_time


def acknowledgement() -> asyncio.Future[None]:
    """What a session's publish returns."""
    return asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("echo_first", [True, False])
def test_a_publish_is_confirmed_when_acknowledged_and_back(echo_first: bool) -> None:
    """In either order, and not before both."""

    async def story() -> None:
        echoes, acknowledged = PublishConfirms(), acknowledgement()
        confirmed = echoes.confirm("a", b"1", acknowledged)
        for echo in (echo_first, not echo_first):
            await asyncio.sleep(0.1)
            assert not confirmed.done()
            if echo:
                echoes.hear("a", b"1")
            else:
                acknowledged.set_result(None)
        await asyncio.sleep(0.1)
        assert confirmed.result() is None
        await asyncio.sleep(ECHO_S * 2)
        assert not echoes._awaited

    in_virtual_time(story())


def test_what_is_acknowledged_and_does_not_come_back_was_refused() -> None:
    """What comes back for others, or another state of the same pillow, is not it."""

    async def story() -> None:
        echoes, acknowledged = PublishConfirms(), acknowledgement()
        confirmed = echoes.confirm("a", b"1", acknowledged)
        acknowledged.set_result(None)
        echoes.hear("b", b"1")
        echoes.hear("a", b"2")
        await asyncio.sleep(ECHO_S - 0.1)
        assert not confirmed.done()
        with pytest.raises(PublishRefused, match="the ACL refused it"):
            await confirmed
        assert not echoes._awaited

    in_virtual_time(story())


def test_the_same_published_twice_has_to_come_back_twice() -> None:
    """One echo is one confirmation, in the order of the publishes."""

    async def story() -> None:
        echoes = PublishConfirms()
        both = [echoes.confirm("a", b"1", acknowledgement()) for _ in range(2)]
        echoes.hear("a", b"1")
        echoes.hear("a", b"1")
        echoes.hear("a", b"1")
        assert not any(one.done() for one in both)
        assert not echoes._awaited

    in_virtual_time(story())


@pytest.mark.parametrize("heard", [True, False])
def test_a_connection_that_ends_confirms_nothing(heard: bool) -> None:
    """Neither what was acknowledged nor what was not, and nobody waits for ever."""

    async def story() -> None:
        echoes, first, second = PublishConfirms(), acknowledgement(), acknowledgement()
        confirmed = [echoes.confirm("a", b"1", first), echoes.confirm("a", b"2", second)]
        if heard:
            echoes.hear("a", b"2")
        first.set_result(None)
        await asyncio.sleep(0.1)
        echoes.lose("gone")
        second.set_exception(BrokerLost("gone"))
        for one in confirmed:
            with pytest.raises(BrokerLost):
                await one
        assert not echoes._awaited

    in_virtual_time(story())
