"""Revocations: which share links were revoked, as the broker's retained messages say. Pure."""

from typing import Final

from gateway.auth.shares import is_share_id

MAX_REVOKED: Final = 100_000
"""How many ids are kept; a revocation is retained until it is taken back, and takes 100 bytes."""


class Revocations:
    """The ids of revoked share links."""

    def __init__(self, limit: int = MAX_REVOKED) -> None:
        self._ids: dict[str, None] = {}
        self._limit = limit
        self._is_complete = False
        self.ignored = 0
        """How many were ignored because the limit is reached, so that links may be open still."""

    def complete(self) -> None:
        """Note that all that the broker retains have arrived."""
        self._is_complete = True

    def is_revoked(self, share_id: str) -> bool | None:
        """Return whether a link was revoked; None while that is not known yet."""
        return True if share_id in self._ids else (False if self._is_complete else None)

    def __contains__(self, share_id: str) -> bool:
        return share_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def receive(self, share_id: str, payload: bytes) -> bool:
        """Take a message on a revocation's topic; return whether the link was revoked just now.

        An empty payload takes the revocation back.
        """
        if not is_share_id(share_id):
            return False
        if not payload:
            self._ids.pop(share_id, None)
            return False
        if share_id in self._ids:
            return False
        if len(self._ids) >= self._limit:
            self.ignored += 1
            return False
        self._ids[share_id] = None
        return True
