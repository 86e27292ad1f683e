"""Which links of a page are rewritten."""

import pytest

from docsite.links import is_relative, rewrite_links


@pytest.mark.parametrize("target", ["a.md", "../a/b.md#c", "a%20b.md"])
def test_a_path_is_relative(target: str) -> None:
    """It is looked for in the repository."""
    assert is_relative(target)


@pytest.mark.parametrize("target", ["https://example.org", "#place", "mailto:a@b", "/absolute"])
def test_an_address_or_a_place_is_not(target: str) -> None:
    """They stay as they are."""
    assert not is_relative(target)


def test_links_and_images_are_rewritten_and_code_is_not() -> None:
    """A link in a code span or a code block is a text."""
    page = (
        '[a](x.md) ![b](y.png "title") `[c](z.md)` [`d`](w.md)\n'
        "````md\n[e](v.md)\n```\n[f](u.md)\n````\n[g](t.md)\n"
    )
    assert rewrite_links(page, str.upper) == (
        '[a](X.MD) ![b](Y.PNG "title") `[c](z.md)` [`d`](W.MD)\n'
        "````md\n[e](v.md)\n```\n[f](u.md)\n````\n[g](T.MD)\n"
    )
