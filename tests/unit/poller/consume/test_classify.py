"""Routing: every message is a state or a dead letter, whatever is in it."""

from hypothesis import given
from hypothesis import strategies as st

from contract.messages import ParsedMessage, Reason, Rejection
from poller.consume.classify import Body, Exhausted, classify

QUEUED_US = 1_790_000_000_000_000

anything = st.one_of(
    st.text(),
    st.text(alphabet='{}[]",:0123456789eE+-.nulltruefalse \\u', max_size=80),
    st.sampled_from(
        ["", "null", "[]", "HUG", "('HUGGING', 'NEUTRAL')", '{"pillow":"a","state":7}', "\ud800"]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    ).map(str),
)
GOOD = '{"pillow":"cloud-1","state":"hugging"}'


@given(anything, st.integers(min_value=0, max_value=2**62 // 1000), st.integers(0, 100))
def test_any_text_gives_a_decision(text: str, queued_us: int, attempts: int) -> None:
    """A state or a dead letter with a reason and a sentence, never an exception."""
    queued_us %= 253_402_300_799_000_000
    decision = classify(Body(text, queued_us, attempts), default_pillow="cloud", max_attempts=5)

    assert isinstance(decision, ParsedMessage | Rejection | Exhausted)
    if isinstance(decision, Rejection):
        assert decision.reason in Reason
        assert decision.detail


@given(st.integers(min_value=1, max_value=1000), st.integers(min_value=0, max_value=2000))
def test_a_message_has_as_many_attempts_as_are_allowed(most: int, attempts: int) -> None:
    """The last allowed one is still published; the next is a dead letter that says how many."""
    decision = classify(Body(GOOD, QUEUED_US, attempts), default_pillow="cloud", max_attempts=most)

    if attempts <= most:
        assert isinstance(decision, ParsedMessage)
        assert decision.pillow == "cloud-1"
    else:
        assert isinstance(decision, Exhausted)
        assert decision.reading.pillow == "cloud-1"
        assert decision.rejection.reason is Reason.TOO_MANY_ATTEMPTS
        assert f"received {attempts} times" in decision.rejection.detail


@given(anything, st.integers(min_value=1, max_value=50))
def test_what_cannot_be_read_is_decided_alike_at_every_attempt(text: str, attempts: int) -> None:
    """Asking again would not change it, and the reason people see is why, not how often."""
    first, later = (
        classify(Body(text, QUEUED_US, one), default_pillow="cloud", max_attempts=50)
        for one in (1, attempts)
    )
    exhausted = classify(Body(text, QUEUED_US, 51), default_pillow="cloud", max_attempts=50)

    assert first == later
    if isinstance(first, Rejection):
        assert exhausted == first


def test_the_forms_without_an_id_are_the_default_pillow_s() -> None:
    """A bare word says a state, and the setting says whose."""
    decision = classify(Body("HUG", QUEUED_US, 1), default_pillow="sofa", max_attempts=5)

    assert isinstance(decision, ParsedMessage)
    assert (decision.pillow, decision.state) == ("sofa", "hugging")
