"""The commands of `notifier`."""
