"""The rules file on disk, and the files that it names."""

from pathlib import Path

import pytest

from notifier.rules.loading import load_rule_book
from notifier.rules.parsing import InvalidRules

RULES = """
[destination.house]
url_file = "url"
[[rule]]
name = "hugs"
on = "state"
state = "hugging"
to = "house"
"""


def test_files_are_beside_the_rules(tmp_path: Path) -> None:
    """What is around their text, a line break for example, does not belong to it."""
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "url").write_text("https://hooks.example.org/x\r\n")

    book = load_rule_book(tmp_path / "rules.toml")

    assert book.destinations["house"].url == "https://hooks.example.org/x"


def test_a_file_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    with pytest.raises(InvalidRules, match=r"rules\.toml: No such file"):
        load_rule_book(rules)
    rules.write_text(RULES)
    with pytest.raises(InvalidRules, match=r"destination\.house\.url_file = 'url': No such file"):
        load_rule_book(rules)
    (tmp_path / "url").write_text("\n")
    with pytest.raises(InvalidRules, match=r"= 'url': is empty"):
        load_rule_book(rules)
    rules.write_bytes(b"#" * 1_000_001)
    with pytest.raises(InvalidRules, match="more than 1000000 bytes"):
        load_rule_book(rules)
