"""Which poller of a queue is active: the others stand by. Pure.

Only the requests of one poller can be merged into one order, so that of several pollers one
receives. They agree by messages on MQTT, which all of them need anyway; without a broker nothing is
received.
- The active poller's message is retained. A poller that starts and finds none becomes active.
- A poller on standby publishes that it stands by. While one does, the active poller repeats its
  message BEATS times within `takeover_s`.
- The active poller is replaced when it was silent for `takeover_s`, at once when it has published
  that it stopped, and when it has reported for FAILING_S that the queue does not work for it while
  the queue works for another poller.
- A term counts the replacements. Of two pollers that are active at once, which the loss of messages
  can bring about, the one of the larger rank stays.
Time that a process spends stopped proves nothing: a poller that stands by listens anew after it,
and one that is active receives only when the broker has acknowledged its message again.
"""

from enum import Enum
from typing import Final

from contract.poller_roles import MAX_TERM, PollerRole, RoleMessage

BEATS: Final = 4
"""How often an active poller repeats its message within `takeover_s`, while others stand by."""

TICKS: Final = 12
"""How often `tick` is called within `takeover_s`, at least."""

STALE_FRACTION: Final = 1 / 2
"""The part of `takeover_s` after which an active poller receives no more, unless the broker has
acknowledged a message of it. It has ended its requests before another one takes over."""

SETTLE_FRACTION: Final = 1 / 30
"""The part of `takeover_s` for which a poller listens before it is active, because another one may
claim the queue at the same moment."""

JITTER_FRACTION: Final = 1 / 6
"""The part of `takeover_s` by which pollers differ, so that one of them takes over first."""

KNOWN_FACTOR: Final = 3.0
"""How many times `takeover_s` a poller on standby counts as present after its last message."""

FAILING_S: Final = 10.0
"""After how long without a working queue an active poller is replaced, in seconds."""

PATIENCE_S: Final = 300.0
"""For how long a poller that was replaced because its queue did not work replaces no other for this
reason, in seconds. Otherwise two of them would take turns."""


class Reason(Enum):
    """Why a poller became active."""

    START = "start"
    SILENT = "silent"
    RELEASED = "released"
    FAILING = "failing"


class Phase(Enum):
    """Where a poller is in the election."""

    OFFLINE = "offline"
    STANDBY = "standby"
    CLAIMING = "claiming"
    """It has published that it is active, and waits whether another poller publishes the same."""
    ACTIVE = "active"


