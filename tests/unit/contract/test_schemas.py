"""Schemas made from types."""

from typing import Annotated

import jsonschema_rs
import msgspec
import pytest

from contract.documents.schemas import info, reference, schemas_of
from contract.wire_types import ReceivedPillow, described


class Pair(msgspec.Struct):
    """Two numbers."""

    both: Annotated[tuple[int, int], described("Two.")]
    pillows: list[ReceivedPillow]


class Mixed(msgspec.Struct):
    """A number and a text."""

    both: tuple[int, str]


def test_a_tuple_is_a_list_of_a_fixed_length() -> None:
    """In both drafts."""
    schema = schemas_of([Pair])["Pair"]["properties"]["both"]

    for validator in (jsonschema_rs.Draft7Validator, jsonschema_rs.Draft202012Validator):
        assert validator(schema).is_valid([1, 2])
        for other in ([1], [1, 2, 3], [1, "2"]):
            assert not validator(schema).is_valid(other)


def test_a_tuple_of_different_items_is_refused() -> None:
    """Because draft 7 would ignore their types."""
    with pytest.raises(AssertionError, match="portable"):
        schemas_of([Mixed])


def test_a_state_in_a_frame_is_a_reference() -> None:
    """To the schema of received states."""
    assert schemas_of([Pair])["Pair"]["properties"]["pillows"]["items"] == reference(
        "ReceivedState"
    )


def test_a_description_of_a_type_checks_nothing() -> None:
    """The decoders have checks and messages of their own."""
    assert msgspec.json.decode(b"5", type=Annotated[int, described("Small.", maximum=1)]) == 5


def test_the_version_is_that_of_the_subprotocol() -> None:
    """Of the contract, not of a program."""
    assert info("x", "y")["version"] == "1"
