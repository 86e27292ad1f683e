"""The gateway's address as a text and as a function."""

import asyncio

import pytest

from pillowcast.address import Address
from pillowcast.web_socket import NotOpened


def found(address: Address) -> str:
    """Return the URL of the next attempt."""
    return asyncio.run(address.find())


def test_a_text_is_checked_at_once() -> None:
    """Because the person who wrote it is still there."""
    assert found(Address("https://user:secret@pillows.example/")).endswith("pillows.example/ws")
    assert Address("https://user:secret@pillows.example/").shown == "wss://pillows.example/ws"
    with pytest.raises(ValueError, match="as http://localhost:8080/"):
        Address("localhost:8080")


def test_a_function_is_asked_for_each_connection() -> None:
    """It may lead to another gateway, and may be a coroutine function."""
    urls = iter(["https://one.example", "https://two.example"])
    address = Address(lambda: next(urls))
    assert address.shown == "the gateway that url() names"
    assert [found(address), found(address)] == ["wss://one.example/ws", "wss://two.example/ws"]
    assert address.shown == "wss://two.example/ws"

    async def url() -> str:
        return "http://three.example/clouds"

    assert found(Address(url)) == "ws://three.example/clouds/ws"


@pytest.mark.parametrize("answer", [None, "localhost:8080", RuntimeError("the register is down")])
def test_one_that_fails_is_an_outage(answer: object) -> None:
    """With its reason."""

    def url() -> str:
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[return-value]

    with pytest.raises(NotOpened, match=r"no url: (url is|the register is down)"):
        found(Address(url))
