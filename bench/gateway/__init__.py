"""What it costs to tell browsers: the gateway beside its alternatives, in the same run."""
