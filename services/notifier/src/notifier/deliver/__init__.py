"""Delivery: what is posted, how it is signed, when it is tried again, and by which HTTP client."""
