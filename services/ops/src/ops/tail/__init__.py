"""States as they pass the queue, the broker and the gateway, with the time of each hop."""
