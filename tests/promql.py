"""What a PromQL expression asks for: metrics with their matchers, and labels to group by."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*') | (?P<name>[a-zA-Z_:][\w:]*)
    | (?P<range>\[[^\]]*\]) | (?P<number>\d[\w.]*) | (?P<matcher>=~|!~|!=|==|=) | (?P<other>\S)""",
    re.VERBOSE,
)
_AGGREGATIONS = frozenset(
    {
        "sum", "min", "max", "avg", "count", "group", "stddev", "stdvar", "topk", "bottomk",
        "quantile", "count_values",
    }
)  # fmt: skip
_MATCHING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_KEYWORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})


@dataclass(frozen=True)
class Selector:
    """A metric, and what its labels have to match: label, operator and value of each."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...] = ()

    def __str__(self) -> str:
        inside = ",".join(f'{label}{operator}"{value}"' for label, operator, value in self.matchers)
        return f"{self.metric}{{{inside}}}" if inside else self.metric


@dataclass(frozen=True)
class Query:
    """What an expression asks for."""

    selectors: tuple[Selector, ...]
    grouping: frozenset[str]


def parse(expression: str) -> Query:
    """Return what an expression asks for. It must be valid: promtool checks that."""
    tokens = [(str(match.lastgroup), match.group()) for match in _TOKEN.finditer(expression)]
    tokens.append(("end", ""))
    selectors: list[Selector] = []
    grouping: set[str] = set()
    place = 0
    while place < len(tokens) - 1:
        kind, text = tokens[place]
        place += 1
        if kind != "name" or text in _KEYWORDS or text in _AGGREGATIONS:
            continue
        if text in _MATCHING:
            inside, place = _parenthesised(tokens, place)
            grouping.update(name for kind, name in inside if kind == "name")
        elif tokens[place][1] == "{":
            inside, place = _parenthesised(tokens, place)
            selectors.append(Selector(text, tuple(_matchers(inside))))
        elif tokens[place][1] != "(":
            selectors.append(Selector(text))
    return Query(tuple(selectors), frozenset(grouping))


def _parenthesised(tokens: list[tuple[str, str]], start: int) -> tuple[list[tuple[str, str]], int]:
    """Return the tokens of a list in parentheses or braces, and the place after it."""
    end = start
    while tokens[end][1] not in (")", "}"):
        end += 1
    return tokens[start + 1 : end], end + 1


def _matchers(tokens: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    listed = [text for _, text in tokens if text != ","]
    for label, operator, value in zip(*[iter(listed)] * 3, strict=True):
        yield label, operator, value[1:-1]
