"""The model: people, their gestures, the forces, and what a firmware makes of them.

Pure. A seed and a time give the same numbers on every machine and Python: chance is `chance`'s own,
and nothing is done with floating-point numbers but the four operations, comparisons, rounding and
the square root, which IEEE 754 defines to the last bit. Sines come from a table made that way.
"""
