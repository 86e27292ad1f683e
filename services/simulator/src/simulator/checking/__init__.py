"""Checking: what a scenario expects, against what the live system showed."""
