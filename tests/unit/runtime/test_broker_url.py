"""Brokers: a URL read whole or refused with a sentence, and its password never shown."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.broker_url import BrokerAddress, parse_broker_url
from tests.unit.contract.strategies import any_text


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://localhost", BrokerAddress("localhost", 1883)),
        ("mqtt://localhost/", BrokerAddress("localhost", 1883)),
        ("mqtts://broker.example.org", BrokerAddress("broker.example.org", 8883, tls=True)),
        ("mqtt://h:1", BrokerAddress("h", 1)),
        ("mqtts://h:65535", BrokerAddress("h", 65535, tls=True)),
        ("mqtt://u:p@h:1884", BrokerAddress("h", 1884, user="u", password="p")),
        ("mqtt://u@h", BrokerAddress("h", 1883, user="u")),
        ("mqtt://a%40b:c%3Ad%2Fe@h", BrokerAddress("h", 1883, user="a@b", password="c:d/e")),
        ("mqtt://u:p:q@h", BrokerAddress("h", 1883, user="u", password="p:q")),
        ("mqtt://127.0.0.1:1883", BrokerAddress("127.0.0.1", 1883)),
        ("mqtt://[::1]:1883", BrokerAddress("::1", 1883)),
        ("mqtt://münchen.example", BrokerAddress("münchen.example", 1883)),
        ("MQTT://h", BrokerAddress("h", 1883)),
    ],
)
def test_a_url_is_parsed_with_host_port_tls_user_and_password(
    url: str, address: BrokerAddress
) -> None:
    """The port has a default for each scheme."""
    assert parse_broker_url(url) == address


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "starts with neither mqtt:// nor mqtts://"),
        ("localhost:1883", "starts with neither"),
        ("http://localhost", "starts with neither"),
        ("tcp://localhost:1883", "starts with neither"),
        ("mqtt:localhost", "is not of the form"),
        ("mqtt://", "is not of the form"),
        ("mqtt://:1883", "is not of the form"),
        ("mqtt://h/topic", "is not of the form"),
        ("mqtt://h?x=1", "is not of the form"),
        ("mqtt://h#x", "is not of the form"),
        ("mqtt://u:s/cret@h", "is not of the form"),
        ("mqtt://u:s[cret@h", "is not of the form"),
        ("mqtt://us\u2100r:secret@h", "is not of the form"),
        ("mqtt://h:0", "has port 0"),
        ("mqtt://h:65536", "has a port that is not a number from 1 to 65535"),
        ("mqtt://h:-1", "has a port that is not a number"),
        ("mqtt://u:secret", "has a port that is not a number"),
        ("mqtt://u:secret%0A@h", "has a line break or a control character in its user or password"),
        ("mqtt://u:sec\nret@h", "contains a line break"),
        ("mqtt://a..b", "has a host that is not a host name"),
        ("mqtt://" + "a" * 64, "has a host that is not a host name"),
    ],
)
def test_an_invalid_url_is_refused_with_a_sentence_that_helps_to_correct_it(
    url: str, says: str
) -> None:
    """One for each kind of mistake."""
    with pytest.raises(ValueError, match=says):
        parse_broker_url(url)


def address_or_error(url: str) -> BrokerAddress | ValueError:
    """What a URL names, or the refusal."""
    try:
        return parse_broker_url(url)
    except ValueError as error:
        return error


@given(any_text | any_text.map("mqtt://".__add__) | st.from_regex(r"mqtts?://[^ ]{0,30}"))
@example("mqtt://[v1.x]")
@example("mqtt://h:\u0663")
def test_any_text_gives_an_address_or_a_value_error_without_the_text(url: str) -> None:
    """No other exception, because the text comes from the environment."""
    found = address_or_error(url)

    if isinstance(found, ValueError):
        assert found.__context__ is None
    else:
        assert found.host
        assert 1 <= found.port <= 65535


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_a_quoted_user_and_password_may_have_any_characters(text: str) -> None:
    """Percent-encoded, as in every URL."""
    address = parse_broker_url(f"mqtt://{quote(text, safe='')}:{quote(text, safe='')}@h:1")

    assert (address.user, address.password) == (text, text)


@given(st.text(min_size=8).map("s3cret-".__add__))
def test_the_password_is_in_no_error_and_no_representation(password: str) -> None:
    """Quoted or not, whatever else is wrong; nor is it in the context of an exception."""
    for host in ("h", "", "h:0", "h:x", "a..b"):
        found = address_or_error(f"mqtt://user:{password}@{host}")

        assert "s3cret" not in f"{found} {found!r}"
        assert getattr(found, "__context__", None) is None


def test_an_address_is_shown_as_a_url_without_credentials() -> None:
    """Logs and readiness show it."""
    assert str(parse_broker_url("mqtts://u:p@h")) == "mqtts://h:8883"
    assert str(parse_broker_url("mqtt://[::1]:1884")) == "mqtt://[::1]:1884"
