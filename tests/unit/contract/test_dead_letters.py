"""Dead letters: an announcement that is JSON whatever the message was."""

import json

from hypothesis import given
from hypothesis import strategies as st

from contract.dead_letters import EXCERPT_CHARACTERS, DeadLetterAnnouncement, encode_announcement
from contract.messages import Reason
from tests.unit.contract.strategies import any_text


@given(any_text, st.sampled_from(Reason), st.integers(1, 9))
def test_any_text_can_be_announced(text: str, reason: Reason, attempts: int) -> None:
    """Also lone surrogates; the poison queue keeps the message itself."""
    letter = DeadLetterAnnouncement(
        "id-1", reason, "why", attempts, "2025-11-22T06:00:00.000Z", text
    )
    fields = json.loads(encode_announcement(letter))

    assert fields.pop("text") == text[:EXCERPT_CHARACTERS].encode(errors="replace").decode()
    assert fields == {
        "message": "id-1",
        "reason": reason.value,
        "detail": "why",
        "attempts": attempts,
        "queued": "2025-11-22T06:00:00.000Z",
    }


def test_a_long_text_is_cut_to_its_first_512_characters() -> None:
    """Characters and not bytes, so that none is cut in half."""
    letter = DeadLetterAnnouncement(
        "id-1", "malformed", "", 1, "2025-11-22T06:00:00.000Z", "☁" * 9999
    )

    assert json.loads(encode_announcement(letter))["text"] == "☁" * 512
