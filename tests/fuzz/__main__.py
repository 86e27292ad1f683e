"""Runs the fuzz targets: see scripts/fuzz --help."""

import argparse
import subprocess
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from devstack.processes import ROOT
from tests.fuzz import TARGETS

CORPORA: Final = ROOT / "tests" / "fuzz" / "corpora"
FINDS: Final = ROOT / ".devstack" / "fuzz"
MAX_CORPUS_BYTES: Final = 24_000
"""What is kept for one target; a repository keeps whatever was in it."""

INPUT_TIMEOUT_S: Final = 60
"""How long one input may take in real time; its processor time has a limit of its own."""

MEMORY_MIB: Final = 1024
MAX_SLOWDOWN: Final = 20
"""How many times the processor time asked for a target may run: on a machine that others use."""


def main() -> int:
    """Run the targets; return 0 if none failed."""
    options = _parse()
    if find_spec("atheris") is None:
        print("error: atheris is not installed: it has wheels for Linux on x86-64 and Python 3.11 "
              "to 3.13", file=sys.stderr)  # fmt: skip
        return 2
    seconds: int = options.seconds
    keep: bool = options.keep
    began_s = time.monotonic()
    with ThreadPoolExecutor(options.jobs) as executor:
        results = list(
            executor.map(lambda name: run(name, seconds, keep=keep), options.targets or TARGETS)
        )
    print(f"{len(results)} targets, {sum(results)} failed, {time.monotonic() - began_s:.0f} s")
    return 1 if any(results) else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "scripts/fuzz", description="Run fuzz targets; exit status 1 if one fails."
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument(
        "--seconds", type=int, default=60, help="of processor time for each target (60)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="targets at the same time (2)")
    parser.add_argument(
        "--keep", action="store_true", help="add inputs that reach new code to tests/fuzz/corpora"
    )
    options = parser.parse_args()
    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        parser.error(
            f"{', '.join(sorted(unknown))}: no such target; there are {', '.join(TARGETS)}"
        )
    return options


def run(name: str, seconds: int, *, keep: bool) -> bool:
    """Run one target and print what came of it; return whether it failed."""
    FINDS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as temporary:
        known, grown = Path(temporary) / "known", Path(temporary) / "grown"
        _write(known, [*seeds(name), *read_corpus(name)])
        grown.mkdir()
        process = _start(
            name,
            seconds,
            "-print_final_stats=1",
            f"-artifact_prefix={FINDS}/{name}-",
            str(grown),
            str(known),
        )
        try:
            output, _ = process.communicate(timeout=seconds * MAX_SLOWDOWN)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            output += f"\nstill running after {MAX_SLOWDOWN} times its processor time\n"
        if process.returncode:
            print(f"{name}: FAILED\n{_without_chatter(output)}")
            return True
        print(f"{name}: {_figures(output)}")
        if keep:
            _merge(name, known, grown)
    return False


def seeds(name: str) -> list[bytes]:
    """Return the seeds of a target."""
    return list(import_module(f"tests.fuzz.{name}").seeds())


def read_corpus(name: str) -> list[bytes]:
    """Return the inputs that were kept for a target; each is a line of Base64."""
    path = CORPORA / f"{name}.txt"
    return list(map(b64decode, path.read_text().split())) if path.exists() else []


def _write(folder: Path, inputs: list[bytes]) -> None:
    folder.mkdir()
    for number, data in enumerate(inputs):
        (folder / f"{number}").write_bytes(data)


def _merge(name: str, known: Path, grown: Path) -> None:
    """Keep the smallest inputs that reach all that is reached now, without the seeds."""
    merged = grown.parent / "merged"
    merged.mkdir()
    process = _start(name, 0, "-merge=1", *map(str, (merged, known, grown)))
    output, _ = process.communicate()
    assert process.returncode == 0, output
    found = {path.read_bytes() for path in merged.iterdir()} - set(seeds(name))
    kept: list[bytes] = []
    size = 0
    for data in sorted(found, key=lambda one: (len(one), one)):
        size += len(data)
        if size <= MAX_CORPUS_BYTES:
            kept.append(data)
    before = len(read_corpus(name))
    CORPORA.mkdir(exist_ok=True)
    (CORPORA / f"{name}.txt").write_text("".join(f"{b64encode(one).decode()}\n" for one in kept))
    print(f"{name}: {len(kept)} inputs in the corpus, {before} before")


def _start(name: str, seconds: int, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            sys.executable, "-m", "tests.fuzz.engine", name, str(seconds),
            f"-timeout={INPUT_TIMEOUT_S}", f"-rss_limit_mb={MEMORY_MIB}", *arguments,
        ],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    )  # fmt: skip


def _figures(output: str) -> str:
    """Return how many inputs were tried, and how much code they reached."""
    lines = output.splitlines()
    tried = next((one.split()[-1] for one in lines if "number_of_executed_units" in one), "no")
    last = next((one for one in reversed(lines) if " cov: " in one), "")
    reached = last.partition(" cov: ")[2].partition(" lim:")[0]
    return f"{tried} inputs, coverage {' '.join(reached.split())}"


def _without_chatter(output: str) -> str:
    chatter = ("INFO:", "WARNING: Failed to find", "\tNEW", "\tREDUCE", "\tpulse")
    return "\n".join(
        line for line in output.splitlines() if not any(one in line for one in chatter)
    )


if __name__ == "__main__":
    sys.exit(main())
