"""What docs/security.md says of networks is what docker-compose.yml has."""

import re
from typing import Any, Final

import yaml

from devstack.processes import ROOT

PAGE: Final = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    """Return docker-compose.yml."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(re.sub(r"!(reset|override)\b", "", text))
    return loaded


def test_the_table_of_networks_is_that_of_compose() -> None:
    """It names the services on each network, and whether the network has a way out."""
    _, table = PAGE.split("| network | who is on it | way out |\n| --- | --- | --- |\n")
    rows = re.findall(r"^\| `([\w-]+)` \| (.+) \| (none|yes)\b", table, re.MULTILINE)
    file = compose()
    actual = {
        name: (
            {one for one, service in file["services"].items() if name in service["networks"]},
            bool((options or {}).get("internal")),
        )
        for name, options in file["networks"].items()
    }

    assert {
        name: (set(re.findall(r"`([\w-]+)`", services)), way_out == "none")
        for name, services, way_out in rows
    } == actual
