"""One client's connection: from its first bytes through the handshake to its end."""
