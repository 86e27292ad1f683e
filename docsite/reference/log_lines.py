"""The page of log lines. It is on the site only, because every change of a sentence changes it."""

from pathlib import Path
from typing import Final

from docsite.reference.source_texts import calls, log_lines
from docsite.reference.tables import table, words

INTRODUCTION: Final = """\
# Log lines

The warnings and errors that a service logs. With `LOG_FORMAT=json` the text is the field `event`.
What to do is in [the failure table](../operating.md#when-something-breaks).

"""


def page(root: Path) -> str:
    """Return the page."""
    rows = [[level, words(event), services] for level, event, services in log_lines(calls(root))]
    return INTRODUCTION + table(["level", "event", "logged by"], rows)
