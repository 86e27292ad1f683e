"""Tokens: any text permits something or is refused, and no claim of a signed one is too odd."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import suppress

from gateway.auth.grants import Grant, Refused
from gateway.auth.keys import KeySet, parse_key_set, secret_key
from gateway.auth.scope import Scope, parse_scope
from gateway.auth.shares import parse_duration, parse_record
from gateway.auth.verifier import TokenRules, TokenVerifier
from tests.fuzz.byte_source import ByteSource
from tests.fuzz.odd_json import odd_object

NOW_MS = 1_763_791_200_123
HEADER = ((b"alg", b'"HS256"'), (b"typ", b'"JWT"'), (b"kid", b""), (b"crit", b""), (b"b64", b""))
CLAIMS = (
    (b"exp", b"1763791260"),
    (b"nbf", b""),
    (b"iat", b""),
    (b"pillows", b'["cloud-1","ward-*"]'),
    (b"aud", b'"audience"'),
    (b"iss", b'"issuer"'),
    (b"jti", b""),
    (b"sub", b""),
)
SECRET, SHARE_SECRET = "s" * 32, "t" * 32
MAX_BYTES = 2048


def check(data: bytes) -> None:
    """Check a token: as it is, or its header and claims signed; and other text of the same part."""
    source = ByteSource(data)
    kind = source.byte() % 7
    if kind < 4:
        verifier = TokenVerifier(
            TokenRules(("HS256",), *((None, None), ("issuer", "audience"))[source.byte() % 2]),
            lambda: secret_key(SECRET),
            secret_key(SHARE_SECRET),
            lambda share: share == "revoked",
            lambda _key_id: False,
        )
        secret = (None, SECRET, SHARE_SECRET, SECRET)[kind]
        if secret is None:
            token = source.rest().decode("latin-1")
        elif kind < 3:
            token = _signed(source.piece(), source.rest(), secret)
        else:
            token = _signed(odd_object(source, HEADER), odd_object(source, CLAIMS), secret)
        outcome = verifier.verify(token, NOW_MS)
        assert secret is not None or isinstance(outcome, Refused), "accepted without a signature"
        _check_outcome(outcome)
    elif kind == 4:
        with suppress(ValueError, RecursionError):
            keys = parse_key_set(json.loads(source.rest()))
            assert isinstance(keys, KeySet) or keys
    elif kind == 5:
        parse_record(source.rest())
    else:
        with suppress(ValueError):
            assert parse_duration(source.rest().decode("latin-1")) > 0


def seeds() -> Iterator[bytes]:
    """Yield tokens, claims, key sets, records and durations."""
    header = b'{"alg":"HS256","typ":"JWT"}'
    head = bytes((len(header),)) + header
    yield b"\x00\x00eyJhbGciOiJIUzI1NiJ9.e30.c2ln"
    yield b"\x00\x00eyJhbGciOiJub25lIn0.e30."
    yield b"\x01\x00" + head + b'{"exp":1763791260,"nbf":0,"pillows":["cloud-1","ward-*"]}'
    yield b"\x01\x01" + head + b'{"exp":1e400,"iss":"issuer","aud":["audience",1]}'
    yield b"\x01\x00" + head + b'{"exp":-1%b,"iat":[],"sub":{}}' % (b"0" * 400)
    yield b"\x02\x00" + head + b'{"aud":"pillowcast-share","jti":"abc","pillows":["*"]}'
    yield b"\x02\x00" + head + b'{"aud":"pillowcast-share","jti":"revoked","pillows":[1]}'
    header = b'{"alg":"HS256","kid":[1],"crit":["b64"],"b64":false}'
    yield b"\x01\x00" + bytes((len(header),)) + header + b"[1]"
    for number in range(8):
        yield bytes((3, number & 1, 0, 0, 0, 1 << number, 0, 1, 8, 1, 9, 0))
    yield (
        b'\x04{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"1"},{"kty":"EC","crv":"P-256",'
        b'"x":"AA","y":"AA","use":"sig"},{"kty":"oct","k":"AA"},1]}'
    )
    yield b'\x05{"id":"abcdefghijklmnop","pillows":["a"],"created":1,"expires":2,"note":"x"}'
    yield b"\x0612h"


def _signed(header: bytes, claims: bytes, secret: str) -> str:
    """Return a token of any header and claims with a right signature."""
    parts = [_encoded(header), _encoded(claims)]
    signature = hmac.digest(secret.encode(), b".".join(parts), hashlib.sha256)
    return b".".join((*parts, _encoded(signature))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _check_outcome(outcome: Grant | Refused) -> None:
    if isinstance(outcome, Refused):
        assert len(outcome.reason) < 1000, "a reason is a sentence"
        return
    assert outcome.expires_ms is not None or outcome.share is not None, "a token without an end"
    assert outcome.expires_ms is None or outcome.expires_ms > NOW_MS, "an expired token"
    assert outcome.share != "revoked"
    assert isinstance(parse_scope(outcome.scope.patterns), Scope)
