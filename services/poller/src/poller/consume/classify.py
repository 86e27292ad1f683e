"""What is to become of a message: published, or a dead letter. Pure."""

from dataclasses import dataclass

from contract.messages import ParsedMessage, Reason, Rejection, decode_message


@dataclass(frozen=True, slots=True)
class Body:
    """What decides a message's fate: its text, when it was queued, how often it was received."""

    text: str
    queued_us: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A state whose message was received too often, to be buried unless it was published."""

    reading: ParsedMessage
    rejection: Rejection


def classify(
    body: Body, *, default_pillow: str, max_attempts: int
) -> ParsedMessage | Rejection | Exhausted:
    """Return the state a message says, or why it can never be published.

    What cannot be read is a dead letter at once: asking again would not change it.
    """
    decision = decode_message(body.text, default_pillow=default_pillow, queued_us=body.queued_us)
    if isinstance(decision, ParsedMessage) and body.attempts > max_attempts:
        return Exhausted(
            decision,
            Rejection(
                Reason.TOO_MANY_ATTEMPTS,
                f"received {body.attempts} times without being published; at most {max_attempts}",
            ),
        )
    return decision
