"""The commands: each reads options and environment, does one thing, and exits with a status.

0 means success, 1 failure or an expectation that does not hold, 2 wrong usage.
"""
