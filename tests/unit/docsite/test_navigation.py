"""Nobody finds a page that the navigation lacks."""

from docsite.navigation import pages_without_entry


def test_a_page_that_is_not_listed_is_named() -> None:
    """In any depth of the navigation."""
    configuration = "nav:\n  - Home: index.md\n  - How-to:\n      - A: how-to/a.md\n"
    pages = ["index.md", "how-to/a.md", "how-to/b.md"]
    assert pages_without_entry(configuration, pages) == ["how-to/b.md"]
