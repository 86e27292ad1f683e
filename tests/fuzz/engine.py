"""Engine: runs one target under atheris until libFuzzer ends the process.

usage: python -m tests.fuzz.engine TARGET [LIBFUZZER-ARGUMENT ...]
"""

import importlib
import sys
import time
from typing import Final

import atheris

TRACED: Final = ("azure_queue", "contract", "gateway", "jwt", "runtime", "tests")
"""The packages of which libFuzzer learns which lines an input reaches."""

MAX_INPUT_S: Final = 2.0
"""The CPU time of one input. Tracing makes code several times slower; what is quadratic in the
longest input of a target takes longer than this."""


def main(name: str, *arguments: str) -> None:
    """Run a target; does not return."""
    with atheris.instrument_imports(include=TRACED):
        target = importlib.import_module(f"tests.fuzz.{name}")

    def check(data: bytes) -> None:
        began_s = time.thread_time()
        target.check(data)
        spent_s = time.thread_time() - began_s
        assert spent_s < MAX_INPUT_S, f"{len(data)} bytes took {spent_s:.1f} s"

    # To merge, libFuzzer starts its command again by a shell.
    command = f"{sys.executable} -m {__spec__.name} {name}"
    atheris.Setup([command, f"-max_len={target.MAX_BYTES}", *arguments], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
