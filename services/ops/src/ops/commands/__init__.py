"""The commands of `pillowcast`."""
