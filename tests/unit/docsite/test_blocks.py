"""Which blocks of code a page has, and when an output is the one that it shows."""

import pytest

from docsite.blocks import Block, code_blocks, shows


def test_blocks_have_their_language_place_and_comment() -> None:
    """A comment holds for the block right below it."""
    page = "\n".join(
        [
            "<!-- run: background until ready: -->",
            "```sh",
            "scripts/dev",
            "```",
            "",
            "<!-- shows -->",
            "Words between.",
            "",
            "````md",
            "```",
            "inner",
            "```",
            "````",
            "- item",
            "",
            "  ```",
            "  indented",
            "  ```",
        ]
    )
    assert list(code_blocks("p.md", page)) == [
        Block("p.md", 2, "sh", "scripts/dev\n", "run", "background until ready:"),
        Block("p.md", 9, "md", "```\ninner\n```\n"),
        Block("p.md", 16, "", "indented\n"),
    ]


@pytest.mark.parametrize(
    ("expected", "output", "is_shown"),
    [
        ("a…c\n", "x\nabc\ny\n", True),
        ("a\nc\n", "a\nb\nc\n", True),
        ("c\na\n", "a\nb\nc\n", False),
        ("…b…\n", "a\n", False),
        ("(a)\n", "(a)\n", True),
        ("a\n", "ab\n", False),
    ],
)
def test_an_output_has_the_lines_in_order(expected: str, output: str, is_shown: bool) -> None:
    """Whole lines, in which … stands for anything."""
    assert shows(expected, output) is is_shown
