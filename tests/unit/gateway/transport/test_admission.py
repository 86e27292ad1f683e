"""Who may connect, and what is made of a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cursors import Cursor
from contract.frames import MAX_SUBSCRIBED
from contract.topics import is_pillow_id
from gateway.transport.admission import SubscriptionRequest, origin_allowed, parse_subscription

HOST = "pillows.example:8080"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://pillows.example:8080", ()),
        ("https://PILLOWS.example:8080", ()),
        ("https://friend.example", ("https://friend.example",)),
        ("https://Friend.example", ("https://friend.EXAMPLE",)),
        ("https://anyone.example", ("*",)),
        ("null", ("*",)),
    ],
)
def test_an_origin_that_may_listen(origin: str, allowed: tuple[str, ...]) -> None:
    """Its own, a configured one, and any when all are."""
    assert origin_allowed(origin, HOST, allowed)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://pillows.example",
        "http://pillows.example:80800",
        "http://pillows.example:8080.evil.example",
        "http://evil.example/pillows.example:8080",
        "http://evil.example#pillows.example:8080",
        "http://user@pillows.example:8080",
        "pillows.example:8080",
        "http://[",
        "http://friend.example",
        "https://friend.example.evil.example",
        "https://friend.example:444",
    ],
)
def test_an_origin_that_may_not_listen(origin: str) -> None:
    """Whatever only looks like an allowed one."""
    assert not origin_allowed(origin, HOST, ("https://friend.example",))


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://x.example", "x.example:80", True),
        ("https://x.example", "X.example:443", True),
        ("https://[::1]", "[::1]:443", True),
        ("https://x.example", "x.example:80", False),
        ("http://x.example:80", "x.example", False),
        ("http://x.example", "x.example:8080", False),
    ],
)
def test_a_host_may_name_the_port_that_its_scheme_has(origin: str, host: str, same: bool) -> None:
    """As some proxies have it."""
    assert origin_allowed(origin, host, ()) == same


@pytest.mark.parametrize("host", [None, "", ":80"])
def test_without_a_host_nothing_is_the_same_origin(host: str | None) -> None:
    """An empty origin and an empty host are not the same site."""
    assert not origin_allowed("http://", host, ())
    assert not origin_allowed("", host, ())


@given(st.text(), st.one_of(st.none(), st.text()))
def test_any_origin_gives_an_answer(origin: str, host: str | None) -> None:
    """It comes from outside: it must not raise."""
    assert origin_allowed(origin, host, ()) in (True, False)


def test_a_query_without_pillows_asks_for_all() -> None:
    """And without a cursor for everything."""
    assert parse_subscription([], None) == SubscriptionRequest(None, None)


def test_a_query_names_pillows_and_a_cursor() -> None:
    """Twice the same name is that name."""
    request = parse_subscription(["cloud-1", "cloud-2", "cloud-1"], "k3f9:118")

    assert request == SubscriptionRequest(frozenset({"cloud-1", "cloud-2"}), Cursor("k3f9", 118))


@pytest.mark.parametrize("name", ["", "bridge", "#", "+", "../../x", "Cloud", "x" * 64, "a b"])
def test_a_query_with_a_wrong_name_is_told_which(name: str) -> None:
    """The first wrong one is named."""
    assert parse_subscription(["cloud-1", name], None) == f"pillow id {name!r} is not valid"


def test_a_query_may_name_so_many_pillows_and_no_more() -> None:
    """Whoever wants more wants all."""
    names = [f"p{number}" for number in range(MAX_SUBSCRIBED + 1)]

    assert isinstance(parse_subscription(names[:-1], None), SubscriptionRequest)
    assert parse_subscription(names, None) == (
        f"{MAX_SUBSCRIBED + 1} pillows; name at most {MAX_SUBSCRIBED}, or none for all"
    )


@given(st.lists(st.text(max_size=70), max_size=5), st.one_of(st.none(), st.text()))
def test_any_query_gives_a_wish_or_a_sentence(pillows: list[str], since: str | None) -> None:
    """A cursor that is none only means that nothing can be resumed."""
    request = parse_subscription(pillows, since)

    if all(is_pillow_id(name) for name in pillows):
        assert isinstance(request, SubscriptionRequest)
        assert request.filter == (frozenset(pillows) or None)
    else:
        assert isinstance(request, str)
        assert len(request) < 500
