"""What a pillow is called where the gateway draws or writes: a text of strangers, made harmless."""

import msgspec
import pytest

from contract.wire_types import MAX_LABEL_CHARACTERS
from gateway.labels.shown_label import clean_label, shown_label


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Grandma's cloud", "Grandma's cloud"),
        ("  a\t\n b  ", "a b"),
        ("a\u202ecba", "a cba"),
        ("\u202e", ""),
        ("x" * 200, "x" * MAX_LABEL_CHARACTERS),
        (7, ""),
        (None, ""),
        (["a"], ""),
    ],
)
def test_a_label_is_one_line_of_bounded_length(value: object, shown: str) -> None:
    """As on the page; what is no text is none."""
    assert clean_label(value) == shown


def test_the_newest_message_goes_before_the_file() -> None:
    """As on the page; a label of nothing is none."""

    def told(**fields: object) -> bytes:
        return msgspec.json.encode({"pillow": "cloud-1", "state": "neutral", **fields})

    assert shown_label(told(label="Sofa"), "Kitchen") == "Sofa"
    assert shown_label(told(label=" "), "Kitchen") == "Kitchen"
    assert shown_label(told(), "Kitchen") == "Kitchen"
    assert shown_label(None, "Kitchen") == "Kitchen"
    assert shown_label(None, "") == ""
