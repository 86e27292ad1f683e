"""Newest-wins: whoever publishes what, in whatever order, the broker ends with the newest."""

from collections import deque

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from contract.updates import Update
from poller.publish.last_write import LastWrites

Order = tuple[int, int]


def update(at: int, seq: int = 0, *, pillow: str = "a", note: str = "", hop: int = 0) -> Update:
    """A state of a pillow; `note` tells two of the same order apart, `hop` does not."""
    payload = f'{{"note":"{note}","hops":{{"published":{hop}}}}}'.encode()
    return Update(pillow, "hugging", (at, seq), payload, published_ms=at)


def test_nothing_is_superseded_by_what_is_not_confirmed() -> None:
    """A state on its way may never arrive."""
    newest = LastWrites()

    assert not newest.supersedes(update(1))
    newest.confirm(update(5))
    assert newest.supersedes(update(4))
    assert newest.supersedes(update(5))
    assert not newest.supersedes(update(6))
    assert not newest.supersedes(update(4, pillow="b"))


def test_seq_decides_between_states_of_the_same_instant() -> None:
    """And nothing else: the later published is not the newer."""
    newest = LastWrites()
    newest.confirm(update(5, 2))

    assert newest.supersedes(update(5, 1))
    assert not newest.supersedes(update(5, 3))
    assert newest.confirm(update(5, 1)) == update(5, 2)


def test_another_state_of_the_same_order_is_no_repetition() -> None:
    """Two messages of one instant are both published; one delivered twice is not."""
    newest = LastWrites()
    newest.confirm(update(5, note="one", hop=1))

    assert newest.supersedes(update(5, note="one", hop=2))
    assert not newest.supersedes(update(5, note="other"))
    assert newest.confirm(update(5, note="other")) is None


def test_an_older_state_seen_on_the_broker_is_healed() -> None:
    """Whoever knows better publishes the newest again, once."""
    newest = LastWrites()
    newest.confirm(update(9))

    assert newest.see(update(3)) == update(9)
    assert newest.see(update(9)) is None
    assert newest.see(update(10)) is None
    assert newest.supersedes(update(9))


def test_what_a_broker_without_memory_lacks_is_published_again() -> None:
    """Everything it did not tell, and everything it told an older state of."""
    newest = LastWrites()
    for pillow, at in (("a", 1), ("b", 2), ("c", 3)):
        newest.confirm(update(at, pillow=pillow))
    assert list(newest.missing(since_ms=-1)) == []

    newest.lose_broker()
    newest.see(update(2, pillow="b"))
    newest.see(update(1, pillow="c"))

    assert {one.pillow for one in newest.missing(since_ms=-1)} == {"a", "c"}


def test_what_a_broker_had_time_to_save_was_removed() -> None:
    """A state that it had for long and lacks now is not brought back."""
    newest = LastWrites()
    newest.confirm(update(100, pillow="long-ago"))
    newest.confirm(update(900, pillow="just-now"))

    newest.lose_broker()

    assert [one.pillow for one in newest.missing(since_ms=500)] == ["just-now"]


def test_a_removed_pillow_is_forgotten() -> None:
    """It may come back with any state."""
    newest = LastWrites()
    newest.confirm(update(9))
    newest.forget("a")

    assert len(newest) == 0
    assert not newest.supersedes(update(1))
    assert list(newest.missing(since_ms=-1)) == []
    newest.forget("never seen")


class Site:
    """One poller: what it knows, and what is on its way to it and from it."""

    def __init__(self) -> None:
        self.newest = LastWrites()
        self.sent: deque[Update] = deque()
        self.coming: deque[tuple[str, Update]] = deque()

    def heal(self, again: Update | None) -> None:
        """Publish again what it says has to be."""
        if again is not None:
            self.sent.append(again)


