"""Seeds where nobody gave one."""

import secrets


def drawn_seed() -> int:
    """Return a seed by chance, short enough to be read out and typed again."""
    return secrets.randbelow(1_000_000)
