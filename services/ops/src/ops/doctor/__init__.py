"""Checks of everything that a deployment needs, all at once and each within a deadline."""
