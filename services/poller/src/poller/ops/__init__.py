"""What the poller's port tells operators beside its health: pillows and dead letters."""
