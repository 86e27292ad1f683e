"""Run a benchmark: `scripts/bench poller`, `scripts/bench poller --help`."""

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Run the benchmark that the first argument names; exit with 2 if there is none."""
    names = sorted(path.parent.name for path in Path(__file__).parent.glob("*/__main__.py"))
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print(f"usage: scripts/bench {{{','.join(names)}}} [--help]", file=sys.stderr)
        raise SystemExit(2)
    name = sys.argv[1]
    sys.argv[:2] = [f"scripts/bench {name}"]
    importlib.import_module(f"bench.{name}.__main__").main()


if __name__ == "__main__":
    main()
