"""Which discovery messages are written: what changed, once, and for a bounded number of pillows."""

from hypothesis import given
from hypothesis import strategies as st

from contract.home_assistant import Facts
from poller.presence.discovery import Config, Discovery


def encode(pillow: str, facts: Facts) -> bytes:
    """Return a message that tells its facts."""
    battery = '"battery":{' if facts.has_battery else ""
    return f"{pillow} {battery} {facts.has_availability} {facts.expire_after_s}".encode()


def ready(max_pillows: int = 100, expire_after_s: int | None = 120) -> Discovery:
    """Return a discovery on a connection that retained nothing."""
    one = Discovery(encode, max_pillows, expire_after_s)
    one.begin_connection()
    assert one.end_retained(lambda _pillow: False) == []
    return one


def test_a_pillow_appears_with_its_first_state_and_then_only_when_something_changes() -> None:
    """A battery is there from the first state that has one, and stays."""
    one = ready()

    first = one.receive_state("a", by_queue=True, has_battery=False)
    assert first == Config("a", b"a  True 120")
    assert one.receive_state("a", by_queue=True, has_battery=False) is None
    second = one.receive_state("a", by_queue=True, has_battery=True)
    assert second is not None
    assert b"battery" in second.payload
    assert one.receive_state("a", by_queue=True, has_battery=False) is None
    assert not one.needs_battery("a")
    assert one.all() == [second]


def test_a_pillow_that_speaks_mqtt_has_availability_once_it_said_a_word() -> None:
    """Without one it would never be available there; its values do not expire."""
    one = ready()

    assert one.receive_state("a", by_queue=False, has_battery=False) == Config(
        "a", b"a  False None"
    )
    assert one.receive_word("a") == Config("a", b"a  True None")
    assert one.receive_word("a") is None
    assert one.receive_word("b") is None, "it has no state yet"


def test_what_the_broker_retained_is_not_written_again() -> None:
    """Only what is another message now; a pillow without a state leaves."""
    one = Discovery(encode, 100, 120)
    one.begin_connection()
    one.receive_config("a", b'a "battery":{ True 120')
    one.receive_config("b", b"b of another version")
    one.receive_config("c", b"c  True 120")
    one.receive_config("d", b"d  True 120")
    for pillow in ("a", "b"):
        assert one.receive_state(pillow, by_queue=True, has_battery=False) is None

    written = one.end_retained(lambda pillow: pillow == "d")

    assert written == [Config("b", b"b  True 120"), Config("c", b"")]


def test_pollers_of_two_versions_do_not_answer_each_other() -> None:
    """Each compares with its next connection."""
    one = ready()
    one.receive_state("a", by_queue=True, has_battery=False)
    one.receive_config("a", b"a of another version")

    assert one.receive_state("a", by_queue=True, has_battery=False) is None
    assert one.all() == [Config("a", b"a of another version")]


def test_a_broker_that_does_not_send_what_it_retains_removes_nothing() -> None:
    """It is not known which pillows are gone."""
    one = Discovery(encode, 100, None)
    one.begin_connection()
    one.receive_config("a", b"x")

    assert one.end_retained(None) == []
    assert one.remove("a") == Config("a", b"")
    assert one.remove("a") is None


def test_no_state_of_a_pillow_above_the_limit_is_searched_for_a_battery() -> None:
    """Such a pillow has no message; it would cost a second decoding of each state."""
    one = ready(max_pillows=1)
    assert one.needs_battery("a")
    one.receive_state("a", by_queue=True, has_battery=False)

    assert one.needs_battery("a")
    assert not one.needs_battery("b")


@given(st.lists(st.tuples(st.sampled_from("sbwr"), st.sampled_from("abcdef")), max_size=60))
def test_there_are_at_most_so_many_and_each_message_differs_from_the_one_before(
    steps: list[tuple[str, str]],
) -> None:
    """Made-up ids above the limit do not appear; a removed one makes room."""
    refused: list[str] = []
    one = Discovery(encode, 3, 120, refused.append)
    one.begin_connection()
    one.end_retained(lambda _pillow: False)
    broker: dict[str, bytes] = {}
    for verb, pillow in steps:
        if verb == "w":
            config = one.receive_word(pillow)
        elif verb == "r":
            config = one.remove(pillow)
        else:
            config = one.receive_state(pillow, by_queue=True, has_battery=verb == "b")
        if config is not None:
            assert broker.get(config.pillow, b"") != config.payload
            broker[config.pillow] = config.payload
        assert len(one) <= 3
    assert sum(map(bool, broker.values())) <= 3
