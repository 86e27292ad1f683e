"""The size of a page: small only where the messages of a failed page fail again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_queue.service import PAGE_SIZE
from poller.consume.page_size import CLEARED_BY, SIZES, PageSize

LEASE_S = 30.0


def test_one_failed_page_changes_nothing() -> None:
    """Neither at once, nor when its messages come back, nor after them."""
    page = PageSize(LEASE_S)
    page.record_failed_page(0.0)
    sizes = []
    for now_s in (0.5, 29.0, 31.0, 32.0, 33.0):
        sizes.append(page.messages(now_s))
        page.record_page(now_s, PAGE_SIZE)

    assert sizes == [PAGE_SIZE] * 5


def test_a_page_that_fails_whenever_it_comes_back_becomes_smaller() -> None:
    """Down to single messages; full pages are requested until then."""
    page, sizes, between = PageSize(LEASE_S), [], []
    for failure in range(5):
        now_s = failure * (LEASE_S + 1)
        sizes.append(page.messages(now_s))
        page.record_failed_page(now_s)
        between.append(page.messages(now_s + LEASE_S / 2))
        page.record_page(now_s + LEASE_S / 2, PAGE_SIZE)

    assert sizes == [PAGE_SIZE, PAGE_SIZE, 6, 1, 1]
    assert between == [PAGE_SIZE] * 5


def test_an_outage_does_not_make_pages_smaller() -> None:
    """Where every page fails, the cause is not a message."""
    page = PageSize(LEASE_S)
    for second in range(600):
        page.record_failed_page(float(second))

    assert page.messages(600.0) == page.messages(700.0) == PAGE_SIZE


@pytest.mark.parametrize(("messages", "pages"), [(6, 6), (1, CLEARED_BY), (0, 1)])
def test_a_failed_page_is_forgotten_when_its_messages_were_received(
    messages: int, pages: int
) -> None:
    """Or when an empty page shows that they are no longer in the queue."""
    page = PageSize(LEASE_S)
    for now_s in (0.0, 31.0):
        page.record_failed_page(now_s)
        page.record_page(now_s + 1, PAGE_SIZE)
    for _ in range(pages):
        assert page.messages(62.0) == 6
        page.record_page(62.0, messages)

    assert page.messages(62.0) == PAGE_SIZE


@given(st.integers(1, 29), st.integers(1, 3))
def test_two_messages_that_cannot_be_returned_are_found_independently(
    apart_s: int, requests_a_second: int
) -> None:
    """Each is received alone in the end, and its neighbours with few attempts."""
    page = PageSize(LEASE_S)
    visible_at = {f"{poison}{number}": 0.0 for poison in "ab" for number in range(32)}
    for number in range(32):
        visible_at[f"b{number}"] = float(apart_s)
    attempts = dict.fromkeys(visible_at, 0)
    received: set[str] = set()
    for step in range(400 * requests_a_second):
        now_s = step / requests_a_second
        ready = [one for one in visible_at if visible_at[one] <= now_s and one not in received]
        taken = sorted(ready, key=lambda one: visible_at[one])[: page.messages(now_s)]
        for one in taken:
            attempts[one] += 1
            visible_at[one] = now_s + LEASE_S
        if {"a7", "b7"} & set(taken):
            page.record_failed_page(now_s)
        else:
            received.update(taken)
            page.record_page(now_s, len(taken))

    assert received == set(visible_at) - {"a7", "b7"}
    assert max(attempts[one] for one in received) <= 5


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(-1, PAGE_SIZE)), max_size=100))
def test_the_size_is_always_one_of_four(events: list[tuple[float, int]]) -> None:
    """Whatever fails (-1) and whatever is received."""
    page, now_s = PageSize(LEASE_S), 0.0
    for passed_s, messages in events:
        now_s += passed_s
        assert page.messages(now_s) in SIZES
        if messages < 0:
            page.record_failed_page(now_s)
        else:
            page.record_page(now_s, messages)
