"""Azure Queue Storage: what every message costs on connections of our own, the rest by the SDK."""
