"""Spliced text: it is gzip that every program reads, and the whole text."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.spliced import SplicedText

TEXTS = st.text(max_size=400)


@given(TEXTS, TEXTS, TEXTS)
def test_the_compressed_form_is_the_text_in_one_member(
    before: str, middle: str, after: str
) -> None:
    """Browsers read one member of gzip alone."""
    made = SplicedText(before, after).splice(middle)

    assert made.body == (before + middle + after).encode()
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert reader.decompress(made.compressed) == made.body
    assert reader.eof
    assert reader.unused_data == b""
    assert gzip.decompress(made.compressed) == made.body


@given(TEXTS, TEXTS)
def test_the_tag_is_another_one_for_another_text(one: str, other: str) -> None:
    """Also where only the place of the cut differs."""
    text = SplicedText("a", "b")

    assert (text.splice(one).etag == text.splice(other).etag) is (one == other)


def test_what_is_put_in_costs_a_page_little() -> None:
    """Compared with the page compressed as a whole."""
    page = "".join(f"<p class='{n % 7}'>cloud-{n}</p>\n" for n in range(3000))
    made = SplicedText(page[:500], page[500:]).splice("<title>Pillowcast</title>")

    assert len(made.compressed) < len(gzip.compress(page.encode(), 9)) + 400
