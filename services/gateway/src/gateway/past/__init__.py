"""Past states, from the recorder's database where there is one, else from memory.

- `source`: what both offer
- `memory`: what this process has heard
- `database`: what the recorder has written
- `fallback`: from memory while the database is away
"""
