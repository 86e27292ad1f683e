"""The runner for clients: a golden server."""
