"""What the audits print is read: vulnerabilities, and services that do not answer."""

import json

import pytest

from devstack.audit import read_npm_audit, read_pip_audit


def test_vulnerabilities_of_python_packages_are_listed_with_the_version_that_mends_them() -> None:
    """One that has none yet is listed too."""
    vulnerable = {"id": "PYSEC-1", "fix_versions": ["2", "3"]}
    result = read_pip_audit(
        json.dumps(
            {
                "dependencies": [
                    {"name": "a", "version": "1", "vulns": [vulnerable]},
                    {"name": "b", "version": "1", "vulns": [{"id": "X", "fix_versions": []}]},
                    {"name": "c", "version": "1", "vulns": []},
                ]
            }
        )
    )

    assert result.vulnerabilities == (
        "a 1: PYSEC-1, mended in 2, 3",
        "b 1: X, mended in no version yet",
    )
    assert (result.packages, result.outage) == (3, None)


def test_packages_that_the_service_does_not_know_are_not_called_safe() -> None:
    """If it knows none at all, it has not answered."""
    skipped = {"name": "a", "skip_reason": "not found"}
    known = {"name": "b", "version": "1", "vulns": []}

    assert read_pip_audit(json.dumps({"dependencies": [skipped]})).outage == "not found"
    assert "not audited" in str(read_pip_audit(json.dumps({"dependencies": [skipped, known]})))


@pytest.mark.parametrize("output", ["", "no such host", "[]", '{"message": "405 Not Allowed"}'])
def test_no_answer_is_an_outage_and_no_vulnerability(output: str) -> None:
    """Its last line, or the registry's message, is the reason."""
    for result in (read_pip_audit(output), read_npm_audit(output)):
        assert result.outage
        assert result.vulnerabilities == ()
        assert "not audited" in str(result)


def test_vulnerabilities_of_javascript_packages_are_listed() -> None:
    """With their severity and the versions that have them."""
    result = read_npm_audit(
        json.dumps(
            {
                "vulnerabilities": {"ws": {"severity": "high", "range": "<8"}},
                "metadata": {"dependencies": {"total": 3}},
            }
        )
    )

    assert (result.packages, result.vulnerabilities) == (3, ("ws: high, <8",))
