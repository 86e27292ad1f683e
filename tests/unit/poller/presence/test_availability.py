"""Which words a poller writes: against the rules, for any order of states, words and silences."""

from hypothesis import given
from hypothesis import strategies as st

from contract.topics import OFFLINE, ONLINE
from poller.presence.availability import EXPIRY_MS, RENEWAL_MS, Availability, Word

SILENCE_MS = 60_000
PILLOWS = ("a", "b", "c", "d")

steps = st.lists(
    st.one_of(
        st.tuples(st.just("queue state"), st.sampled_from(PILLOWS), st.integers(0, 90_000)),
        st.tuples(st.just("own state"), st.sampled_from(PILLOWS), st.just(0)),
        st.tuples(st.just("own online"), st.sampled_from(PILLOWS), st.just(0)),
        st.tuples(st.just("own offline"), st.sampled_from(PILLOWS), st.just(0)),
        st.tuples(st.just("other's offline"), st.sampled_from(PILLOWS), st.just(0)),
        st.tuples(st.just("other's online"), st.sampled_from(PILLOWS), st.just(0)),
        st.tuples(st.just("removed"), st.sampled_from(PILLOWS), st.just(0)),
        st.tuples(st.just("time"), st.just(""), st.integers(0, 100_000)),
        st.tuples(st.just("reconnect"), st.just(""), st.just(0)),
    ),
    max_size=60,
)


def kept(max_pillows: int = 100) -> Availability:
    """Return an availability with these pillows' limit."""
    return Availability(SILENCE_MS, max_pillows)


def due(availability: Availability, now_ms: int) -> list[Word]:
    """Return what is due at a poll that emptied the queue now."""
    return [word for word in availability.due(now_ms, now_ms) if word is not None]


class Model:
    """A broker's words, with a pillow's own ones marked, and what a poller may do with them."""

    def __init__(self, max_pillows: int) -> None:
        self.availability = kept(max_pillows)
        self.max_pillows = max_pillows
        self.all_heard = 2 * max_pillows >= len(PILLOWS)
        """Whether the words of all pillows are kept, half of them above the limit."""
        self.now_ms = 1_000_000
        self.words: dict[str, tuple[bytes, str]] = {}
        self.states: dict[str, bool] = {}
        self.stale: set[str] = set()
        """Pillows whose own `offline` a state from the queue has followed."""
        self.writes = self.causes = 0

    def write(self, word: Word | None) -> None:
        """Take a word that the poller writes: it never replaces a pillow's own one."""
        if word is None:
            return
        self.writes += 1
        payload, author = self.words.get(word.pillow, (b"", "poller"))
        assert author == "poller" or (word.pillow in self.stale and payload == OFFLINE)
        is_change = payload != word.payload or not payload
        assert is_change or not self.all_heard, "it writes only what changes"
        self.words[word.pillow] = (word.payload, "poller")

    def say(self, pillow: str, payload: bytes, author: str) -> None:
        """Let another client say a word."""
        self.words[pillow] = (payload, author)
        self.stale.discard(pillow)
        self.availability.receive_word(pillow, payload, author, self.now_ms)  # type: ignore[arg-type]

    def step(self, verb: str, pillow: str, number: int) -> None:
        """Do one step."""
        availability, now_ms = self.availability, self.now_ms
        if verb in ("queue state", "own state"):
            self.causes += 1
            self.states[pillow] = verb == "queue state"
            if verb == "queue state":
                self.stale.add(pillow)
            has_room = len(availability) < self.max_pillows or availability.offline > 0
            word = availability.receive_state(
                pillow, now_ms - number, now_ms, by_queue=verb == "queue state"
            )
            self.write(word)
            if verb == "queue state" and has_room and self.all_heard:
                assert pillow in availability, "where there is room it is admitted"
        elif verb.startswith("own"):
            self.say(pillow, ONLINE if verb == "own online" else OFFLINE, "pillow")
        elif verb.startswith("other"):
            self.causes += 1
            self.say(pillow, ONLINE if verb.endswith("online") else OFFLINE, "poller")
        elif verb == "removed":
            self.states.pop(pillow, None)
            self.stale.discard(pillow)
            self.write(availability.remove(pillow))
        elif verb == "reconnect":
            self.reconnect()
        else:
            self.now_ms += number
        for word in due(availability, self.now_ms):
            self.write(word)

    def reconnect(self) -> None:
        """Let the broker send again what it has."""
        self.causes += len(PILLOWS)
        self.availability.begin_connection()
        for pillow, by_queue in self.states.items():
            self.availability.receive_state(pillow, self.now_ms - 200_000, None, by_queue=by_queue)
        for pillow, (payload, author) in self.words.items():
            if payload:
                self.availability.receive_word(pillow, payload, author, self.now_ms)  # type: ignore[arg-type]
        self.availability.end_retained()


