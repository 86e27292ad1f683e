"""The commands of `gateway`: tokens for development, and share links."""
