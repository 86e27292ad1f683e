"""Classification of a message: its state is published, or it is a dead letter. Pure."""

from dataclasses import dataclass

from contract.messages import ParsedMessage, Reason, Rejection, decode_message
from poller.queues import Body


@dataclass(frozen=True, slots=True)
class ClassificationRules:
    """The settings of the classification.

    `default_pillow` is the id for messages without one.
    `max_attempts` is the highest number of deliveries at which a message is still published.
    """

    default_pillow: str
    max_attempts: int


@dataclass(frozen=True, slots=True)
class AttemptsExhausted:
    """A message delivered too often: a dead letter, unless its state was published before."""

    state: ParsedMessage
    rejection: Rejection


Decision = ParsedMessage | Rejection | AttemptsExhausted


def classify(body: Body, rules: ClassificationRules) -> Decision:
    """Return the state that a message holds, or why it can never be published.

    A message that cannot be decoded is rejected at its first delivery, because another would not
    change the result.
    """
    decoded = decode_message(
        body.text, default_pillow=rules.default_pillow, queued_us=body.queued_us
    )
    if isinstance(decoded, ParsedMessage) and body.attempts > rules.max_attempts:
        return AttemptsExhausted(
            decoded,
            Rejection(
                Reason.TOO_MANY_ATTEMPTS,
                f"received {body.attempts} times without being published; at most "
                f"{rules.max_attempts}",
            ),
        )
    return decoded
