"""docs/webhooks.md says what the code does."""

import re
from pathlib import Path

import msgspec
import pytest

from devstack.processes import ROOT
from notifier.deliver.formats import MAX_BODY_BYTES
from notifier.rules.parsing import DestinationTable, parse_rule_book
from notifier.rules.rule_table import PLACEHOLDERS, RuleTable
from notifier.rules.schema import FORMATS, MAX_DESTINATIONS, MAX_RULES
from notifier.settings import NotifierSettings

PAGE = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
SECRET = "whsec_" + "a" * 40
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def section(title: str) -> str:
    """Return a section of the page."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def keys(table: type[msgspec.Struct]) -> set[str]:
    """Return the keys of a table as they are written."""
    return {field.encode_name for field in msgspec.structs.fields(table)}


def first_cells(text: str) -> set[str]:
    """Return what the first cells of a table name."""
    cells = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([\w.-]+)`", cell)}


@pytest.mark.parametrize("block", BLOCKS)
def test_the_rules_of_the_page_are_valid(block: str) -> None:
    def read_file(path: str) -> str:
        return SECRET if "SECRET" in path else "https://hooks.example.org/x"

    assert parse_rule_book(block.encode(), read_file).rules


def test_every_key_is_in_the_tables() -> None:
    assert first_cells(section("Rules")) == keys(RuleTable) - {"on"}
    assert first_cells(section("Destinations")) == keys(DestinationTable) | set(FORMATS)


def test_every_name_that_a_text_may_have_is_listed() -> None:
    listed = set(re.findall(r"`\$(\w+)`", section("Rules")))

    assert listed == set().union(*PLACEHOLDERS.values())


def test_every_type_of_event_is_listed() -> None:
    """As the code names them."""
    sources = "".join(
        path.read_text() for path in Path(ROOT / "services/notifier/src").rglob("*.py")
    )
    made = {
        f"pillowcast.{kind}"
        for kind in re.findall(r'"((?:pillow|queue|message)\.[\w-]+)"', sources)
    }

    assert first_cells(section("Events")) - {"queue", "test"} == made | {"pillowcast.test"}


def test_the_numbers_are_those_of_the_code() -> None:
    fields = NotifierSettings.model_fields

    assert f"{fields['max_waiting'].default:,} events wait" in PAGE
    assert f"{fields['max_dead_letters'].default:,} dead letters are kept" in PAGE
    assert f"at most {MAX_BODY_BYTES // 1024} KiB" in PAGE
    assert f"At most {MAX_DESTINATIONS} destinations and {MAX_RULES} rules" in PAGE
