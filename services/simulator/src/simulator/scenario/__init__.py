"""Scenarios: files that define pillows, scheduled gestures, faults and expectations.

`schema` defines what a file may contain and checks it, `parsing` reads one, `plan` converts it
into numbers, and `library` finds those that come with the simulator.
"""
