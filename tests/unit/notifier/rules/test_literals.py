"""The literals of a rules file."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.rules.literals import (
    MAX_DURATION_S,
    check_url,
    is_private,
    parse_duration,
    parse_pillows,
    parse_secrets,
)
from runtime.networks import address_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("1.5s", 1.5), ("5m", 300), ("12 h", 43_200), ("7d", 604_800)],
)
def test_a_duration_has_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 years", "1e3s", "9999999s", "400d", "٣s"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|year"):
        parse_duration(text)


@given(st.text(max_size=12))
def test_a_duration_is_bounded_or_refused(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 <= seconds <= MAX_DURATION_S


def test_a_pattern_has_ids_and_prefixes() -> None:
    pattern = parse_pillows(["cloud-1", "ward-*"])

    assert "cloud-1" in pattern
    assert "ward-7" in pattern
    assert "cloud-10" not in pattern
    assert "anything" in parse_pillows(["*"])


@pytest.mark.parametrize("name", ["", "Cloud", "a*b", "**", "bridge", "cloud 1"])
def test_what_is_no_pattern_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=r"neither a pillow's id nor a prefix"):
        parse_pillows([name])


def test_a_secret_may_have_a_successor() -> None:
    """Both sign, so that the receiver can change it without a gap."""
    keys = (b"a" * 24, b"b" * 64)
    text = "\n".join(f"whsec_{base64.b64encode(key).decode()}" for key in keys)

    assert parse_secrets(text) == keys


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password",
        "whsec_",
        "whsec_!!!!",
        f"whsec_{base64.b64encode(b'short').decode()}",
        f"whsec_{base64.b64encode(bytes(65)).decode()}",
        base64.b64encode(bytes(32)).decode(),
    ],
)
def test_what_is_no_secret_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"empty|no secret") as refused:
        parse_secrets(text)

    assert len(text) < 8 or text not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://ntfy.sh/our-clouds",
        "https://hooks.slack.com/services/T0/B0/x?y=z",
        "https://[2606:4700::1111]:8443/hook",
    ],
)
def test_a_public_address_is_allowed(url: str) -> None:
    check_url(url, allows_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.20:8123/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://169.254.169.254/latest",
        "https://100.64.0.1/",
        "http://house.local/hook",
    ],
)
def test_a_private_address_is_allowed_only_as_configured(url: str) -> None:
    check_url(url, allows_private=True)
    with pytest.raises(ValueError, match="private = true"):
        check_url(url, allows_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "ftp://host/", "https://", "https://user:secret@host/", "https://host/#part",
        "https://host:port/", "https://host/ a", "https://höst/", "https://host/" + "a" * 2048,
        "https://[::1", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - there are many sentences
        check_url(url, allows_private=True)

    assert "secret@" not in str(refused.value)


@given(st.ip_addresses())
def test_an_address_is_private_unless_it_is_global(address: object) -> None:
    found = address_of(str(address))
    assert found is not None
    if not found.is_global:
        assert is_private(found)


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "::ffff:127.0.0.1", "::127.0.0.1",
        "::ffff:0:127.0.0.1", "fec0::1", "5f00::1", "3fff::1", "192.88.99.1", "168.63.129.16",
    ],
)  # fmt: skip
def test_an_address_that_leads_elsewhere_than_to_the_internet_is_private(address: str) -> None:
    found = address_of(address)
    assert found is not None
    assert is_private(found)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "2a00:1450::1"])
def test_an_address_of_the_internet_is_not_private(address: str) -> None:
    found = address_of(address)
    assert found is not None
    assert not is_private(found)
