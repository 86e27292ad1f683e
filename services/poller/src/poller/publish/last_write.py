"""The newest state of each pillow that the broker is known to have had. Pure.

It is what newest-wins is decided by, with any number of pollers:
a state older than the newest is not published, and when the broker is seen to hold an older one,
because two pollers published at the same moment or because it lost its memory, the newest is
published again.
Only what the broker confirmed or sent is known here: a state on its way supersedes nothing.
"""

from collections.abc import Iterator

from contract.updates import Update


class LastWrites:
    """The newest confirmed state of each pillow, and what the broker is believed to hold."""

    def __init__(self) -> None:
        self._last_writes: dict[str, Update] = {}
        self._held: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._last_writes)

    def of(self, pillow: str) -> Update | None:
        """Return a pillow's newest state, if any is known."""
        return self._last_writes.get(pillow)

    def supersedes(self, update: Update) -> bool:
        """Say whether a newer state, or this very one, has been published already."""
        known = self._last_writes.get(update.pillow)
        return known is not None and (update.order < known.order or update.is_duplicate_of(known))

    def confirm(self, update: Update) -> Update | None:
        """Take in that the broker confirmed our publish; returns what has to be published again.

        That is a newer state of somebody else's, which ours may have replaced.
        """
        return self._hold(update)

    def see(self, update: Update) -> Update | None:
        """Take in what the broker sent; returns what has to be published again, if anything."""
        return self._hold(update)

    def forget(self, pillow: str) -> None:
        """Take in that a pillow was removed."""
        self._last_writes.pop(pillow, None)
        self._held.pop(pillow, None)

    def lose_broker(self) -> None:
        """Take in that what the broker holds is not known any more."""
        self._held.clear()

    def missing(self, since_ms: int) -> Iterator[Update]:
        """Yield the newest states that the broker does not hold, now that it has told all.

        Where it holds none, only what was published after `since_ms`: what it had for longer it
        has saved, so that pillow was removed, or its state has expired.
        """
        for pillow, known in self._last_writes.items():
            held = self._held.get(pillow)
            if held is None:
                if known.published_ms is not None and known.published_ms > since_ms:
                    yield known
            elif held < known.order:
                yield known

    def _hold(self, update: Update) -> Update | None:
        self._held[update.pillow] = update.order
        known = self._last_writes.get(update.pillow)
        if known is not None and update.order < known.order:
            return known
        self._last_writes[update.pillow] = update
        return None
