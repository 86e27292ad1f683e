"""Publishing to the broker: in order for each pillow, and newest wins across all pollers."""
