"""A certificate for servers on loopback."""

from pathlib import Path

from devstack import ports
from devstack.certificates import Authority


def certificate_for_loopback(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for the loopback address, and its key; return their paths.

    The file of the certificate has that of its authority too, so that a client can trust it.
    """
    issued = Authority(folder / "authority").issue("loopback", (ports.HOST,))
    chain = folder / "certificate.pem"
    chain.write_bytes((issued / "tls.crt").read_bytes() + (issued / "ca.crt").read_bytes())
    return chain, issued / "tls.key"
