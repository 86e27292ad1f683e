"""Copies of the service's constants in files that are no Python."""

import re

from azure_queue import development_account
from azure_queue.service import API_VERSION
from devstack.processes import ROOT


def test_the_readme_s_example_has_the_api_version_of_the_code() -> None:
    """Azurite refuses the SDK's default, so the example names one."""
    found = re.findall(r'api_version="([^"]+)"', (ROOT / "README.md").read_text(encoding="utf-8"))

    assert found == [API_VERSION]


def test_compose_and_the_example_environment_have_the_development_account_of_the_code() -> None:
    """Name and key; compose has another host."""
    for name in ("docker-compose.yml", ".env.example"):
        text = (ROOT / name).read_text(encoding="utf-8")

        assert f"AccountName={development_account.ACCOUNT_NAME};" in text, name
        assert f"AccountKey={development_account.ACCOUNT_KEY};" in text, name
