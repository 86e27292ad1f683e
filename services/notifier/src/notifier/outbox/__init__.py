"""Outbox: events on disk from the decision to the delivery, and dead letters."""
