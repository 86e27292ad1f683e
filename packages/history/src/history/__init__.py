"""History: the store of past states, which the recorder writes and the gateway reads.

- `schema`: the tables
- `settings`: which database
- `slots`: the pieces of time in which sizes are counted
- `database`: a URL's database, SQLite or PostgreSQL
- `episodes`: reports of one state after the other are one episode
- `listening`: from when until when states were heard
- `pages`: what is read at once
- `reading`: pages of past states, and the episodes of some days
- `summary`: what each day had, from its episodes
"""
