"""The order of pages: whatever order the answers come in, each pillow's states leave in order."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contract.messages import ParsedMessage, decode_message
from poller.publish.page_order import MAX_PATIENCE_S, MIN_PATIENCE_S, PageOrder
from tests.hypothesis_profiles import examples

Entry = tuple[int, ParsedMessage]


def entry(number: int, pillow: str = "a") -> Entry:
    """Return a state whose order among the others is its number."""
    text = f'{{"pillow":"{pillow}","state":"hugging","seq":{number}}}'
    state = decode_message(text, default_pillow="a", queued_us=2_000_000_000_000_000)
    assert isinstance(state, ParsedMessage)
    return number, state


def numbers(entries: "tuple[Entry, ...] | list[Entry] | object") -> list[int]:
    """Return the numbers of states."""
    assert isinstance(entries, list | tuple)
    return [number for number, _ in entries]


def test_the_page_of_a_request_alone_leaves_at_once() -> None:
    """Nothing is held, so that nothing is late at a low rate."""
    order: PageOrder[int] = PageOrder()
    for number in range(3):
        request = order.begin(number)
        assert numbers(order.answer(request, [entry(number)], number + 0.5)) == [number]
        assert order.deadline_s is None


def test_a_page_waits_for_the_requests_under_way_when_it_was_answered() -> None:
    """What comes with them may be older; a request that was sent later is not waited for."""
    order: PageOrder[int] = PageOrder()
    first, second = order.begin(0), order.begin(0)
    assert not order.answer(first, [entry(2)], 1)
    order.begin(1)
    assert numbers(order.answer(second, [entry(1)], 2)) == [1, 2]


def test_newer_states_of_a_page_that_waits_stay() -> None:
    """Only what is older than a state of its pillow that leaves goes with it."""
    order: PageOrder[int] = PageOrder()
    first, second = order.begin(0), order.begin(0)
    assert not order.answer(first, [entry(3)], 1)
    third = order.begin(1)
    assert numbers(order.answer(second, [entry(1), entry(2, "b"), entry(5)], 2)) == [1, 3]
    assert numbers(order.answer(third, [entry(6)], 3)) == [2, 5, 6]


def test_a_request_that_fails_is_waited_for_no_longer() -> None:
    """What it took from the queue, if anything, is delivered again when its lease ends."""
    order: PageOrder[int] = PageOrder()
    first, second = order.begin(0), order.begin(0)
    assert not order.answer(second, [entry(1)], 1)
    assert numbers(order.fail(first)) == [1]


def test_a_request_that_gets_no_answer_is_given_up() -> None:
    """Later pages do not wait for it either; its own states leave when they come."""
    order: PageOrder[int] = PageOrder()
    stuck, second = order.begin(0), order.begin(0)
    assert not order.answer(second, [entry(2)], 0.01)
    assert order.deadline_s == 0.01 + MIN_PATIENCE_S
    assert order.give_up(order.deadline_s - 0.001) == (0, ())
    given_up, states = order.give_up(order.deadline_s)
    assert (given_up, numbers(states)) == (1, [2])
    third = order.begin(3)
    assert numbers(order.answer(third, [entry(3)], 4)) == [3]
    assert numbers(order.answer(stuck, [entry(1)], 5)) == [1]


def test_where_answers_take_long_pages_wait_longer() -> None:
    """A slow link is no stuck request; within MAX_PATIENCE_S the order holds."""
    order: PageOrder[int] = PageOrder()
    for number in range(100):
        order.answer(order.begin(number), [], number + 1.5)
    order.begin(200)
    order.answer(order.begin(200), [entry(1)], 201.5)
    assert order.deadline_s == 201.5 + 6.0
    for number in range(100):
        order.answer(order.begin(300 + number), [], 300 + number + 9)
    assert numbers(order.fail(101)) == [1]
    order.begin(500)
    order.answer(order.begin(500), [entry(2)], 501)
    assert order.deadline_s == 501 + MAX_PATIENCE_S


@dataclass
class Request:
    """A request of the model.

    `served` is what the queue gave it, None until then. `waits_for` are the requests under way
    when it was answered, and `is_overdue` says that it was given up.
    """

    number: int
    served: list[int] | None = None
    waits_for: "list[Request]" = field(default_factory=list)
    is_answered: bool = False
    is_over: bool = False
    is_overdue: bool = False


class FifoQueue(RuleBasedStateMachine):
    """A queue that returns its oldest messages first, in the order in which it serves requests."""

    def __init__(self) -> None:
        super().__init__()
        self.order: PageOrder[int] = PageOrder()
        self.now_s = 0.0
        self.put = 0
        self.pillow_of: dict[int, str] = {}
        self.requests: list[Request] = []
        self.left: list[int] = []
        self.failed: set[int] = set()

    @property
    def under_way(self) -> list[Request]:
        """The requests that are neither answered nor failed."""
        return [one for one in self.requests if not one.is_over]

    @precondition(lambda self: len(self.under_way) < 6)
    @rule()
    def begin(self) -> None:
        """A page is requested."""
        self.requests.append(Request(self.order.begin(self.now_s)))

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 5), pillows=st.lists(st.sampled_from("abc"), max_size=4))
    def serve(self, which: int, pillows: list[str]) -> None:
        """The queue gives the next messages to a request under way."""
        request = self.under_way[which % len(self.under_way)]
        if request.served is None:
            request.served = []
            for pillow in pillows:
                self.put += 1
                self.pillow_of[self.put] = pillow
                request.served.append(self.put)

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 5))
    def answer(self, which: int) -> None:
        """The answer of a request arrives."""
        request = self.under_way[which % len(self.under_way)]
        if request.served is not None:
            self._answer(request)

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 5))
    def fail(self, which: int) -> None:
        """A request fails; what it was given is delivered again much later."""
        request = self.under_way[which % len(self.under_way)]
        request.is_over = True
        self.failed.update(request.served or ())
        self.left += numbers(self.order.fail(request.number))

    @rule(seconds=st.sampled_from((0.01, 0.5, 1.0, 3.0, 11.0)))
    def wait(self, seconds: float) -> None:
        """Time passes; the deadline is kept."""
        end_s = self.now_s + seconds
        while (deadline_s := self.order.deadline_s) is not None and deadline_s <= end_s:
            self.now_s = max(self.now_s, deadline_s)
            before = {one.number for one in self.under_way if not one.is_overdue}
            given_up, states = self.order.give_up(self.now_s)
            self.left += numbers(states)
            assert given_up > 0
            self._mark_overdue(before)
        self.now_s = end_s

    @invariant()
    def states_leave_once_and_in_order(self) -> None:
        """Each pillow's; those of a request that was given up may be late."""
        assert len(set(self.left)) == len(self.left)
        late = {n for one in self.requests if one.is_overdue for n in one.served or ()}
        for pillow in "abc":
            mine = [n for n in self.left if self.pillow_of[n] == pillow and n not in late]
            assert mine == sorted(mine)

    @invariant()
    def a_page_waits_only_for_requests_that_may_bring_older_states(self) -> None:
        """And everything else has left."""
        waiting = 0
        for request in self.requests:
            if not request.is_answered:
                continue
            blockers = [one for one in request.waits_for if not (one.is_over or one.is_overdue)]
            waiting += bool(blockers and request.served)
            if not blockers:
                assert set(request.served or ()) <= set(self.left), "held without a reason"
        assert (self.order.deadline_s is not None) == bool(waiting)

    def teardown(self) -> None:
        """When every request has ended, every state has left."""
        for request in self.under_way:
            request.served = request.served or []
            self._answer(request)
        answered = {n for one in self.requests if one.is_answered for n in one.served or ()}
        assert sorted(self.left) == sorted(answered)
        assert self.order.deadline_s is None
        self.states_leave_once_and_in_order()

    def _answer(self, request: Request) -> None:
        request.is_over = request.is_answered = True
        request.waits_for = self.under_way
        states = [entry(number, self.pillow_of[number]) for number in request.served or ()]
        self.left += numbers(self.order.answer(request.number, states, self.now_s))

    def _mark_overdue(self, before: set[int]) -> None:
        """Those are given up that an answered page has waited for, for as long as allowed."""
        still = set(self.order.awaited)
        for request in self.under_way:
            if request.number in before - still:
                request.is_overdue = True


FifoQueue.TestCase.settings = settings(max_examples=examples(300), stateful_step_count=40)
TestFifoQueue = FifoQueue.TestCase


@given(pages=st.permutations(range(8)), served=st.permutations(range(8)))
def test_eight_requests_at_once_are_merged(pages: list[int], served: list[int]) -> None:
    """In whatever order they are served, and in whatever order they are answered."""
    order: PageOrder[int] = PageOrder()
    requests = [order.begin(0) for _ in pages]
    left: list[int] = []
    for place, which in enumerate(pages):
        states = [entry(served[which] * 4 + number) for number in range(4)]
        left += numbers(order.answer(requests[which], states, place / 100))
    assert left == list(range(32))
