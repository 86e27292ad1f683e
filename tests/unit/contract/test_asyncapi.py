"""The AsyncAPI document: channels on their servers, operations on their channels."""

from contract.documents.asyncapi import asyncapi

DOCUMENT = asyncapi()


def test_every_channel_is_on_a_server_and_has_an_operation() -> None:
    """Otherwise nobody could use it."""
    used = {operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()}

    assert used == {f"#/channels/{name}" for name in DOCUMENT["channels"]}
    for channel in DOCUMENT["channels"].values():
        assert channel["servers"]


def test_an_operation_has_messages_of_its_channel_only() -> None:
    """As the specification asks."""
    for name, operation in DOCUMENT["operations"].items():
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/"), name


def test_the_last_will_is_the_status() -> None:
    """Of a service that loses its connection."""
    will = DOCUMENT["servers"]["broker"]["bindings"]["mqtt"]["lastWill"]

    assert will["topic"] == DOCUMENT["channels"]["status"]["address"]
    assert will["message"] == "offline"
