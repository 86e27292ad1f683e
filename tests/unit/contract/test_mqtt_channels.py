"""Every topic of the contract is in the AsyncAPI document."""

from contract.documents.mqtt_channels import CHANNELS, TEXTS, address_of, channels, operations
from contract.topics import Topics
from contract.watching import MAX_WATCHING, decode_watching
from tests.published import ASYNCAPI, schema_accepts

BUILDERS = {
    name
    for name in vars(Topics)
    if not name.startswith(("_", "all_", "parse", "is_")) and name != "prefix"
}
"""The methods and properties of Topics that return one topic."""


def test_every_topic_has_a_channel() -> None:
    """A new method of Topics needs a row in CHANNELS, under its name."""
    assert set(CHANNELS) == BUILDERS


def test_an_address_is_what_the_code_builds() -> None:
    """With names in braces for what it is given."""
    assert address_of("state") == "{prefix}/{pillow}/state"
    assert address_of("status") == "{prefix}/bridge/{service}/{instance}/status"
    assert address_of("wake") == Topics("{prefix}").wake


def test_every_parameter_of_an_address_is_described() -> None:
    """And no other."""
    for name, channel in channels().items():
        in_braces = {part.strip("{}") for part in channel["address"].split("/") if part[0] == "{"}
        assert set(channel["parameters"]) == in_braces, name


def test_every_channel_is_sent_by_somebody() -> None:
    """Otherwise it would be nobody's."""
    sent = {one["channel"]["$ref"] for one in operations().values() if one["action"] == "send"}

    assert sent == {f"#/channels/{name}" for name in CHANNELS}


def test_the_texts_are_those_that_the_code_reads() -> None:
    """The pattern of the number of clients, as an example."""
    for text in ("0", "7", str(MAX_WATCHING), "07", "-1", str(MAX_WATCHING + 1), "many", ""):
        is_valid = decode_watching(text.encode()) is not None
        assert schema_accepts(ASYNCAPI, "Watching", text) == is_valid, text
    assert set(TEXTS) <= set(ASYNCAPI["components"]["schemas"])
