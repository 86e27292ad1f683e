"""Bodies: what each destination reads."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from contract.dead_letters import DeadLetterAnnouncement, encode_announcement
from notifier.deliver.formats import MAX_BODY_BYTES, MAX_NTFY_BYTES, encode_body
from notifier.detect.dead_letter_watch import dead_letters
from notifier.detect.event import make_event
from notifier.rules.schema import BodyFormat
from tests.unit.notifier.examples import event, rule


def test_a_cloudevent_is_what_the_official_library_reads() -> None:
    """It validates every attribute."""
    sent = event(suppressed=3)
    body = encode_body(sent, "cloudevents")

    read = from_structured_event(HTTPMessage(body.headers, body.content))

    assert isinstance(read, CloudEvent)
    assert read.get_specversion() == "1.0"
    assert read.get_id() == sent.id
    assert read.get_source() == "/pillowcast/pillow"
    assert read.get_type() == "pillowcast.pillow.state"
    assert read.get_subject() == "cloud-1"
    assert read.get_datacontenttype() == "application/json"
    time = read.get_time()
    assert time is not None
    assert time == datetime.fromtimestamp(1_760_000_000, UTC)
    assert read.get_data() == {
        "pillow": "cloud-1",
        "state": "hugging",
        "suppressed": 3,
        "rule": "hugs",
        "text": "cloud-1: Hugging",
    }


def test_ntfy_gets_a_text_and_headers() -> None:
    body = encode_body(event("ein Büschel"), "ntfy")
    urgent = encode_body(event(kind="pillow.offline"), "ntfy")

    assert body.content.decode() == "ein Büschel"
    assert body.headers["Title"] == "Pillowcast: hugs"
    assert (body.headers["Priority"], urgent.headers["Priority"]) == ("default", "high")
    assert all(value.isascii() for value in body.headers.values())


def test_slack_gets_a_text_in_which_nothing_has_a_meaning() -> None:
    body = encode_body(event("a <!channel> & b"), "slack")

    assert json.loads(body.content) == {"text": "*Pillowcast: hugs*\na &lt;!channel&gt; &amp; b"}


def test_teams_gets_an_adaptive_card_for_workflows() -> None:
    """Markdown has no meaning either."""
    body = encode_body(event("see [this](https://example.org)"), "teams")

    message = json.loads(body.content)
    [attachment] = message["attachments"]
    card = attachment["content"]
    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][1]["text"] == r"see \[this\]\(https://example.org\)"
    assert {"title": "state", "value": "hugging"} in card["body"][2]["facts"]


@pytest.mark.parametrize("body_format", get_args(BodyFormat))
@given(
    letter=st.builds(
        DeadLetterAnnouncement,
        *(st.text(max_size=2000) for _ in range(3)),
        st.integers(0, 2**53),
        *(st.text(max_size=2000) for _ in range(2)),
    ),
    text=st.sampled_from([None, "$message" * 60, "$reason " * 60, "x" * 500]),
)
def test_a_body_is_bounded_whatever_somebody_sent(
    body_format: BodyFormat, letter: DeadLetterAnnouncement, text: str | None
) -> None:
    one = rule("letters", "dead-letter", text=text)
    [found] = dead_letters([one], "box", encode_announcement(letter), 0)

    body = encode_body(make_event(found, "/pillowcast/pillow", 7), body_format)

    assert len(body.content) <= (MAX_NTFY_BYTES if body_format == "ntfy" else MAX_BODY_BYTES)
