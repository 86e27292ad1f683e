"""A state that came both ways is one row; one that came one way is a row a while later."""

from hypothesis import given
from hypothesis import strategies as st

from ops.tail.sightings import Hops, Row, Seen, Sightings, decode_seen

SEEN = Seen("a", "hugging", "2027-01-15T08:00:00Z", 1, Hops(1000, 1040, 1042))


def test_a_row_has_the_time_of_each_hop() -> None:
    sightings = Sightings()

    assert sightings.by_mqtt(SEEN, 50.0, 1000.0) is None
    row = sightings.by_web(SEEN, 53.4, 1000.0)

    assert row == Row("a", "hugging", SEEN.at, 40, 2, 8, 3)
    assert list(sightings.overdue(1e9, None)) == []


def test_what_came_one_way_only_is_shown_when_it_is_not_waited_for_any_longer() -> None:
    sightings = Sightings(wait_ms=100)
    sightings.by_web(SEEN, 50.0, None)

    assert list(sightings.overdue(149.0, None)) == []
    [row] = sightings.overdue(150.0, None)
    assert (row.waited_ms, row.mqtt_ms, row.websocket_ms) == (40, None, None)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60))
def test_each_state_is_one_row(arrivals: list[tuple[int, bool]]) -> None:
    sightings, rows = Sightings(wait_ms=1e9), []
    seen_by: dict[int, set[bool]] = {}
    for number, by_mqtt in arrivals:
        if by_mqtt in seen_by.get(number, set()) or len(seen_by.get(number, ())) == 2:
            continue
        seen_by.setdefault(number, set()).add(by_mqtt)
        add = sightings.by_mqtt if by_mqtt else sightings.by_web
        row = add(Seen("a", "hugging", seq=number), 1.0, None)
        rows += [] if row is None else [row]
    rows += list(sightings.overdue(1e12, None))

    assert len(rows) == len(seen_by)


def test_what_is_no_state_is_not_seen() -> None:
    assert decode_seen(b"") is None
    assert decode_seen(b'{"pillow":7}') is None
    assert decode_seen(b'{"pillow":"a","state":"neutral","more":[1]}') == Seen("a", "neutral")
