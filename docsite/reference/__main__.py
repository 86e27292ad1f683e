"""Write docs/reference/*.md from the code: python -m docsite.reference; with --check compare."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from docsite.reference import errors, frames, settings, topics

ROOT: Final = Path(__file__).parent.parent.parent
PAGES: Final[dict[str, Callable[[Path], str]]] = {
    "errors": errors.page,
    "frames": frames.page,
    "settings": settings.page,
    "topics": topics.page,
}
NOTE: Final = "<!-- Made from the code by scripts/check: do not edit. -->\n\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or compare the pages; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m docsite.reference", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a page is old"
    )
    options = parser.parse_args(arguments)
    old = []
    for name, make in PAGES.items():
        path = ROOT / f"docs/reference/{name}.md"
        text = NOTE + make(ROOT)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            old.append(path.relative_to(ROOT).as_posix())
            if not options.check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if old and options.check:
        print(f"error: not as the code is: {', '.join(old)}: run scripts/check", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
