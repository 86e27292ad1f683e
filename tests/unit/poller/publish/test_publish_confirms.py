"""OrderedPublisher confirms by loop-back, for brokers that cannot report a refusal."""

import asyncio

import pytest

from poller.publish.publish_confirms import LOOP_BACK_TIMEOUT_S, PublishConfirms
from runtime.mqtt import BrokerLost, PublishRefused
from tests.fakes.virtual_time import virtual_time


def acknowledgement() -> asyncio.Future[None]:
    """Return a future like that of a session's publish."""
    return asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("loop_back_first", [True, False])
@virtual_time
async def test_a_publish_is_confirmed_after_its_acknowledgement_and_its_loop_back(
    loop_back_first: bool,
) -> None:
    """In either order, and not before both."""
    confirms, acknowledged = PublishConfirms(acknowledgement), acknowledgement()
    confirmed = confirms.expect("a", b"1", acknowledged)
    for is_loop_back in (loop_back_first, not loop_back_first):
        await asyncio.sleep(0.1)
        assert not confirmed.done()
        if is_loop_back:
            assert confirms.receive("a", b"1"), "it is a publish of this poller"
            assert not confirms.receive("a", b"2")
            assert not confirms.receive("b", b"1")
        else:
            acknowledged.set_result(None)
    await asyncio.sleep(0.1)
    assert confirmed.result() is None
    await asyncio.sleep(LOOP_BACK_TIMEOUT_S * 2)
    assert len(confirms) == 0


@virtual_time
async def test_a_publish_without_loop_back_is_refused_when_a_later_mark_is_back() -> None:
    """The state of another pillow, or another state of the same one, does not confirm it."""
    marks: list[asyncio.Future[None]] = []

    def round_trip() -> asyncio.Future[None]:
        marks.append(acknowledgement())
        return marks[-1]

    confirms, acknowledged = PublishConfirms(round_trip), acknowledgement()
    confirmed = confirms.expect("a", b"1", acknowledged)
    acknowledged.set_result(None)
    confirms.receive("b", b"1")
    confirms.receive("a", b"2")
    await asyncio.sleep(LOOP_BACK_TIMEOUT_S - 0.1)
    assert not marks
    await asyncio.sleep(10 * LOOP_BACK_TIMEOUT_S)
    assert not confirmed.done(), "the link is slow: nothing published later has come back"
    assert len(marks) > 1, "one that was discarded is replaced"
    marks[1].set_result(None)
    with pytest.raises(PublishRefused, match="the ACL refused it"):
        await confirmed
    assert len(confirms) == 0


@virtual_time
async def test_two_publishes_of_one_payload_need_two_loop_backs() -> None:
    """One message from the broker confirms one publish, in the order of the publishes."""
    confirms = PublishConfirms(acknowledgement)
    both = [confirms.expect("a", b"1", acknowledgement()) for _ in range(2)]
    confirms.receive("a", b"1")
    assert len(confirms) == 1
    confirms.receive("a", b"1")
    confirms.receive("a", b"1")
    assert not any(one.done() for one in both)
    assert len(confirms) == 0


@pytest.mark.parametrize("received", [True, False])
@virtual_time
async def test_a_lost_connection_fails_every_pending_publish(received: bool) -> None:
    """Whether or not it was acknowledged, so that no caller waits for ever."""
    confirms, first, second = PublishConfirms(acknowledgement), acknowledgement(), acknowledgement()
    confirmed = [confirms.expect("a", b"1", first), confirms.expect("a", b"2", second)]
    if received:
        confirms.receive("a", b"2")
    first.set_result(None)
    await asyncio.sleep(0.1)
    confirms.fail_all("gone")
    second.set_exception(BrokerLost("gone"))
    for one in confirmed:
        with pytest.raises(BrokerLost):
            await one
    assert len(confirms) == 0


@virtual_time
async def test_a_publish_that_comes_back_before_the_mark_is_confirmed() -> None:
    """However late, and the next one is checked by a mark of its own."""
    marks: list[asyncio.Future[None]] = []

    def round_trip() -> asyncio.Future[None]:
        marks.append(acknowledgement())
        return marks[-1]

    confirms, acknowledged = PublishConfirms(round_trip), acknowledgement()
    acknowledged.set_result(None)
    first = confirms.expect("a", b"1", acknowledged)
    await asyncio.sleep(1)
    second = confirms.expect("b", b"1", acknowledged)
    await asyncio.sleep(LOOP_BACK_TIMEOUT_S + 0.5)
    assert len(marks) == 1
    confirms.receive("a", b"1")
    marks[0].set_result(None)
    await asyncio.sleep(0.1)

    assert first.result() is None
    assert not second.done(), "its mark is the next one"
    marks[-1].set_result(None)
    with pytest.raises(PublishRefused):
        await second


@virtual_time
async def test_a_check_ends_with_the_connection() -> None:
    """And the next one begins anew."""

    def lost() -> asyncio.Future[None]:
        raise BrokerLost("gone")

    confirms, acknowledged = PublishConfirms(lost), acknowledgement()
    acknowledged.set_result(None)
    confirmed = confirms.expect("a", b"1", acknowledged)
    await asyncio.sleep(LOOP_BACK_TIMEOUT_S + 0.1)
    assert not confirmed.done()
    confirms.fail_all("gone")

    with pytest.raises(BrokerLost):
        await confirmed
