"""The commands: options and environment to settings, then one thing done and an exit status.

0 is done, 1 not done or not as expected, 2 wrong usage.
"""
