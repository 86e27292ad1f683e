"""Which time zones a query may name."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo, reset_tzpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.time_zones import MAX_SAID, parse_zone, wrong_zone, zone_names

RENAMED = {
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Europe/Kiev": "Europe/Kyiv",
}
"""What Chromium calls the zones of some 1.6 billion people, and what they are called now."""


@pytest.fixture
def bare_system() -> Iterator[None]:
    """A system without a folder of time zones."""
    reset_tzpath([])
    ZoneInfo.clear_cache()
    yield
    reset_tzpath()
    ZoneInfo.clear_cache()


def test_utc_unless_one_is_named() -> None:
    """Also where the name is empty."""
    for text in (None, "", "UTC"):
        zone = parse_zone(text)
        assert zone is not None
        assert zone.key == "UTC"


@pytest.mark.usefixtures("bare_system")
@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_name_that_browsers_still_send_is_known_on_every_system(old: str, new: str) -> None:
    """Debian keeps the older names apart, and a small image may have none at all."""
    moment = datetime(2026, 7, 1)
    zones = [parse_zone(name) for name in (old, new)]
    assert [zone and zone.utcoffset(moment) for zone in zones] == [
        ZoneInfo(new).utcoffset(moment)
    ] * 2


@pytest.mark.parametrize(
    "name",
    [
        "localtime",
        "posixrules",
        "Factory",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "Europe",
        "Europe/",
        "/Europe/Berlin",
        "../zoneinfo/Europe/Berlin",
        "/etc/localtime",
        "europe/berlin",
        "tzdata.zi",
        "zone.tab",
        "Etc/Unknown",
        "+01:00",
        " UTC",
        "Europe/Berlin\0",
        "Nowhere",
    ],
)
def test_what_is_no_zone_of_the_database_is_refused_by_its_name(name: str) -> None:
    """Whatever files the system's folder has."""
    assert parse_zone(name) is None
    assert repr(name) in wrong_zone(name)


@given(st.text(max_size=200))
def test_any_text_is_a_zone_or_is_refused_with_a_short_sentence(text: str) -> None:
    """Never an error."""
    assert (parse_zone(text) is None) == (text not in zone_names() | {""})
    assert len(wrong_zone(text)) < 12 * MAX_SAID
