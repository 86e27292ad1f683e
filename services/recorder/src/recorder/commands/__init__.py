"""The commands `recorder export`, `prune` and `stats`."""
