"""docs/reference/topics.md: every MQTT topic, from contract.topics."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contract.topics import Topics
from docsite.reference.tables import code, table, words

INTRODUCTION: Final = """\
# Topics

`pillow` is the setting `TOPIC_PREFIX`. A word in angle brackets stands for one level.
[Payloads](../../packages/contract/README.md#topics-mqtt) are on another page, and so is
[who may do what](../security.md#the-broker-who-may-do-what).
`mosquitto_sub -t 'pillow/#' -v` shows all of them as they pass.
"""


def page(_root: Path) -> str:
    """Return the page."""
    found = sorted(_topics())
    topics = [[code(topic), text] for topic, text in found if "+" not in topic]
    filters = [[code(topic), text] for topic, text in found if "+" in topic]
    return (
        f"{INTRODUCTION}\n## Topics\n\n{table(['topic', 'meaning'], topics)}"
        f"\n## Filters that services subscribe to\n\n{table(['filter', 'matches'], filters)}"
    )


def _topics() -> Iterator[tuple[str, str]]:
    """Yield each topic and filter with the text of its docstring."""
    topics = Topics("pillow")
    for name, member in inspect.getmembers(Topics):
        if name.startswith("_") or name == "prefix":
            continue
        text = inspect.getdoc(member) or ""
        if isinstance(member, property):
            value = getattr(topics, name)
        else:
            signature = inspect.signature(member)
            if signature.return_annotation is not str:
                continue
            levels = [level for level in signature.parameters if level != "self"]
            value = member(topics, *(f"<{level.replace('_', '-')}>" for level in levels))
        if isinstance(value, str):
            text = text.removeprefix("The topic of ").removeprefix("The filter that matches ")
            yield value, words(f"{text[:1].upper()}{text[1:]}")