@given(steps, st.sampled_from([1, 2, 100]))
def test_a_poller_writes_what_changes_and_never_over_a_pillows_own_word(
    given: list[tuple[str, str, int]], max_pillows: int
) -> None:
    """At most two words for each state, word and connection: no word answers another."""
    model = Model(max_pillows)
    for verb, pillow, number in given:
        model.step(verb, pillow, number)

        assert len(model.availability) <= max_pillows
    assert model.writes <= 2 * model.causes + len(PILLOWS)


@given(steps)
def test_after_a_silence_every_pillow_of_the_queue_is_offline_unless_it_says_online_itself(
    given: list[tuple[str, str, int]],
) -> None:
    """And online with the next state."""
    model = Model(100)
    for verb, pillow, number in given:
        model.step(verb, pillow, number)
    model.step("time", "", 2 * SILENCE_MS)

    for pillow, by_queue in model.states.items():
        payload, author = model.words.get(pillow, (b"", "poller"))
        if by_queue and author == "poller":
            assert payload == OFFLINE, pillow
    for pillow in PILLOWS:
        author = model.words.get(pillow, (b"", "poller"))[1]
        model.step("queue state", pillow, 0)
        payload, _ = model.words[pillow]
        assert payload == ONLINE, (pillow, author)


def test_a_new_pillow_is_online_and_then_offline_once_in_each_silence() -> None:
    """A state that lay in the queue for longer than the silence is no sign that it is awake."""
    one = kept()

    assert one.receive_state("a", 0, 0, by_queue=True) == Word("a", ONLINE)
    assert one.receive_state("a", 30_000, 30_000, by_queue=True) is None
    assert due(one, 89_999) == []
    assert due(one, 90_000) == [Word("a", OFFLINE)]
    assert due(one, 500_000) == []
    assert one.receive_state("a", 400_000, 500_000, by_queue=True) is None
    assert one.receive_state("a", 499_000, 500_000, by_queue=True) == Word("a", ONLINE)
    assert one.offline == 0


def test_the_poller_that_publishes_a_state_says_the_word() -> None:
    """The others take it for a sign of life."""
    one = kept()

    assert one.receive_state("a", 0, None, by_queue=True) is None
    one.receive_word("a", ONLINE, "poller", 0)
    assert one.receive_state("a", 50_000, None, by_queue=True) is None
    assert due(one, 100_000) == []
    assert due(one, 110_000) == [Word("a", OFFLINE)]


def test_silence_counts_only_until_the_queue_was_last_found_empty() -> None:
    """A pillow may have reported since: its message waits on the queue."""
    one = kept()
    one.receive_state("a", 0, 0, by_queue=True)

    assert list(one.due(59_000, now_ms=500_000)) == []
    assert [word for word in one.due(61_000, now_ms=500_000) if word] == [Word("a", OFFLINE)]


def test_the_last_will_of_a_pillow_counts_until_a_state_comes_by_the_queue() -> None:
    """Then its word is out of date; what it says after that is its own again."""
    one = kept()
    one.receive_word("a", ONLINE, "pillow", 0)
    assert one.receive_state("a", 1000, 1000, by_queue=True) is None
    assert due(one, 500_000) == []
    one.receive_word("a", OFFLINE, "pillow", 500_000)
    assert one.receive_state("a", 500_001, 500_001, by_queue=False) is None
    assert one.receive_state("a", 500_002, 500_002, by_queue=True) == Word("a", ONLINE)
    one.receive_word("a", ONLINE, "pillow", 600_000)
    assert due(one, 900_000) == []


