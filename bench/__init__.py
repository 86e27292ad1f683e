"""Benchmarks: each measures a part of Pillowcast beside its alternatives, in one run."""
