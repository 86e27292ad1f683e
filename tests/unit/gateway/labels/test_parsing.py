"""Labels of a file: what is read, and what is refused with which reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.topics import is_pillow_id
from gateway.labels import parsing
from gateway.labels.parsing import MAX_FILE_BYTES, parse_labels


@pytest.mark.parametrize(
    "content",
    [
        """cloud-1 = "Grandma's cloud"\nward-2 = 'Küche ☁ 👩\u200d👧'\n""",
        """# names\n"cloud-1" = "Grandma's cloud"\r\nward-2 = "  Küche \\t ☁ 👩\u200d👧 "\r\n""",
        """\ufeff{"cloud-1": "Grandma's cloud", "ward-2": "Küche ☁ 👩\u200d👧"}""",
    ],
)
def test_toml_and_json_are_read(content: str) -> None:
    """Blanks are made one."""
    assert parse_labels(content.encode()) == {
        "cloud-1": "Grandma's cloud",
        "ward-2": "Küche ☁ 👩\u200d👧",
    }


def test_an_empty_file_has_no_names() -> None:
    """It is valid TOML."""
    assert parse_labels(b"") == {}
    assert parse_labels(b"{}") == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'a = "b"\ncloud-1 = "Gra', "line 2 is 'cloud-1 = \"Gra', not like cloud-1 = "),
        (b'a = "b"\na = "c"', "it is not TOML: Cannot overwrite a value"),
        (b'cloud-1 = "\\q"', "it is not TOML"),
        (b"cloud-1." + b"a." * 100_000 + b'a = "b"', "line 1 is 'cloud-1.a.a"),
        (b"cloud-1 = " + b"[" * 100_000, "line 1 is 'cloud-1 = [[["),
        (b'{"cloud-1": ' + b"[" * 100_000, "it is not JSON"),
        (b'{"cloud-1": ' + b"[" * 500 + b"]" * 500 + b"}", "'cloud-1' is [[[["),
        (b'cloud-1 = """a\nb"""', "line 1 is"),
        (b'{"cloud-1": "Gra', "it is not JSON"),
        (b'{"cloud-1": "\xff"}', "it is not UTF-8"),
        (b'Cloud = "a"', "'Cloud' is no pillow's id"),
        (b'bridge = "a"', "'bridge' is no pillow's id"),
        (b"cloud-1 = 5", "line 1 is 'cloud-1 = 5', not like cloud-1 ="),
        (b'{"cloud-1": 5}', "'cloud-1' is 5, no text"),
        (b'[cloud-1]\nname = "a"', "line 1 is '[cloud-1]'"),
        (b'cloud-1 = "  "', "the name of cloud-1 is empty"),
        (b'cloud-1 = "%b"' % (b"a" * 81), "the name of cloud-1 has 81 characters; at most 80"),
        (b'cloud-1 = "a\\u202eb"', "the name of cloud-1 has the control character U+202E"),
        (b'cloud-1 = "a\\u0007b"', "the name of cloud-1 has the control character U+0007"),
        (b'{"cloud-1": "a\\u2066b"}', "U+2066"),
        (b"#" * (MAX_FILE_BYTES + 1), "it has more than 1048576 bytes"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(content: bytes, reason: str) -> None:
    """As a whole."""
    found = parse_labels(content)

    assert isinstance(found, str)
    assert reason in found


def test_more_names_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is left out silently."""
    monkeypatch.setattr(parsing, "MAX_LABELS", 2)

    assert parse_labels(b'a = "a"\nb = "b"\nc = "c"') == "it has 3 names; at most 2 are read"


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_any_bytes_are_names_or_a_reason(content: bytes) -> None:
    """Never an error."""
    found = parse_labels(content)

    assert found or found == {}


@given(st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True), st.text()))
def test_every_name_is_one_line_to_be_shown(names: dict[str, str]) -> None:
    """Without controls, and not too long."""
    found = parse_labels(json.dumps(names).encode())

    if not isinstance(found, str):
        for pillow, name in found.items():
            assert is_pillow_id(pillow)
            assert 1 <= len(name) <= 80
            assert len(name.splitlines()) == 1
