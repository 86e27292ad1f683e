"""TLS in front of the gateway: ten thousand browsers after a restart, and an idle connection."""
