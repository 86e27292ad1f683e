"""What the site's source holds, and which links break it."""

from pathlib import Path

import pytest

from docsite.staging import BrokenLink, Staging


def write(root: Path, files: dict[str, str]) -> None:
    """Make a repository with these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_files_that_pages_link_to_become_pages(tmp_path: Path) -> None:
    """Also those that these link to, in turn."""
    write(
        tmp_path,
        {
            "docs/a.md": "[code](../deploy/x.conf) [folder](../deploy) [readme](../README.md#top)",
            "docs/b/c.md": "[a](../a.md)",
            "README.md": "[b](docs/b/c.md)",
            "deploy/x.conf": "listen ```",
        },
    )
    target = tmp_path / "out"
    Staging(tmp_path, target).run()
    assert (target / "a.md").read_text() == (
        "[code](repository/deploy/x.conf.md) [folder](repository/deploy/index.md) "
        "[readme](repository/index.md#top)"
    )
    assert (target / "repository/index.md").read_text() == "[b](../b/c.md)"
    assert "````nginx\nlisten ```\n````" in (target / "repository/deploy/x.conf.md").read_text()
    assert "- [x.conf](x.conf.md)" in (target / "repository/deploy/index.md").read_text()


def test_every_broken_link_is_named(tmp_path: Path) -> None:
    """With its page, and also one that leads out of the repository."""
    write(tmp_path, {"docs/a.md": "[x](missing.md) [y](../../outside.md)"})
    with pytest.raises(BrokenLink) as raised:
        Staging(tmp_path, tmp_path / "out").run()
    assert str(raised.value).splitlines() == [
        "docs/a.md: there is no ../../outside.md",
        "docs/a.md: there is no missing.md",
    ]
