"""Scenarios: files that say who there is, what happens when, which faults, and what to expect.

`form` is what a file may say, `reading` checks one, `plan` makes of it what is run, `library` has
those that come with the simulator.
"""
