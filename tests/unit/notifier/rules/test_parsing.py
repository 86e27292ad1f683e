"""A rules file: what it says, and everything that is wrong with it at once."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.rules.parsing import InvalidRules, parse_rule_book

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
FILES = {"url": "https://hooks.example.org/x/y", "secret": SECRET, "token": "tk_123", "two": "a b"}

GOOD = """
[destination.phone]
url = "https://ntfy.sh/our-clouds"
format = "ntfy"
token_file = "token"

[destination.house]
url_file = "url"
secret_file = "secret"
timeout = "5s"
give_up_after = "1h"

[[rule]]
name = "hugs"
on = "state"
state = ["hugging", "shaking"]
pillow = "cloud-*"
for = "30s"
at_most_every = "5m"
to = ["phone", "house"]
text = "$pillow is $state for $$1"

[[rule]]
name = "gone"
on = "offline"
longer_than = "10m"
also_back = true
to = "house"

[[rule]]
name = "letters"
on = "dead-letter"
reason = "unknown-state"
to = "house"

[[rule]]
name = "old"
on = "queue"
older_than = "1m"
to = "phone"
"""


def read_file(path: str) -> str:
    """Return a file that there is, or say that there is none."""
    if path not in FILES:
        raise ValueError("No such file or directory")
    return FILES[path]


def problems(text: str) -> str:
    """Return what is wrong with a file."""
    with pytest.raises(InvalidRules) as refused:
        parse_rule_book(text.encode(), read_file)
    return str(refused.value)


def test_a_file_has_rules_and_destinations() -> None:
    book = parse_rule_book(GOOD.encode(), read_file)

    hugs, gone, letters, old = book.rules
    assert hugs.states == {"hugging", "shaking"}
    assert (hugs.lasts_s, hugs.at_most_every_s) == (30, 300)
    assert hugs.to == ("phone", "house")
    assert "cloud-7" in hugs.pillows
    assert "ward" not in hugs.pillows
    assert (gone.lasts_s, gone.also_back) == (600, True)
    assert letters.reasons == {"unknown-state"}
    assert old.lasts_s == 60
    phone, house = book.destinations["phone"], book.destinations["house"]
    assert (phone.format, phone.token, phone.keys) == ("ntfy", "tk_123", ())
    assert (house.url, house.keys) == (FILES["url"], (b"k" * 32,))
    assert (house.timeout_s, house.give_up_after_s) == (5, 3600)


def test_secrets_are_known_and_not_in_the_representation() -> None:
    """The log leaves them out."""
    book = parse_rule_book(GOOD.encode(), read_file)

    assert set(book.secrets) >= {FILES["url"], SECRET, "tk_123"}
    assert not [one for one in (*book.secrets, "kkkkkkkk") if one in repr(book)]


def test_everything_that_is_wrong_is_named_at_once() -> None:
    found = problems("""
        [destination.house]
        url = "http://127.0.0.1/"
        timeout = "soon"
        secret_fil = "secret"
        [destination.both]
        url = "https://a.example.org/"
        url_file = "url"
        [destination.lost]
        url_file = "nowhere"
        token_file = "two"
        [destination.TWO]
        url = "https://a.example.org/"
        [[rule]]
        name = "hugs"
        on = "state"
        state = "huging"
        older_than = "1s"
        to = "huose"
        text = "$pilow"
        [[rule]]
        name = "hugs"
        on = "ofline"
        to = "house"
        [[rule]]
        on = "queue"
        to = "house"
        [[rule]]
        name = "gone"
        on = "offline"
        to = []
        pillow = "Cloud"
        [[rule]]
        name = "empty"
        on = "state"
        to = "house"
        text = "$"
        [[rules]]
    """)

    for sentence in (
        "'rules' is not known; was 'rule' meant?",
        "destination.house.url is not encrypted",
        "destination.house.timeout = 'soon' is no duration",
        "destination.house: 'secret_fil' is not known; was 'secret_file' meant?",
        "destination.both.url or url_file is needed, and not both",
        "destination.lost.url_file = 'nowhere': No such file or directory",
        "destination.lost.token_file = 'two' is not one line",
        "destination.TWO: the name",
        "rule 'hugs': state 'huging' does not exist; use one of",
        "rule 'hugs': older_than has no meaning with on = \"state\"; remove it",
        "rule 'hugs': to names 'huose', but there is no [destination.huose]; was 'house' meant?",
        "rule 'hugs': text has $pilow; use $at",
        "rule 'hugs': another rule has this name",
        "rule 'hugs': on = 'ofline': use one of state, offline, dead-letter, queue",
        "rule[2]: it lacks the key `name`",
        "rule 'gone': to names no destination",
        "rule 'gone': longer_than is needed",
        "rule 'gone': pillow has 'Cloud'",
        "rule 'empty': state is needed, like state = \"hugging\"",
        "rule 'empty': text has a $ without a name",
    ):
        assert sentence in found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is no rule"),
        ("= 1", "it is no TOML"),
        ("rule = 1", "write destinations as"),
        ("[[rule]]\nname = 1", "name: Expected"),
        ("rule = [1]", "rule[0] is no table"),
        ("[destination]\na = 1\n[[rule]]", "destination.a is no table"),
        ('[destination.a]\nformat = "email"\n[[rule]]', "use one of cloudevents, ntfy"),
        ('[destination.a]\nprivate = "yes"\n[[rule]]', "private: Expected"),
    ],
)
def test_a_file_of_another_shape_is_refused(text: str, sentence: str) -> None:
    assert sentence in problems(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_rules_or_refused(content: bytes) -> None:
    """Never another exception."""
    with contextlib.suppress(InvalidRules):
        parse_rule_book(content, read_file)