class Pollers(RuleBasedStateMachine):
    """Several pollers and a broker; each connection keeps its order, and nothing else does.

    Confirmations and what others published come in the order in which the broker took them.
    """

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.retained: Update | None = None
        self.taken: set[Order] = set()
        self.echoes = False
        self.sites: list[Site] = []

    @initialize(count=st.integers(1, 4), echoes=st.booleans())
    def begin(self, count: int, echoes: bool) -> None:
        """`echoes` is MQTT 3.1.1, where a publisher hears itself."""
        self.echoes = echoes
        self.sites = [Site() for _ in range(count)]

    @rule(target=messages, at=st.integers(0, 5), seq=st.integers(0, 2), note=st.sampled_from("xy"))
    def arrives(self, at: int, seq: int, note: str) -> Update:
        """A message is on the queue, and may be delivered any number of times."""
        return update(at, seq, note=note)

    @rule(message=messages, which=st.integers(0, 3))
    def publish(self, message: Update, which: int) -> None:
        """A poller receives it and publishes it, unless that has become pointless."""
        site = self.sites[which % len(self.sites)]
        if site.newest.supersedes(message):
            assert any(order >= message.order for order in self.taken), "nothing was confirmed"
        else:
            site.sent.append(message)

    @rule(which=st.integers(0, 3))
    def take(self, which: int) -> None:
        """The broker takes the next publish of a poller."""
        self._take(self.sites[which % len(self.sites)])

    @rule(which=st.integers(0, 3))
    def deliver(self, which: int) -> None:
        """The next thing that the broker sent reaches a poller."""
        self._deliver(self.sites[which % len(self.sites)])

    @rule(which=st.integers(0, 3))
    def deliver_twice(self, which: int) -> None:
        """QoS 1 is at least once: a confirmed or heard state may be told again, in its place."""
        site = self.sites[which % len(self.sites)]
        if site.coming and site.coming[0][0] == "hear":
            site.coming.appendleft(site.coming[0])

    @precondition(lambda self: self.sites)
    @rule(which=st.integers(0, 3), taken=st.integers(0, 3))
    def reconnect(self, which: int, taken: int) -> None:
        """A poller loses its connection; what was on its way was taken, or was not."""
        site = self.sites[which % len(self.sites)]
        unconfirmed = [one for kind, one in site.coming if kind == "confirm"]
        for _ in range(min(taken, len(site.sent))):
            unconfirmed.append(site.sent[0])
            self._take(site)
        unconfirmed += site.sent
        site.sent.clear()
        site.coming.clear()
        site.newest.lose_broker()
        if self.retained is not None:
            site.heal(site.newest.see(self.retained))
        for lost in tuple(site.newest.missing(since_ms=-1)):
            site.heal(lost)
        for message in unconfirmed:
            if not site.newest.supersedes(message):
                site.sent.append(message)

    @invariant()
    def what_is_known_was_taken(self) -> None:
        """No poller takes a state for published that the broker never took."""
        for site in self.sites:
            for known in site.newest._last_writes.values():
                assert known.order in self.taken

    def teardown(self) -> None:
        """When all has arrived, the broker has the newest of all it ever took."""
        for _ in range(10_000):
            busy = [site for site in self.sites if site.sent or site.coming]
            if not busy:
                break
            for site in busy:
                self._take(site)
                self._deliver(site)
        else:
            raise AssertionError("they heal each other for ever")
        if self.retained is not None:
            assert self.retained.order == max(self.taken)

    def _take(self, site: Site) -> None:
        if not site.sent:
            return
        message = site.sent.popleft()
        self.retained = message
        self.taken.add(message.order)
        for other in self.sites:
            if other is not site or self.echoes:
                other.coming.append(("hear", message))
        site.coming.append(("confirm", message))

    def _deliver(self, site: Site) -> None:
        if not site.coming:
            return
        kind, message = site.coming.popleft()
        tell = site.newest.confirm if kind == "confirm" else site.newest.see
        site.heal(tell(message))


TestPollers = Pollers.TestCase
