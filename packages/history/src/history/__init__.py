"""History: the store of past states, which the recorder writes and the gateway reads.

- `schema`: the tables
- `settings`: which database
- `slots`: the pieces of time in which sizes are counted
- `database`: a URL's database, SQLite or PostgreSQL
- `episodes`: reports of one state after the other are one episode
- `listening`: from when until when states were heard
- `pages`: what is read at once
- `spans`: pieces of time
- `tallies`: what a pillow did in each of some spans
- `steps`: spans of equal length, and what each had
- `hugs`: what a day had of them
- `counting`: the statements that count where episodes lie
- `reading`: pages of past states, tallies and hugs
- `summary`: what each day had
"""
