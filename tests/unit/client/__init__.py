"""The Python client without a gateway."""
