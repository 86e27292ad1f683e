"""Round trips: each mark completes its own."""

import pytest

from runtime.mqtt.errors import BrokerLost
from runtime.mqtt.round_trips import RoundTrips


async def test_a_mark_completes_its_own_round_trip_once() -> None:
    """Not that of another mark or session."""
    trips, other = RoundTrips("a"), RoundTrips("b")
    (first, first_returned), (second, second_returned) = trips.start(), trips.start()
    foreign, _ = other.start()
    trips.receive(foreign)
    trips.receive(second)
    trips.receive(second)

    assert (first_returned.done(), second_returned.done()) == (False, True)
    assert first != second


async def test_the_end_of_the_connection_fails_what_is_under_way() -> None:
    """One that was given up is left alone."""
    trips = RoundTrips("a")
    (_, returned), (_, given_up) = trips.start(), trips.start()
    given_up.cancel()
    trips.fail(BrokerLost("gone"))

    with pytest.raises(BrokerLost, match="gone"):
        await returned
