"""Checks: compares what a scenario expects with what the live system shows."""
