"""The whole system, from a message on the queue to what a browser shows."""
