"""The runner for gateways."""
