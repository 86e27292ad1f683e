"""What is claimed about speed, measured side by side with its alternatives in the same run."""
