"""TLS to PostgreSQL, by the parameters of a URL that libpq and its users know."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_KNOWN: Final = "sslmode and sslrootcert"


@dataclass(frozen=True, slots=True)
class PostgresqlTls:
    """How a connection is encrypted, and whose certificate is accepted.

    `verify-full` checks the server's name as well, `verify-ca` its authority alone, by `root_file`
    or by the system's authorities. The other modes check nothing.
    """

    mode: str = "prefer"
    root_file: Path | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str | tuple[str, ...]]) -> "PostgresqlTls":
        """Read a URL's parameters; raises ValueError with a sentence about a wrong one."""
        given = {name: value for name, value in query.items() if isinstance(value, str)}
        mode = given.pop("sslmode", given.pop("ssl", "prefer"))
        root = given.pop("sslrootcert", "")
        if given or any(not isinstance(value, str) for value in query.values()):
            raise ValueError(f"has another parameter than {_KNOWN}: write those alone")
        if mode not in MODES:
            raise ValueError(f"has an unknown sslmode: write one of {', '.join(MODES)}")
        tls = cls("verify-ca" if mode == "require" and root else mode, Path(root) if root else None)
        try:
            tls.argument()
        except OSError as error:
            raise ValueError(
                f"has an sslrootcert that cannot be read ({error}): write a PEM file"
            ) from None
        return tls

    def argument(self) -> str | ssl.SSLContext:
        """Return what asyncpg takes; raises OSError for a file that cannot be read."""
        if not self.mode.startswith("verify-"):
            return self.mode
        context = ssl.create_default_context(cafile=self.root_file)
        context.check_hostname = self.mode == "verify-full"
        return context
