"""What a process uses is told as the library tells it, without a list of its open files."""

import os

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector

from runtime.process_resources import ProcessResources, open_files

NAMES = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
)


def test_the_figures_are_those_of_the_library() -> None:
    """But for what changes between the two."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    ProcessResources(ours)
    ProcessCollector(registry=theirs)
    for name in NAMES:
        assert ours.get_sample_value(name) == pytest.approx(
            theirs.get_sample_value(name), rel=0.05, abs=2
        ), name


def test_each_open_file_counts() -> None:
    """At the moment of the question."""
    before = open_files()
    read, write = os.pipe()
    try:
        assert open_files() == before + 2
    finally:
        os.close(read)
        os.close(write)
