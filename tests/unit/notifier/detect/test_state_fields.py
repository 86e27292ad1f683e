"""What an event says of a state, whatever a device sent."""

import pytest

from contract.updates import Update, decode_state
from notifier.detect.state_fields import state_fields


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("0.93", 0.93),
        ("1", 1),
        ("9" * 400, None),
        ("-" + "9" * 4000, None),
        ("true", None),
        ("[1]", None),
        ('"' + "a" * 65 + '"', None),
    ],
)
def test_a_field_is_passed_on_if_it_is_short(sent: str, said: float | None) -> None:
    known = '"pillow":"cloud-1","state":"hugging","at":"2026-01-01T00:00:00Z"'
    update = decode_state("cloud-1", f'{{{known},"battery":{sent}}}'.encode())
    assert isinstance(update, Update)
    assert state_fields(update).get("battery") == said
