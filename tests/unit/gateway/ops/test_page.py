"""The operator's page: no script, and nothing of what others sent is markup."""

import re

from gateway.ops.client_reports import ClientPage, ClientReport, Follows
from gateway.ops.limit_reports import LimitReport
from gateway.ops.page import PAGE_HEADERS, Overview, duration, follows_text, render_page
from gateway.ops.pillow_report import PillowPage, PillowReport, RefusedClient

EVIL = "<script>alert(1)</script>"

CLIENT = ClientReport(
    "3wykm", EVIL, None, "websocket", "websocket", Follows(False, 4, ["a", "b", "c", "d"]),
    "paused", 61.0, 4096, 17, 3, None, None,
)  # fmt: skip

OVERVIEW = Overview(
    "vm",
    "0.1.0",
    {"mqtt": f"mqtt://user:secret@broker: {EVIL}"},
    [LimitReport("clients", 9, 10, "GATEWAY_MAX_BROWSERS")],
    ClientPage(1, [CLIENT], "3wykm"),
    PillowPage(
        2, [PillowReport("a", True, "notconnected", EVIL, grey="silent", silent_ms=9)], None
    ),
    [RefusedClient(1, 4401, EVIL, EVIL)],
)


def test_it_shows_each_part_and_escapes_what_others_sent() -> None:
    page = render_page(OVERVIEW)

    assert "<script" not in page
    assert "secret" not in page
    for text in ("3wykm", "a, b, c and 1 more", "GATEWAY_MAX_BROWSERS", "90%", "4401", "metrics"):
        assert text in page
    assert page.count("<tr>") == page.count("</tr>")


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    policy = PAGE_HEADERS["Content-Security-Policy"]

    assert re.search(r"style-src 'sha256-[\w+/]+='", policy)
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")


def test_an_empty_gateway_has_a_page_too() -> None:
    empty = OVERVIEW._replace(
        clients=ClientPage(0, [], None), grey=PillowPage(0, [], None), refused=[]
    )

    assert render_page(empty).count("<p>none</p>") == 3


def test_words_for_durations_and_filters() -> None:
    assert [duration(one) for one in (4, 90, 7200, 200_000)] == ["4 s", "1.5 min", "2.0 h", "2.3 d"]
    assert follows_text(Follows(True, 0, [])) == "all pillows"
    assert follows_text(Follows(False, 1, ["a"])) == "a"
