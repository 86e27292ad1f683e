"""The TLS files of a client: which are refused, and what is said when they change."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from devstack.certificates import Authority
from runtime.settings import CommonSettings, SettingsError
from runtime.tls import TlsFiles, tls_context, verification_advice, watched
from tests.waiting import until


def files_of(client: Path) -> TlsFiles:
    """Return the files in a client's folder."""
    return TlsFiles(*(str(client / name) for name in ("ca.crt", "tls.crt", "tls.key")))


def test_the_context_is_kept_until_a_file_changes(tmp_path: Path) -> None:
    """Reading the files for each connection would be slow."""
    authority = Authority(tmp_path)
    files = files_of(authority.issue("poller"))
    first = tls_context(files)

    assert tls_context(files) is first
    authority.issue("poller")
    assert tls_context(files) is not first


def test_certificates_for_development_pass_a_strict_verification(tmp_path: Path) -> None:
    """Python 3.13 verifies strictly by default."""
    authority = Authority(tmp_path)
    server, client = authority.issue("server", ("localhost",)), authority.issue("client")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(server / "tls.crt", server / "tls.key")
    serving.load_verify_locations(server / "ca.crt")
    serving.verify_mode = ssl.CERT_REQUIRED
    connecting = tls_context(files_of(client))
    for context in (serving, connecting):
        context.verify_flags |= ssl.VERIFY_X509_STRICT

    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        connecting.wrap_bio(to_client, to_server, server_hostname="localhost"),
        serving.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in list(ends):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
                ends.remove(end)


def test_certificate_and_host_name_are_verified(tmp_path: Path) -> None:
    """Also with an authority of one's own."""
    context = tls_context(files_of(Authority(tmp_path).issue("poller")))

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1, "the system's authorities are not trusted as well"


async def test_a_replaced_file_is_logged_while_the_connection_stands(tmp_path: Path) -> None:
    """One that can be used, and one that cannot: before it is needed."""
    authority = Authority(tmp_path)
    client = authority.issue("poller")
    files = TlsFiles(*(str(client / name) for name in ("ca.crt", "tls.crt", "tls.key")))

    with capture_logs() as logs:
        async with watched(files, 0.01):
            # The first look at the files has to be over.
            await asyncio.sleep(0.2)
            authority.issue("poller")
            await until(lambda: len(logs) >= 1, "the notice")
            (client / "tls.key").write_text("no key")
            await until(lambda: logs[-1]["log_level"] == "warning", "the warning")

    assert "the next connection uses them" in logs[0]["event"] or len(logs) > 2
    assert "MQTT_TLS_CERT" in logs[-1]["error"]


def test_tls_files_without_mqtts_are_refused(tmp_path: Path) -> None:
    """Someone who gives an authority expects TLS."""
    folder = Authority(tmp_path).issue("poller")

    with pytest.raises(SettingsError, match="mqtts://"):
        CommonSettings.load(MQTT_URL="mqtt://broker", MQTT_TLS_CA=str(folder / "ca.crt"))


def test_files_that_cannot_be_used_end_the_process_with_their_names(tmp_path: Path) -> None:
    """A missing file, a key without a certificate, one of another certificate, and no PEM."""
    authority = Authority(tmp_path)
    one, other = authority.issue("one"), authority.issue("other")
    url = "mqtts://broker"
    (tmp_path / "text").write_text("no certificate")

    for given, shown in (
        ({"MQTT_TLS_CA": str(tmp_path / "missing")}, "is not a file that can be read"),
        ({"MQTT_TLS_CA": str(tmp_path / "text")}, "has no certificate that can be read"),
        ({"MQTT_TLS_KEY": str(one / "tls.key")}, "MQTT_TLS_KEY needs MQTT_TLS_CERT"),
        (
            {"MQTT_TLS_CERT": str(one / "tls.crt"), "MQTT_TLS_KEY": str(other / "tls.key")},
            "KEY_VALUES_MISMATCH",
        ),
    ):
        with pytest.raises(SettingsError, match=shown):
            CommonSettings.load(MQTT_URL=url, **given)


@pytest.mark.parametrize(
    ("code", "advice"),
    [(20, "MQTT_TLS_CA"), (62, "MQTT_URL"), (10, "renew the broker's"), (99, "")],
)
def test_a_refused_certificate_has_an_advice(code: int, advice: str) -> None:
    """For the reasons that a person can mend."""
    error = ssl.SSLCertVerificationError("refused")
    error.verify_code = code

    assert advice in verification_advice(error)
    assert bool(verification_advice(error)) == bool(advice)
    assert verification_advice(OSError("refused")) == ""
