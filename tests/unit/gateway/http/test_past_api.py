"""The HTTP API of the past: which queries are answered, and how pages follow each other."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.past_api import PageQuery
from history.pages import MAX_PAGE

POSITIONS = st.tuples(st.integers(0, 253_402_300_799_999_999), st.integers(0, 2**53))


@given(POSITIONS, st.integers(1, MAX_PAGE))
def test_the_next_page_begins_where_the_last_one_says(
    position: tuple[int, int], limit: int
) -> None:
    """And ends and is limited as the first one."""
    first = PageQuery.parse({"to": "2026-11-29T00:00:00Z", "limit": str(limit)})
    assert isinstance(first, PageQuery)

    fields = dict(one.split("=") for one in first.following(position)[1:].split("&"))
    fields["to"] = fields["to"].replace("%3A", ":")
    following = PageQuery.parse(fields)

    assert following == PageQuery(position, first.until_us, limit)


@given(
    st.dictionaries(
        st.sampled_from(["from", "to", "limit", "page"]),
        st.one_of(st.text(max_size=30), st.from_regex(r"-?\d{1,40}(\.\d{1,40})?", fullmatch=True)),
    )
)
def test_every_query_is_understood_or_refused_with_a_sentence(query: dict[str, str]) -> None:
    """Whatever it has; numbers stay within those of the database."""
    found = PageQuery.parse(query)

    if isinstance(found, str):
        assert found
    else:
        assert 1 <= found.limit <= MAX_PAGE
        assert max(found.first) < 2**63
