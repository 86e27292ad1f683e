"""Receiving from the queue: when to poll, how much, and what happens to each message."""
