"""Rules and destinations: how they are written, checked, and read from a file."""
