"""Puts the site's source together: docs/, and a page for each other file that they link to.

The pages of docs/ are read in two places: in the repository, where a link like
../deploy/proxies/nginx.conf opens the file, and on the site. A page of the site shows the file, so
that the links work in both, and without a network.
"""

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from docsite.links import rewrite_links

LANGUAGES: Final = {
    ".py": "python", ".mjs": "js", ".js": "js", ".conf": "nginx", ".cfg": "text",
    ".yml": "yaml", ".yaml": "yaml", ".json": "json", ".toml": "toml", ".service": "ini",
    ".sh": "bash", ".example": "bash",
}  # fmt: skip
"""How the files that pages link to are highlighted."""


class BrokenLink(Exception):
    """A page links to something that does not exist."""


@dataclass
class Staging:
    """One run: copies pages, and the files that they link to, until all are there."""

    root: Path
    target: Path
    _waiting: list[Path] = field(default_factory=list)
    _staged: set[Path] = field(default_factory=set)

    @property
    def _docs(self) -> Path:
        return self.root / "docs"

    def run(self) -> None:
        """Make the folder anew. Raises BrokenLink with every link whose target is missing."""
        shutil.rmtree(self.target, ignore_errors=True)
        self._waiting = sorted(path for path in self._docs.rglob("*") if path.is_file())
        broken: list[str] = []
        while self._waiting:
            path = self._waiting.pop()
            if path in self._staged:
                continue
            self._staged.add(path)
            destination = self._destination(path)
            destination.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".md":
                destination.write_text(self._page(path, broken), encoding="utf-8")
            elif path.is_relative_to(self._docs):
                shutil.copyfile(path, destination)
            else:
                destination.write_text(self._listing(path), encoding="utf-8")
        if broken:
            raise BrokenLink("\n".join(sorted(broken)))

    def _destination(self, path: Path) -> Path:
        """Return where a file of the repository goes."""
        if path.is_relative_to(self._docs):
            return self.target / path.relative_to(self._docs)
        folder = self.target / "repository"
        inside = path.relative_to(self.root)
        if path.is_dir():
            return folder / inside / "index.md"
        if path.suffix == ".md":
            return folder / (inside.with_name("index.md") if path.stem == "README" else inside)
        # A leading dot would hide the page.
        return folder / inside.with_name(f"{inside.name.lstrip('.')}.md")

    def _page(self, path: Path, broken: list[str]) -> str:
        def rewrite(target: str) -> str:
            place, hash_, anchor = target.partition("#")
            linked = Path(os.path.normpath(path.parent / place))
            if not linked.exists() or not linked.is_relative_to(self.root):
                broken.append(f"{path.relative_to(self.root)}: there is no {place}")
                return target
            if not linked.is_relative_to(self._docs):
                self._waiting.append(linked)
            there = os.path.relpath(self._destination(linked), self._destination(path).parent)
            return f"{there}{hash_}{anchor}"

        return rewrite_links(path.read_text(encoding="utf-8"), rewrite)

    def _listing(self, path: Path) -> str:
        """Return the page of a file that is no Markdown, or of a folder."""
        name = path.relative_to(self.root).as_posix()
        head = f"---\nsearch:\n  exclude: true\n---\n\n# {name}\n\n"
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.is_file())
            self._waiting += files
            here = self._destination(path).parent
            links = [
                f"- [{file.name}]({os.path.relpath(self._destination(file), here)})"
                for file in files
            ]
            return head + "\n".join(links) + "\n"
        text = path.read_text(encoding="utf-8")
        ticks = max([2, *(len(run) for run in re.findall(r"`+", text))]) + 1
        language = LANGUAGES.get(path.suffix) or ("bash" if text.startswith("#!") else "text")
        return f"{head}{'`' * ticks}{language}\n{text.rstrip()}\n{'`' * ticks}\n"
