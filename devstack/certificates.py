"""A certificate authority for development: `scripts/dev-ca` makes it, and certificates for all.

Each user of the files has a folder, because a mounted folder shows files that are replaced:
`<folder>/<name>/ca.crt`, `tls.crt` and `tls.key`. The authority's own key is in `<folder>/ca`.
"""

import argparse
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from devstack.processes import ROOT

SERVER = "mosquitto"
CLIENTS = ("poller", "gateway", "notifier", "recorder", "simulator", "operator")
LOOPBACK = "127.0.0.1"
HOSTS = ("mosquitto", "localhost", LOOPBACK, "::1")

CA_DAYS, DAYS = 3650, 90
"""How long the authority and its certificates are valid."""

_DAY = timedelta(days=1)


class Authority:
    """An authority in a folder; made there if the folder has none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        home = folder / "ca"
        if not (home / "ca.key").exists():
            _make_authority(home)
        self._key = serialization.load_pem_private_key((home / "ca.key").read_bytes(), None)
        self.certificate = x509.load_pem_x509_certificate((home / "ca.crt").read_bytes())

    def issue(self, name: str, hosts: tuple[str, ...] = (), *, days: float = DAYS) -> Path:
        """Write a certificate and a new key, and return their folder.

        With `hosts` it is a server's, otherwise a client's. Negative `days` make an expired one.
        """
        if not isinstance(self._key, ec.EllipticCurvePrivateKey):
            raise TypeError("the key of the authority is not an elliptic curve's")
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(name, days)
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        # Containers with other user ids read the mounted key. On this machine the folder above is
        # its owner's alone.
        _replace(folder / "tls.key", _private_bytes(key), 0o644)
        _replace(folder / "tls.crt", _public_bytes(certificate), 0o644)
        _replace(folder / "ca.crt", _public_bytes(self.certificate), 0o644)
        return folder


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="scripts/dev-ca",
        description="Make a certificate authority for development, once, and a new certificate for "
        "the broker and for each of its clients. docker-compose.tls.yml uses them.",
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".devstack" / "tls", help="default .devstack/tls"
    )
    parser.add_argument("--days", type=float, default=DAYS, help=f"default {DAYS}")
    parser.add_argument("host", nargs="*", help=f"further names of the broker than {HOSTS}")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    options.folder.chmod(0o700)
    authority = Authority(options.folder)
    authority.issue(SERVER, (*HOSTS, *options.host), days=options.days)
    for client in CLIENTS:
        authority.issue(client, days=options.days)
    print(f"{options.folder}: certificates for {', '.join((SERVER, *CLIENTS))}")


def certificate_for_loopback(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for the loopback address, and its key; return their paths.

    The file of the certificate has that of its authority too, so that a client can trust it.
    """
    issued = Authority(folder / "authority").issue("loopback", (LOOPBACK,))
    chain = folder / "certificate.pem"
    chain.write_bytes((issued / "tls.crt").read_bytes() + (issued / "ca.crt").read_bytes())
    return chain, issued / "tls.key"


def _make_authority(home: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = "Pillowcast development authority"
    builder = _builder(name, CA_DAYS)
    certificate = (
        builder.issuer_name(_name(name))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        # Python 3.13 verifies strictly: an authority must say that it may sign certificates.
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    home.mkdir(parents=True, exist_ok=True)
    _replace(home / "ca.crt", _public_bytes(certificate), 0o644)
    _replace(home / "ca.key", _private_bytes(key), 0o600)


def _builder(name: str, days: float) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + days * _DAY) - _DAY)
        .not_valid_after(now + days * _DAY)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _public_bytes(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file in one step, so that nobody reads half of it."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_bytes(content)
    new.chmod(mode)
    new.replace(path)


if __name__ == "__main__":
    main()
