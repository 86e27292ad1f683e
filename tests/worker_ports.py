"""Ports for the workers of a parallel run: each has a part of them.

A port is chosen some time before a program listens on it, and a program that was killed is started
again on its own; meanwhile another worker could choose it.
"""

import os

from devstack.ports import FREE_BELOW, FREE_FROM, FREE_VARIABLE


def divide() -> None:
    """Give this worker, and what it starts, its part; without effect outside of a parallel run."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return
    width = (FREE_BELOW - FREE_FROM) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    first = FREE_FROM + int(worker.removeprefix("gw")) * width
    os.environ[FREE_VARIABLE] = f"{first}-{first + width}"
