"""The context of a command: settings, rules, outbox, output and exit status."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import msgspec

from notifier.outbox.outbox_file import OutboxFile, OutboxUnavailable
from notifier.rules.loading import load_rule_book
from notifier.rules.parsing import InvalidRules
from notifier.rules.schema import RuleBook
from notifier.settings import NotifierSettings
from runtime.lifecycle import exit_with_usage
from runtime.printable_text import printable
from runtime.redaction import redact
from runtime.startup import load_for_command

COMMAND: Final = "notifier"


def load_settings() -> NotifierSettings:
    """Return the settings; exit with status 2 when one is wrong."""
    return load_for_command(COMMAND, NotifierSettings.load, level="error")


def load_rules(settings: NotifierSettings) -> RuleBook:
    """Return the rules; exit with status 2 when one is wrong."""
    try:
        return load_rule_book(settings.rules)
    except InvalidRules as error:
        exit_with_usage(COMMAND, f"NOTIFIER_RULES {error}")


@contextmanager
def opened_outbox() -> Iterator[OutboxFile]:
    """Open the outbox that the environment names; exit with status 1 if that fails."""
    path = load_settings().outbox
    if not path.exists():
        fail(f"there is no {path}; NOTIFIER_OUTBOX names the file of the notifier that runs")
    try:
        file = OutboxFile(path, create=False)
        try:
            yield file
        finally:
            file.close()
    except OutboxUnavailable as error:
        fail(f"NOTIFIER_OUTBOX {error}")


def write_line(text: str) -> None:
    """Write a line of the command's result."""
    sys.stdout.write(f"{printable(text)}\n")


def write_json(document: object) -> None:
    """Write a document as one line of JSON."""
    sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")


def warn(text: str) -> None:
    """Write a line that is no part of the result."""
    sys.stderr.write(redact(f"{COMMAND}: {printable(text)}\n"))


def fail(text: str) -> NoReturn:
    """End with status 1, after a sentence."""
    warn(text)
    raise SystemExit(1)
