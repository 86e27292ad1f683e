"""MQTT to browsers: keeps the newest state of every pillow and hands changes to whoever listens."""
