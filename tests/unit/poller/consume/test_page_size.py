"""The size of a page: small only where the messages of a failed page fail again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_queue.service import PAGE_SIZE
from poller.consume.page_size import CLEARED_BY, SIZES, PageSize

LEASE_S = 30.0


def fail(page: PageSize, now_s: float) -> int:
    """Request a page that fails at once; returns how many messages were requested."""
    request = page.request(now_s)
    page.record_failed_page(request, now_s)
    return request.messages


def receive(page: PageSize, now_s: float, messages: int = PAGE_SIZE) -> int:
    """Request a page that is received at once; returns how many messages were requested."""
    request = page.request(now_s)
    page.record_page(request, messages)
    return request.messages


def test_one_failed_page_changes_nothing() -> None:
    """Neither at once, nor when its messages come back, nor after them."""
    page = PageSize(LEASE_S)
    fail(page, 0.0)

    assert [receive(page, now_s) for now_s in (0.5, 29.0, 31.0, 32.0, 33.0)] == [PAGE_SIZE] * 5


def test_a_page_that_fails_whenever_it_comes_back_becomes_smaller() -> None:
    """Down to single messages; full pages are requested until then."""
    page, sizes, between = PageSize(LEASE_S), [], []
    for failure in range(5):
        now_s = failure * (LEASE_S + 1)
        sizes.append(fail(page, now_s))
        between.append(receive(page, now_s + LEASE_S / 2))

    assert sizes == [PAGE_SIZE, PAGE_SIZE, 6, 1, 1]
    assert between == [PAGE_SIZE] * 5


def test_an_outage_does_not_make_pages_smaller() -> None:
    """Where every page fails, the cause is not a message."""
    page = PageSize(LEASE_S)
    for second in range(600):
        fail(page, float(second))

    assert page.request(600.0).messages == page.request(700.0).messages == PAGE_SIZE


@pytest.mark.parametrize(("messages", "pages"), [(6, 6), (1, CLEARED_BY), (0, 1)])
def test_a_failed_page_is_forgotten_when_its_messages_were_received(
    messages: int, pages: int
) -> None:
    """Or when an empty page shows that they are no longer in the queue."""
    page = PageSize(LEASE_S)
    for now_s in (0.0, 31.0):
        fail(page, now_s)
        receive(page, now_s + 1)

    assert [receive(page, 62.0, messages) for _ in range(pages)] == [6] * pages
    assert page.request(62.0).messages == PAGE_SIZE


def test_a_slow_failure_is_the_same_one_when_its_messages_come_back_before_it_was_known() -> None:
    """Their leases began while the request was on its way, and may end so much earlier."""
    page, sizes = PageSize(LEASE_S), []
    for failure in range(4):
        request = page.request(failure * (LEASE_S + 1))
        sizes.append(request.messages)
        page.record_failed_page(request, request.began_s + 10)
        receive(page, request.began_s + 11, 0)

    assert sizes == [PAGE_SIZE, PAGE_SIZE, 6, 1]


def test_an_empty_page_proves_nothing_before_all_messages_are_back() -> None:
    """Nor does one that was requested beside the page that fails then."""
    page = PageSize(LEASE_S)
    page.record_failed_page(page.request(0.0), 10.0)
    receive(page, 11.0, 0)
    receive(page, LEASE_S + 5, 0)
    request = page.request(LEASE_S + 11)
    receive(page, LEASE_S + 11, 0)
    page.record_failed_page(request, LEASE_S + 12)

    assert page.request(2 * LEASE_S + 13).messages == 6


@given(st.integers(1, 29), st.integers(1, 3), st.floats(0, 9), st.floats(0, 1))
def test_two_messages_that_cannot_be_returned_are_found_independently(
    apart_s: int, requests_a_second: int, took_s: float, part: float
) -> None:
    """Each is received alone in the end, and its neighbours with few attempts.

    A failure is known after `took_s`; the leases begin after `part` of it.
    """
    page = PageSize(LEASE_S)
    visible_at = {f"{poison}{number}": 0.0 for poison in "ab" for number in range(32)}
    for number in range(32):
        visible_at[f"b{number}"] = float(apart_s)
    attempts = dict.fromkeys(visible_at, 0)
    received: set[str] = set()
    now_s = 0.0
    while now_s < 40 * LEASE_S:
        request, leased_s = page.request(now_s), now_s + part * took_s
        ready = [one for one in visible_at if visible_at[one] <= leased_s and one not in received]
        taken = sorted(ready, key=lambda one: visible_at[one])[: request.messages]
        for one in taken:
            attempts[one] += 1
            visible_at[one] = leased_s + LEASE_S
        if {"a7", "b7"} & set(taken):
            now_s += took_s
            page.record_failed_page(request, now_s)
        else:
            received.update(taken)
            page.record_page(request, len(taken))
        now_s += 1 / requests_a_second

    assert received == set(visible_at) - {"a7", "b7"}
    assert max(attempts[one] for one in received) <= 5


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(-1, PAGE_SIZE)), max_size=100))
def test_the_size_is_always_one_of_four(events: list[tuple[float, int]]) -> None:
    """Whatever fails (-1) and whatever is received."""
    page, now_s = PageSize(LEASE_S), 0.0
    for passed_s, messages in events:
        request = page.request(now_s)
        assert request.messages in SIZES
        now_s += passed_s
        if messages < 0:
            page.record_failed_page(request, now_s)
        else:
            page.record_page(request, messages)