class Election:
    """One poller's part. Times are arguments, in seconds of one monotonic clock.

    The methods return the message to publish, if there is one.
    Invariant: a poller that knows of an active one of a larger rank is not active.
    """

    def __init__(self, poller: str, process: str, takeover_s: float, jitter: float) -> None:
        """`jitter` is a random number from 0 to 1."""
        self._poller, self._process = poller, process
        self.takeover_s = takeover_s
        self._jitter = jitter
        self.phase = Phase.OFFLINE
        self.reason = Reason.START
        """Why it became active last."""
        self.known: RoleMessage | None = None
        """The message of the largest rank of another poller that was active."""
        self._term = 0
        self._is_acknowledged = False
        self._works = True
        self._is_stale = False
        """Whether the broker acknowledges nothing, so that nothing is received either."""
        self._ticked_s = self._sent_s = self._claimed_s = self._evidence_s = 0.0
        self._heard_s = 0.0
        """When the active poller was heard, or the listening began."""
        self._standby_s = float("-inf")
        """When a poller that stands by was heard."""
        self._released_s: float | None = None
        self._failing_s: float | None = None
        self._replaced_s = float("-inf")
        """When this poller was replaced because its queue did not work."""

    @property
    def pause_s(self) -> float:
        """How long to wait until the next `tick`."""
        is_soon = self.phase is Phase.CLAIMING or self._released_s is not None
        return self.takeover_s * SETTLE_FRACTION if is_soon else self.takeover_s / TICKS

    def is_active(self, now_s: float) -> bool:
        """Return whether this poller may receive now."""
        age_s = now_s - self._evidence_s
        return self.phase is Phase.ACTIVE and age_s < self.takeover_s * STALE_FRACTION

    @property
    def is_failing(self) -> bool:
        """Whether the active poller reports that its queue does not work."""
        return self._failing_s is not None

    def disconnect(self) -> None:
        """Record that there is no connection: nothing is received, and nothing heard."""
        self.phase = Phase.OFFLINE

    def ready(self, now_s: float) -> RoleMessage | None:
        """Record that the broker has sent what it retains."""
        self._ticked_s = now_s
        known = self.known
        # A process of the same name ran before this one, or learns now that it is replaced.
        is_free = known is None or known.role is PollerRole.RELEASED or known.poller == self._poller
        if is_free or (known is not None and known.rank < self._rank):
            return self._claim(Reason.START, now_s)
        return self._stand_by(now_s)

    def receive(self, message: RoleMessage, now_s: float) -> RoleMessage | None:
        """Handle a message of a poller of the queue, also one that the broker had retained."""
        if message.process == self._process:
            return None
        if message.role is PollerRole.STANDBY:
            return self._receive_standby(now_s)
        if self.known is None or message.rank >= self.known.rank:
            self.known = message
        if self.phase is Phase.STANDBY:
            self._listen(message, now_s)
            return None
        if self.phase is Phase.OFFLINE:
            return None
        if message.rank < self._rank:
            return self._repeat(now_s) if message.role is PollerRole.ACTIVE else None
        if message.role is PollerRole.ACTIVE:
            if not self._works:
                self._replaced_s = now_s
            return self._stand_by(now_s)
        # It has stopped. This poller needs a larger term, because the others ignore a smaller one.
        return self._claim(self.reason, now_s)

    def acknowledge(self, now_s: float) -> None:
        """Record that the broker has acknowledged the message of an active poller."""
        self._evidence_s = now_s
        self._is_acknowledged, self._is_stale = True, False

    def tick(self, now_s: float, *, works: bool, reaches_queue: bool) -> RoleMessage | None:
        """Do what is due.

        `works` is false if this poller cannot receive, `reaches_queue` whether its queue has
        answered while it stood by.
        """
        was_stopped = self._was_stopped(now_s)
        self._ticked_s, self._works = now_s, works
        if self.phase is Phase.STANDBY:
            return self._tick_standby(now_s, was_stopped=was_stopped, reaches_queue=reaches_queue)
        if self.phase is Phase.CLAIMING and self._is_settled(now_s):
            self.phase, self._evidence_s = Phase.ACTIVE, now_s
        if self.phase is Phase.ACTIVE:
            if was_stopped:
                self._standby_s = now_s  # another one may have taken over meanwhile
            elif not self._is_asked(now_s):
                self._evidence_s = now_s
                return None
            self._is_stale = not self.is_active(now_s)
        is_due = now_s - self._sent_s >= self.takeover_s / BEATS
        return self._send(PollerRole.ACTIVE, now_s) if is_due and self._holds else None

    def release(self) -> RoleMessage | None:
        """End: another poller may be active at once."""
        held, self.phase = self._holds, Phase.OFFLINE
        return self._message(PollerRole.RELEASED) if held else None

    @property
    def _rank(self) -> tuple[int, str]:
        return self._term, self._process

    @property
    def _holds(self) -> bool:
        return self.phase in (Phase.CLAIMING, Phase.ACTIVE)

    def _was_stopped(self, now_s: float) -> bool:
        return now_s - self._ticked_s > self.takeover_s * STALE_FRACTION

    def _is_asked(self, now_s: float) -> bool:
        return now_s - self._standby_s < KNOWN_FACTOR * self.takeover_s

    def _is_settled(self, now_s: float) -> bool:
        return (
            self._is_acknowledged and now_s - self._claimed_s >= self.takeover_s * SETTLE_FRACTION
        )

    def _receive_standby(self, now_s: float) -> RoleMessage | None:
        if not self._holds:
            return None
        if not (self._is_asked(now_s) or self._was_stopped(now_s)):
            self._evidence_s = now_s  # until now nothing had to be acknowledged
        self._standby_s = now_s
        return self._repeat(now_s)

    def _repeat(self, now_s: float) -> RoleMessage | None:
        """Return the message of an active poller, unless the last one was sent a moment ago."""
        is_due = now_s - self._sent_s >= self.takeover_s / TICKS
        return self._send(PollerRole.ACTIVE, now_s) if is_due else None

    def _listen(self, message: RoleMessage, now_s: float) -> None:
        if message is not self.known:
            return  # of a lower rank: it learns from the active poller that it is not active
        if message.role is PollerRole.RELEASED:
            self._released_s = now_s
            return
        self._heard_s, self._released_s = now_s, None
        if message.works:
            self._failing_s = None
        elif self._failing_s is None:
            self._failing_s = now_s

    def _tick_standby(
        self, now_s: float, *, was_stopped: bool, reaches_queue: bool
    ) -> RoleMessage | None:
        if was_stopped:
            self._heard_s = now_s
        reason = self._reason_to_claim(now_s, reaches_queue=reaches_queue)
        if reason is not None:
            return self._claim(reason, now_s)
        is_due = now_s - self._sent_s >= self.takeover_s
        return self._send(PollerRole.STANDBY, now_s) if is_due else None

    def _reason_to_claim(self, now_s: float, *, reaches_queue: bool) -> Reason | None:
        jitter_s = self._jitter * self.takeover_s * JITTER_FRACTION
        if self._released_s is not None:
            is_due = now_s - self._released_s >= self._jitter * self.takeover_s * SETTLE_FRACTION
            return Reason.RELEASED if is_due else None
        if now_s - self._heard_s >= self.takeover_s + jitter_s:
            return Reason.SILENT
        if self._failing_s is None or not reaches_queue:
            return None
        has_failed = now_s - self._failing_s >= FAILING_S + jitter_s
        return Reason.FAILING if has_failed and now_s - self._replaced_s >= PATIENCE_S else None

    def _claim(self, reason: Reason, now_s: float) -> RoleMessage:
        self.phase, self.reason = Phase.CLAIMING, reason
        term = max(self._term, self.known.term if self.known else 0) + 1
        self._term = min(term, MAX_TERM)
        self._claimed_s, self._is_acknowledged, self._is_stale = now_s, False, False
        self._released_s = self._failing_s = None
        if reason is not Reason.START:
            self._standby_s = now_s  # the others told only the poller before that they stand by
        return self._send(PollerRole.ACTIVE, now_s)

    def _stand_by(self, now_s: float) -> RoleMessage:
        self.phase, self._heard_s = Phase.STANDBY, now_s
        self._released_s = self._failing_s = None
        return self._send(PollerRole.STANDBY, now_s)

    def _send(self, role: PollerRole, now_s: float) -> RoleMessage:
        self._sent_s = now_s
        return self._message(role)

    def _message(self, role: PollerRole) -> RoleMessage:
        works = self._works and not self._is_stale
        return RoleMessage(self._poller, role, self._term, self._process, works)