def test_without_properties_the_newest_state_tells_whose_word_it_is() -> None:
    """MQTT 3.1.1: a poller's if it came by the queue, else the pillow's own."""
    one = kept()
    one.receive_word("a", ONLINE, "unknown", 0)
    one.receive_word("b", ONLINE, "unknown", 0)
    one.receive_state("a", 0, None, by_queue=True)
    one.receive_state("b", 0, None, by_queue=False)

    assert due(one, 100_000) == [Word("a", OFFLINE)]
    one.receive_word("a", OFFLINE, "unknown", 100_000)  # the own one comes back
    assert one.receive_state("a", 200_000, 200_000, by_queue=True) == Word("a", ONLINE)


def test_a_pillow_that_contradicts_a_poller_without_properties_is_left_alone() -> None:
    """It is connected by MQTT and silent: otherwise the two would answer each other for ever."""
    one = kept()
    one.receive_word("a", ONLINE, "unknown", 0)
    one.receive_state("a", 0, 0, by_queue=True)
    assert due(one, SILENCE_MS) == [Word("a", OFFLINE)]
    one.receive_word("a", OFFLINE, "unknown", SILENCE_MS)
    one.receive_word("a", ONLINE, "unknown", SILENCE_MS + 1)

    assert due(one, 10 * SILENCE_MS) == []


def test_an_online_is_written_again_before_the_broker_drops_it() -> None:
    """Half a week after it was written; a pillow that reports each minute changes nothing else."""
    one = kept()
    written = [one.receive_state("a", 0, 0, by_queue=True)]
    for now_ms in range(0, EXPIRY_MS, 50_000):
        written.append(one.receive_state("a", now_ms, now_ms, by_queue=True))
        written += due(one, now_ms)

    assert [word for word in written if word] == [Word("a", ONLINE)] * 2
    assert RENEWAL_MS < EXPIRY_MS


def test_a_pillow_that_was_silent_for_a_week_is_forgotten() -> None:
    """The broker has dropped its state and its word."""
    one = kept()
    one.receive_state("a", 0, 0, by_queue=True)
    assert due(one, SILENCE_MS) == [Word("a", OFFLINE)]

    assert due(one, EXPIRY_MS) == []
    assert due(one, EXPIRY_MS + SILENCE_MS) == []
    assert (len(one), one.offline) == (0, 0)


def test_what_a_broker_lost_is_written_again() -> None:
    """It was killed before it saved: the word is an older one, or none."""
    one = kept()
    one.receive_state("a", 0, 0, by_queue=True)
    one.receive_state("b", 0, 0, by_queue=True)
    assert len(due(one, SILENCE_MS)) == 2

    one.begin_connection()
    one.receive_word("a", ONLINE, "poller", 0)
    one.receive_state("a", 0, None, by_queue=True)
    one.receive_state("b", 0, None, by_queue=True)
    one.end_retained()

    assert sorted(due(one, SILENCE_MS + 1)) == [Word("a", OFFLINE), Word("b", OFFLINE)]


def test_a_word_of_a_poller_without_a_state_is_an_orphan() -> None:
    """Its pillow was removed while no poller was there; a pillow's own word stays."""
    one = Availability(SILENCE_MS, 100, has_state=lambda pillow: pillow == "lost by the broker")
    one.receive_word("lost by the broker", ONLINE, "poller", 0)
    one.receive_word("a", ONLINE, "poller", 0)
    one.receive_word("b", ONLINE, "pillow", 0)
    one.receive_word("c", ONLINE, "poller", 0)
    one.receive_state("c", 0, None, by_queue=True)

    assert one.orphans() == ["a"]
    assert one.remove("a") == Word("a", b"")
    assert one.remove("b") is None
    assert one.word("b") == ONLINE


