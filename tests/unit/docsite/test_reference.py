"""The reference says what the code says."""

import re

from contract import frames
from contract.messages import Reason
from contract.topics import Topics
from devstack.processes import ROOT
from docsite.reference import errors, settings, topics
from docsite.reference import frames as frames_page
from docsite.reference import log_lines as log_lines_page
from docsite.reference.source_texts import Call, calls, log_lines
from docsite.reference.tables import table


def test_every_variable_of_the_example_file_is_a_row() -> None:
    """The file of a secret is in the row of the secret."""
    page = settings.page(ROOT)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^#([A-Z][A-Z0-9_]*)=", example, re.MULTILINE)
    assert [name for name in names if f"`{name}`" not in page] == []


def test_limits_and_choices_are_those_of_the_settings_class() -> None:
    """As a wrong value is refused by it."""
    page = settings.page(ROOT)
    assert re.search(r"`POLLER_MAX_ATTEMPTS` \| `5` \| .* \| ≥ 1, ≤ 1000 \|", page)
    assert re.search(r"`MQTT_PROTOCOL` \| `5` \| .* \| `5`, `3.1.1` \|", page)
    assert re.search(r"`GATEWAY_SHARE_KEY` \| .* \| a secret: also as a file, `", page)


def test_topics_are_built_by_the_contract() -> None:
    """With names for what stands in for a level."""
    page = topics.page(ROOT)
    built = Topics("pillow")
    assert f"`{built.status('<service>', '<instance>')}`" in page
    assert f"`{built.all_states}`" in page


def test_frames_have_their_fields_and_examples_of_the_contract() -> None:
    """Those that the contract's own tests read."""
    page = frames_page.page(ROOT)
    first = page.split("\n### ")[1]
    assert first.startswith("snapshot\n")
    assert '```json\n{"type": "snapshot", "cursor": "' in first
    assert "| `more` | true or false | May be absent. |" in first
    assert re.search(r"\| `cursor` \| text \| A position in .*\. \|", first)
    assert "### subscribe" in page.partition("## From a client")[2]


def test_every_close_code_and_reason_is_listed_with_what_the_source_says() -> None:
    """And the exit statuses."""
    page = errors.page(ROOT)
    for code in (frames.RESTART, frames.TOO_MANY):
        assert f"| {code} |" in page
    assert [reason for reason in Reason if f"| `{reason}` |" not in page] == []
    assert "| 4401 | this share link was revoked |" in page
    assert "| `404 Not Found` | unknown pillow |" in page


def test_warnings_and_errors_of_the_log_are_listed() -> None:
    """With the services that log them."""
    line = "| warning | dead letter: kept in the poison queue | poller |"
    assert line in log_lines_page.page(ROOT)


def test_texts_of_calls_have_an_ellipsis_for_what_is_put_in() -> None:
    """The events of the log, once each, with every service that logs them."""
    found = calls(ROOT)
    assert Call("poller", "log.warning", ("dead letter: kept in the poison queue",)) in found
    lines = log_lines(
        [Call("a", "log.error", ("it failed",)), Call("b", "log.error", ("it failed",))]
    )
    assert lines == [("error", "it failed", "a, b")]


def test_a_cell_cannot_break_a_table() -> None:
    """A bar is escaped, a line break is none."""
    assert table(["a"], [["b | c\nd"]]) == "| a |\n| --- |\n| b \\| c d |\n"
