"""How a connection to PostgreSQL is encrypted, by the parameters that people know from libpq."""

import ssl
from pathlib import Path

import pytest

from devstack.certificates import certificate_for_loopback
from history.database import HistoryUrl, open_database
from history.postgresql_tls import PostgresqlTls

URL = "postgresql://u:p@db/x"


@pytest.mark.parametrize(
    ("query", "mode"),
    [("", "prefer"), ("?sslmode=require", "require"), ("?ssl=disable", "disable")],
)
async def test_a_mode_without_a_check_is_the_driver_s_own(query: str, mode: str) -> None:
    """And the driver is told of no parameter that it does not know."""
    url = HistoryUrl.parse(URL + query)

    assert (url.tls.argument(), str(url)) == (mode, "postgresql://u:***@db/x")
    await open_database(url, read_only=True).dispose()


@pytest.mark.parametrize(
    ("mode", "checks_name"), [("verify-full", True), ("verify-ca", False), ("require", False)]
)
def test_a_certificate_is_verified_by_the_authority_that_is_named(
    tmp_path: Path, mode: str, checks_name: bool
) -> None:
    """`require` with an authority is `verify-ca`, as libpq has it."""
    chain, _ = certificate_for_loopback(tmp_path)
    argument = PostgresqlTls.parse({"sslmode": mode, "sslrootcert": str(chain)}).argument()

    assert isinstance(argument, ssl.SSLContext)
    assert argument.verify_mode is ssl.CERT_REQUIRED
    assert argument.check_hostname is checks_name
    assert argument.cert_store_stats()["x509"] == 2, "the chain, not the system's"
