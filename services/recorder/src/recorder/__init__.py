"""The recorder: MQTT to SQL, so that history outlives a process.

- `settings`, `metrics`: what it is told, and what it says
- `intake`: states that are not written yet, within a limit
- `episode_cache`, `batch`: what a batch of states changes in the tables
- `store`, `migrations`: the tables
- `retention`: what is too old, or too much
- `listener`: states from the broker
- `recording`: writes what arrives, whatever happens to the database
- `commands`: export, prune, stats
"""
