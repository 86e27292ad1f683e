"""The words of availability, and the property of those that a poller says."""

from contract.availability import KEPT_BY, POLLER, WORDS


def test_the_words_and_the_property_are_those_that_the_documentation_names() -> None:
    """They are on the wire, so a change of them is a change for every reader."""
    assert {b"online", b"offline"} == WORDS
    assert (KEPT_BY, POLLER) == ("kept-by", "poller")
