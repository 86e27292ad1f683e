"""Past states, from the recorder's database where there is one, else from memory.

- `memory`: what this process has heard
- `recorded`: what the recorder has written
- `fallback`: from memory while the database is away
"""
