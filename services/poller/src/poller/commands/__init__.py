"""The commands of `poller dead-letters`."""
