"""The command `poller dead-letters`: people's way to what the poison queue keeps."""
