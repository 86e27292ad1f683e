"""How old a state is when it arrives. Pure.

No instants of two machines are subtracted, except by the wall clock as a last resort.
"""

from typing import Final, NamedTuple

from contract.updates import EXPIRY_S, Update

MAX_AGE_MS: Final = 100 * 365 * 86_400_000
"""The largest age; what claims to be older comes from a clock that was never set."""


class StateAge(NamedTuple):
    """How long ago the sign of life was that a state is.

    `is_provisional`: it depends on the wall clock, and the queue's time will tell it better.
    """

    ms: int
    is_provisional: bool = False


def live_age_ms(update: Update) -> int:
    """Return the age of a state that has just been published: how long it waited in the queue.

    A state without `hops.queued` that a poller published again has waited since its `at`.
    """
    if update.published_ms is None:
        return 0
    begin_ms = update.order[0] // 1000 if update.queued_ms is None else update.queued_ms
    return _bounded(update.published_ms - begin_ms)


def retained_age(
    update: Update, *, expiry_s: int | None, queue_ms: int | None, wall_ms: int
) -> StateAge:
    """Return the age of a state that the broker had kept.

    A poller publishes with EXPIRY_S. `expiry_s` is what is left of it: a broker that counts down
    tells how long it has had the state. One that does not count down returns all of it, which says
    nothing. Else `hops.published`, or `at`, is compared with the queue's time, or with the wall
    clock where that is unknown.
    """
    now_ms = wall_ms if queue_ms is None else queue_ms
    if update.published_ms is None:
        return StateAge(_bounded(now_ms - update.order[0] // 1000))
    waited_ms = live_age_ms(update)
    if expiry_s is not None and expiry_s < EXPIRY_S:
        return StateAge(_bounded((EXPIRY_S - expiry_s) * 1000 + waited_ms))
    age_ms = _bounded(max(0, now_ms - update.published_ms) + waited_ms)
    return StateAge(age_ms, is_provisional=queue_ms is None)


def is_too_far_ahead(update: Update, *, queue_ms: int | None, reference_ms: int | None) -> bool:
    """Return whether a state would hide the later ones of its pillow.

    `queue_ms` and `reference_ms` are as in runtime.queue_aware_clock.Reading.
    """
    if reference_ms is None:
        return False
    if queue_ms is None and update.published_ms is not None:
        # A poller published it at this time, so this clock is behind at least so far.
        reference_ms = max(reference_ms, update.published_ms)
    return update.is_too_far_ahead(reference_ms)


def _bounded(ms: int) -> int:
    return max(0, min(ms, MAX_AGE_MS))
