"""Keys: those that tokens may be signed with, by algorithm and key id. Pure but for PyJWT's parser.

An algorithm belongs to one type of key, so that a public key is never taken for a shared secret.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import jwt
from jwt.algorithms import AllowedPublicKeys

KEY_TYPES: Final[Mapping[str, str]] = {
    "HS256": "oct",
    "RS256": "RSA",
    "ES256": "EC",
}
"""The algorithms that may be allowed, with the type of their keys (RFC 7518 §3.1 and §6.1)."""

MIN_SECRET_BYTES: Final = 32
"""The smallest secret for HS256 (RFC 7518 §3.2)."""

MIN_RSA_BITS: Final = 2048
"""The smallest RSA key (RFC 7518 §3.3)."""

MAX_RSA_BITS: Final = 8192
MAX_RSA_EXPONENT: Final = 2**32
"""What a key of a set may have at most, so that checking a signature takes less than 1 ms."""

_PUBLIC: Final = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
"""The members of a public key (RFC 7518 §6.2.1 and §6.3.1). PyJWT computes the primes of a private
one, which takes seconds for a large one and stops every thread meanwhile."""

MAX_KEYS: Final = 64
"""How many keys of a set are read, so that checking a token without a key id is bounded."""

SigningKey = AllowedPublicKeys | bytes


class VerificationKey(NamedTuple):
    """One key, with the algorithm that it is for; `key_id` is None where it has none."""

    algorithm: str
    key_id: str | None
    key: SigningKey


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys that are known now."""

    keys: tuple[VerificationKey, ...] = field(default=())

    def candidates(self, algorithm: str, key_id: object) -> list[VerificationKey]:
        """Return the keys that a token with this header may be signed with.

        A key without an id is one for every token of its algorithm; a token without an id may be
        signed with every key of its algorithm.
        """
        return [
            one
            for one in self.keys
            if one.algorithm == algorithm and (None in (key_id, one.key_id) or one.key_id == key_id)
        ]

    def __add__(self, other: "KeySet") -> "KeySet":
        return KeySet((*self.keys, *other.keys))


def secret_key(secret: str) -> KeySet:
    """Return the key set of a shared secret. Raises ValueError if it is too short."""
    key = secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise ValueError(f"has {len(key)} bytes; HS256 needs at least {MIN_SECRET_BYTES}")
    return KeySet((VerificationKey("HS256", None, key),))


def public_key(pem: str) -> KeySet:
    """Return the key set of a public key in PEM, RSA or P-256. Raises ValueError."""
    for algorithm in ("RS256", "ES256"):
        try:
            key = jwt.get_algorithm_by_name(algorithm).prepare_key(pem)
        except (jwt.InvalidKeyError, ValueError, TypeError):
            continue
        if not hasattr(key, "public_numbers"):
            raise ValueError("is a private key; give the public one")
        if algorithm == "RS256" and key.key_size < MIN_RSA_BITS:
            raise ValueError(f"is an RSA key of {key.key_size} bits; {MIN_RSA_BITS} are needed")
        return KeySet((VerificationKey(algorithm, None, key),))
    raise ValueError("is no public key in PEM, RSA or P-256")


def parse_key_set(document: object) -> KeySet | str:
    """Return the keys of a JSON Web Key Set (RFC 7517) that can verify; or what is wrong with it.

    Keys for other uses, of other types, RSA keys out of range, symmetric and private ones are left
    out: a secret that anyone can fetch proves nothing.
    """
    entries: Any = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return "it is no JSON object with a list `keys`"
    found = [key for entry in entries[:MAX_KEYS] if (key := _verification_key(entry)) is not None]
    return (
        KeySet(tuple(found))
        if found
        else "it has no P-256 key for signatures, and no RSA key of 2048 bits"
    )


def _verification_key(entry: object) -> VerificationKey | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(entry.get("kty")))
    if algorithm is None or entry.get("alg", algorithm) != algorithm or "d" in entry:
        return None
    key_id = entry.get("kid")
    members = {name: entry[name] for name in _PUBLIC[entry["kty"]] if name in entry}
    try:
        key = jwt.PyJWK(members, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if algorithm == "RS256" and not (
        MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS and key.public_numbers().e < MAX_RSA_EXPONENT
    ):
        return None
    return VerificationKey(algorithm, key_id if isinstance(key_id, str) else None, key)


def checked_algorithms(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names. Raises ValueError if one is not in KEY_TYPES."""
    unknown = next((name for name in names if name not in KEY_TYPES), None)
    if unknown is not None:
        raise ValueError(f"{unknown!r} is not allowed; {', '.join(KEY_TYPES)} are")
    return tuple(names)
