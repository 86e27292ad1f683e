"""The model: visitors, their gestures, the forces these cause, and what the firmware reports.

Every module here is pure. A seed and a time give the same numbers on every machine and Python
version: random numbers come from `rng`, and floating-point arithmetic uses only the operations
that IEEE 754 rounds correctly (the four basic ones, comparison, rounding and the square root).
Sines come from a table of rounded values, see `vectors`.
"""
