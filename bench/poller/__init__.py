"""Measures the poller beside a minimal client, and beside the SDK used as documented."""
