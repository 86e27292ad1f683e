"""The version that commands print."""

import re

import pytest

from runtime.version import print_version


@pytest.mark.parametrize("service", ["gateway", "notifier", "poller", "recorder", "simulator"])
def test_a_commands_version_is_that_of_its_distribution(
    service: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        print_version(service)

    assert ended.value.code == 0
    assert re.fullmatch(
        rf"{service} \d+\.\d+\.\d+ \(Python 3\.\d+\.\d+\)\n", capsys.readouterr().out
    )
