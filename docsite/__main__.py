"""scripts/docs: build the site of the documentation, check it, and serve it on loopback."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from docsite.built_pages import check_site
from docsite.navigation import pages_without_entry
from docsite.reference import log_lines
from docsite.staging import BrokenLink, Staging

ROOT: Final = Path(__file__).parent.parent
DOCS: Final = ROOT / "docs"
SOURCE: Final = ROOT / ".site/source"
SITE: Final = ROOT / ".site/html"
EXTERNAL: Final = ROOT / ".site/external-links.txt"


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/docs",
        description="Build the documentation in .site/html and check its links. Nothing is "
        "fetched; links to other sites are listed in .site/external-links.txt.",
        epilog="example: scripts/docs --serve 8000",
    )
    parser.add_argument(
        "--serve", type=int, metavar="PORT", help="serve the site on this port of loopback"
    )
    options = parser.parse_args(arguments)
    try:
        Staging(ROOT, SOURCE).run()
        (SOURCE / "reference/log-lines.md").write_text(log_lines.page(ROOT), encoding="utf-8")
    except BrokenLink as error:
        print(f"error: broken links in the documentation:\n{error}", file=sys.stderr)
        return 1
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    configuration = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    if lost := pages_without_entry(configuration, pages):
        print(f"error: not in nav of mkdocs.yml: {', '.join(lost)}", file=sys.stderr)
        return 1
    if not _build():
        return 1
    report = check_site(SITE)
    EXTERNAL.write_text("".join(f"{link}\n" for link in report.external), encoding="utf-8")
    for problem in report.problems:
        print(f"error: {problem}", file=sys.stderr)
    if report.problems:
        return 1
    if options.serve is not None:
        _serve(options.serve)
    return 0


def _build() -> bool:
    zensical = Path(sys.executable).with_name("zensical")
    built = subprocess.run(
        [zensical, "build", "--strict", "--clean"],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        # The builder's message for each problem, without the traceback of the builder itself.
        output = (built.stdout + built.stderr).partition("Traceback")[0]
        print(re.sub(r"\x1b\[[0-9;]*m", "", output), file=sys.stderr)
    return built.returncode == 0


def _serve(port: int) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=os.fspath(SITE))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(
            f"the documentation is on http://localhost:{server.server_port}/; Ctrl-C stops it",
            flush=True,
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    sys.exit(main())