def test_a_removed_pillow_is_cleared_also_where_its_word_is_not_known() -> None:
    """The word crossed another one; of a pillow without a word there is nothing to clear."""
    one = kept()
    one.receive_state("a", 0, 5, by_queue=True)
    one.receive_word("a", b"", "pillow", 10)
    one.receive_state("b", 0, None, by_queue=True)

    assert one.remove("a") == Word("a", b"")
    assert one.remove("b") is None
    assert len(one) == 0


def test_a_provisional_age_is_corrected_to_an_older_one_only() -> None:
    """The queue's time was not known when the retained state came."""
    one = kept()
    one.receive_state("a", 100_000, None, by_queue=True)
    one.correct("a", 150_000)
    assert due(one, 159_999) == []
    one.correct("a", 10_000)
    one.correct("nobody", 0)

    assert due(one, 100_001) == [Word("a", OFFLINE)]


def test_above_the_limit_an_offline_pillow_makes_room_and_a_live_one_does_not() -> None:
    """What is said of it stays; of the newcomer nothing is said."""
    refused: list[str] = []
    one = Availability(SILENCE_MS, 2, refused.append)
    one.receive_state("a", 0, 0, by_queue=True)
    one.receive_state("b", 50_000, 50_000, by_queue=True)
    assert one.receive_state("c", 50_000, 50_000, by_queue=True) is None
    assert refused == ["c"]
    assert due(one, SILENCE_MS) == [Word("a", OFFLINE)]

    assert one.receive_state("c", 60_000, 60_000, by_queue=True) == Word("c", ONLINE)
    assert one.word("a") is None
    assert len(one) == 2


def test_an_own_word_that_had_no_room_is_not_replaced_when_there_is_room() -> None:
    """It was heard while other pillows took all of the room."""
    one = Availability(SILENCE_MS, 1)
    one.receive_word("a", ONLINE, "pillow", 0)
    one.receive_word("b", ONLINE, "pillow", 0)
    one.receive_word("a", OFFLINE, "pillow", 1)

    assert one.receive_state("b", 2, 2, by_queue=True) is None
    assert one.word("b") == ONLINE
    assert due(one, 10 * SILENCE_MS) == []


def test_above_twice_the_limit_a_pillow_whose_word_is_not_known_is_refused() -> None:
    """Its word may be its own; with the next connection the broker sends it again."""
    refused: list[str] = []
    one = Availability(SILENCE_MS, 1, refused.append)
    for pillow in "abc":
        one.receive_word(pillow, ONLINE, "pillow", 0)
    one.receive_word("a", OFFLINE, "pillow", 1)
    refused.clear()
    assert one.receive_state("c", 2, 2, by_queue=True) is None
    assert refused == ["c"]
    assert one.receive_state("b", 2, 2, by_queue=True) is None
    assert (one.word("b"), refused) == (ONLINE, ["c"])

    one.begin_connection()
    one.receive_word("a", OFFLINE, "pillow", 3)
    assert refused == ["c", "a"]
    assert one.receive_state("b", 3, 3, by_queue=True) == Word("b", ONLINE)


def test_other_words_give_way_to_own_ones_that_have_no_room() -> None:
    """A fleet whose names change leaves an `offline` of each old one, and shuts nobody out."""
    one = Availability(SILENCE_MS, 1)
    for number in range(5):
        one.receive_word(f"old-{number}", OFFLINE, "poller", number)
    one.receive_word("a", ONLINE, "pillow", 10)
    one.receive_word("b", ONLINE, "pillow", 11)
    one.receive_word("a", OFFLINE, "pillow", 12)

    assert one.receive_state("new", 13, 13, by_queue=True) == Word("new", ONLINE)


def test_a_word_that_is_heard_when_there_is_room_is_known_by_that() -> None:
    """Also when others were heard before that could not be kept."""
    one = Availability(SILENCE_MS, 1)
    for pillow in "abc":
        one.receive_word(pillow, ONLINE, "pillow", 0)
    one.receive_word("a", OFFLINE, "pillow", 1)

    one.receive_word("c", ONLINE, "pillow", 2)

    assert one.word("c") == ONLINE
    assert one.receive_state("c", 3, 3, by_queue=True) is None
