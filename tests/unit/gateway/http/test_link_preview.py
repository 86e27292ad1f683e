"""What other sites show of a link to the page."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.app import STATIC
from gateway.http.link_preview import PICTURE, PICTURE_SIZE, preview_head
from gateway.http.texts import read_texts

ENGLISH = read_texts()["en"]
HOME = "https://clouds.example/pillows/"


def properties(head: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', head))


def test_the_page_of_all_clouds_has_the_four_properties_that_sites_need() -> None:
    """Title, type, picture and address, and the picture as an absolute URL."""
    head = preview_head([], None, HOME, ENGLISH)

    assert head.startswith("<title>Pillowcast</title>")
    found = properties(head)
    assert found["og:title"] == "Pillowcast"
    assert found["og:type"] == "website"
    assert found["og:url"] == HOME
    assert found["og:image"] == f"{HOME}{PICTURE}"
    assert found["twitter:card"] == "summary_large_image"


def test_a_page_of_one_pillow_has_its_own_title_and_address() -> None:
    """One of two has the address alone."""
    one = preview_head(["cloud-1"], "cloud-1", HOME, ENGLISH)
    two = preview_head(["cloud-1", "cloud-2"], None, HOME, ENGLISH)

    assert one.startswith("<title>cloud-1 · Pillowcast</title>")
    assert properties(one)["og:title"] == "cloud-1 · Pillowcast"
    assert properties(one)["og:url"] == f"{HOME}?pillow=cloud-1"
    assert properties(two)["og:title"] == "Pillowcast"
    assert properties(two)["og:url"] == f"{HOME}?pillow=cloud-1&amp;pillow=cloud-2"


def test_without_an_address_there_is_the_title_alone() -> None:
    """As for a request that names no host."""
    assert (
        preview_head(["cloud-1"], "cloud-1", None, ENGLISH) == "<title>cloud-1 · Pillowcast</title>"
    )


@given(st.text())
def test_a_name_is_never_markup(name: str) -> None:
    """Labels are texts of strangers."""
    head = preview_head(["cloud-1"], name, HOME, ENGLISH)
    plain = preview_head(["cloud-1"], "x", HOME, ENGLISH)

    assert head.count("<") == plain.count("<")
    assert head.count('"') == plain.count('"')


def test_the_picture_is_a_png_of_the_size_that_is_told() -> None:
    """Sites do not show SVG, and leave out what is small or slow."""
    picture = (STATIC / PICTURE).read_bytes()

    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    size = int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")
    assert size == PICTURE_SIZE
    assert len(picture) < 300_000
