"""Engine: runs one target under atheris until libFuzzer ends the process.

usage: python -m tests.fuzz.engine TARGET SECONDS [LIBFUZZER-ARGUMENT ...]

It ends after SECONDS of processor time, however much of the machine others use meanwhile; 0 stands
for no limit.
"""

import importlib
import math
import signal
import sys
import time
from typing import Final

import atheris

TRACED: Final = ("azure_queue", "contract", "gateway", "jwt", "runtime", "tests")
"""The packages of which libFuzzer learns which lines an input reaches."""

MAX_INPUT_S: Final = 2.0
"""The CPU time of one input. Tracing makes code several times slower; what is quadratic in the
longest input of a target takes longer than this."""


def main(name: str, seconds: str, *arguments: str) -> None:
    """Run a target; does not return."""
    with atheris.instrument_imports(include=TRACED):
        target = importlib.import_module(f"tests.fuzz.{name}")

    end_s = time.thread_time() + float(seconds) if float(seconds) else math.inf

    def check(data: bytes) -> None:
        began_s = time.thread_time()
        target.check(data)
        ended_s = time.thread_time()
        assert ended_s - began_s < MAX_INPUT_S, f"{len(data)} bytes took {ended_s - began_s:.1f} s"
        if ended_s > end_s:
            signal.raise_signal(signal.SIGUSR1)  # libFuzzer ends with its figures

    # To merge, libFuzzer starts its command again by a shell.
    command = f"{sys.executable} -m {__spec__.name} {name} 0"
    atheris.Setup([command, f"-max_len={target.MAX_BYTES}", *arguments], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
