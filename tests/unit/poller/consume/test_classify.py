"""Classification: every message is a state or a dead letter, whatever its text is."""

from hypothesis import given
from hypothesis import strategies as st

from contract.messages import ParsedMessage, Reason, Rejection
from poller.consume.classify import AttemptsExhausted, ClassificationRules, classify
from poller.queues import Body

QUEUED_US = 1_790_000_000_000_000

texts = st.one_of(
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


@given(texts, st.integers(min_value=0, max_value=2**62 // 1000), st.integers(0, 100))
def test_any_text_is_a_state_or_a_dead_letter_with_a_reason(
    text: str, queued_us: int, attempts: int
) -> None:
    """No text raises an exception, and each rejection has a reason and a sentence."""
    queued_us %= 253_402_300_799_000_000
    decision = classify(Body(text, queued_us, attempts), ClassificationRules("cloud", 5))

    assert isinstance(decision, ParsedMessage | Rejection | AttemptsExhausted)
    if isinstance(decision, Rejection):
        assert decision.reason in Reason
        assert decision.detail


@given(st.integers(min_value=1, max_value=1000), st.integers(min_value=0, max_value=2000))
def test_a_message_is_exhausted_after_max_attempts(most: int, attempts: int) -> None:
    """The last allowed delivery is published; the next is a dead letter with the number."""
    decision = classify(Body(GOOD, QUEUED_US, attempts), ClassificationRules("cloud", most))

    if attempts <= most:
        assert isinstance(decision, ParsedMessage)
        assert decision.pillow == "cloud-1"
    else:
        assert isinstance(decision, AttemptsExhausted)
        assert decision.state.pillow == "cloud-1"
        assert decision.rejection.reason is Reason.TOO_MANY_ATTEMPTS
        assert f"received {attempts} times" in decision.rejection.detail


@given(texts, st.integers(min_value=1, max_value=50))
def test_a_text_that_cannot_be_decoded_has_the_same_reason_at_every_attempt(
    text: str, attempts: int
) -> None:
    """The reason is the fault of the text, never the number of attempts."""
    rules = ClassificationRules("cloud", 50)
    first, later, exhausted = (
        classify(Body(text, QUEUED_US, attempt), rules) for attempt in (1, attempts, 51)
    )

    assert first == later
    if isinstance(first, Rejection):
        assert exhausted == first


def test_a_message_without_an_id_belongs_to_the_default_pillow() -> None:
    """A bare word has no id; the setting gives it."""
    decision = classify(Body("HUG", QUEUED_US, 1), ClassificationRules("sofa", 5))

    assert isinstance(decision, ParsedMessage)
    assert (decision.pillow, decision.state) == ("sofa", "hugging")
