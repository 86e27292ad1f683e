"""Which events there are: deciders that are given messages and the time, and return events."""
