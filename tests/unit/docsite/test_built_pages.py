"""What the check of the built site finds."""

from pathlib import Path

from docsite.built_pages import check_site


def test_missing_pages_and_places_are_problems(tmp_path: Path) -> None:
    """Good ones, and addresses with another scheme, are none."""
    (tmp_path / "b.html").write_text('<h1 id="top">b</h1>')
    (tmp_path / "a.html").write_text(
        '<a href="b.html#top"></a><a href="b.html#gone"></a><a href="c.html"></a>'
        '<a href="#here"></a><p id="here"></p><a href="mailto:a@example.org"></a>'
    )
    assert check_site(tmp_path).problems == [
        "a.html: b.html#gone: the page has no such place",
        "a.html: c.html does not exist",
    ]


def test_what_loads_from_elsewhere_is_a_problem_and_a_link_is_listed(tmp_path: Path) -> None:
    """Scripts, styles, images, frames, and fonts of a style sheet."""
    (tmp_path / "a.html").write_text(
        '<a href="https://example.org/"></a><script src="https://cdn.example/x.js"></script>'
        '<link rel="stylesheet" href="//fonts.example/f.css"><link rel="canonical" href="https://me/">'
    )
    (tmp_path / "a.css").write_text("@font-face { src: url('https://fonts.example/f.woff2') }")
    report = check_site(tmp_path)
    assert report.external == ["https://example.org/", "https://me/"]
    assert report.problems == [
        "a.css: loads https://fonts.example/f.woff2 from elsewhere",
        "a.html: loads //fonts.example/f.css from elsewhere",
        "a.html: loads https://cdn.example/x.js from elsewhere",
    ]
