"""What delivering updates to browsers costs: the gateway beside its alternatives, in one run."""
