"""The verifier: forged, foreign, expired and revoked tokens permit nothing."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.grants import Grant, Refused
from gateway.auth.keys import KeySet, parse_key_set, public_key, secret_key
from gateway.auth.revocations import Revocations
from gateway.auth.scope import Scope
from gateway.auth.shares import make_share
from gateway.auth.verifier import MAX_TOKEN_BYTES, SHARE_AUDIENCE, TokenRules, TokenVerifier

SECRET = "s" * 32
SHARE_SECRET = "t" * 32
SHARE_ID = "0123456789abcdef"
NOW_S = int(time.time())
NOW_MS = NOW_S * 1000

rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
other_rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ec_key = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> str:
    text: str = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    return text


def jwk(key: Any, key_id: str, **more: str) -> dict[str, Any]:
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    document = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key())
    return {**json.loads(document), "kid": key_id, **more}


def verifier(
    keys: KeySet | None = None,
    *,
    rules: TokenRules | None = None,
    revocations: Revocations | None = None,
    fetches: bool = False,
) -> TokenVerifier:
    known = secret_key(SECRET) if keys is None else keys
    if revocations is None:
        revocations = Revocations()
        revocations.complete()
    return TokenVerifier(
        rules or TokenRules(("HS256", "RS256", "ES256")),
        lambda: known,
        secret_key(SHARE_SECRET),
        revocations.is_revoked,
        lambda _key_id: fetches,
    )


def token(key: Any = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    return jwt.encode({"exp": NOW_S + 60, **claims}, key, algorithm=algorithm)


def reason(outcome: Grant | Refused) -> str:
    assert isinstance(outcome, Refused)
    return outcome.reason


def test_a_token_with_the_secret_permits_its_pillows() -> None:
    outcome = verifier().verify(token(pillows=["cloud-1", "ward-*"]), NOW_MS)
    assert isinstance(outcome, Grant)
    assert outcome.scope == Scope(frozenset({"cloud-1"}), ("ward-",))
    assert outcome.share is None


@pytest.mark.parametrize(("key", "algorithm"), [(rsa_key, "RS256"), (ec_key, "ES256")])
def test_a_public_key_verifies(key: Any, algorithm: str) -> None:
    checks = verifier(public_key(pem(key)))
    assert isinstance(checks.verify(token(key, algorithm), NOW_MS), Grant)


def test_a_key_set_has_keys_by_id_and_only_those_for_signatures() -> None:
    keys = parse_key_set(
        {
            "keys": [
                jwk(rsa_key, "one"),
                jwk(ec_key, "two", alg="ES256"),
                jwk(other_rsa_key, "three", use="enc"),
                {"kty": "oct", "kid": "four", "k": urlsafe_b64encode(SECRET.encode()).decode()},
                "nonsense",
            ]
        }
    )
    assert isinstance(keys, KeySet)
    assert [key.key_id for key in keys.keys] == ["one", "two"]
    checks = verifier(keys)

    def signed(key: Any, algorithm: str, key_id: str) -> Grant | Refused:
        text = jwt.encode({"exp": NOW_S + 60}, key, algorithm=algorithm, headers={"kid": key_id})
        return checks.verify(text, NOW_MS)

    assert isinstance(signed(rsa_key, "RS256", "one"), Grant)
    assert isinstance(signed(ec_key, "ES256", "two"), Grant)
    assert "signature" in reason(signed(other_rsa_key, "RS256", "one"))
    assert "no key" in reason(signed(other_rsa_key, "RS256", "three"))
    assert "no key" in reason(signed(SECRET, "HS256", "four"))


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": []}, {"keys": [1]}])
def test_what_is_no_key_set_is_named(document: object) -> None:
    assert isinstance(parse_key_set(document), str)


@pytest.mark.parametrize(
    "members",
    [
        {"d": "AQAB"},  # a private key; of 8192 bits its primes took 5 s
        {"n": urlsafe_b64encode(b"\xff" * 1025).decode()},
        {"e": urlsafe_b64encode(b"\xff" * 255).decode()},
        {"n": urlsafe_b64encode(b"\xff" * 255).decode()},
    ],
)
def test_a_key_of_a_set_that_is_private_or_slow_is_left_out(members: dict[str, str]) -> None:
    good = jwk(rsa_key, "good")
    keys = parse_key_set({"keys": [{**good, "kid": "odd", **members}, good]})
    assert isinstance(keys, KeySet)
    assert [key.key_id for key in keys.keys] == ["good"]


def test_none_and_algorithms_that_are_not_listed_are_refused() -> None:
    unsigned = jwt.encode({"exp": NOW_S + 60}, "", algorithm="none")
    assert "algorithm" in reason(verifier().verify(unsigned, NOW_MS))
    only_rsa = verifier(secret_key(SECRET) + public_key(pem(rsa_key)), rules=TokenRules(("RS256",)))
    assert "algorithm" in reason(only_rsa.verify(token(), NOW_MS))
    assert "algorithm" in reason(verifier().verify(token("s" * 64, "HS512"), NOW_MS))


def test_a_public_key_is_not_taken_for_a_secret() -> None:
    text = pem(rsa_key)
    head, body = (
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT"}, {"exp": NOW_S + 60})
    )
    signature = hmac.new(text.encode(), head + b"." + body, hashlib.sha256).digest()
    forged = b".".join((head, body, urlsafe_b64encode(signature).rstrip(b"="))).decode()
    assert isinstance(verifier(public_key(text)).verify(forged, NOW_MS), Refused)


def test_an_rsa_key_of_less_than_2048_bits_is_refused() -> None:
    """RFC 7518 §3.3."""
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)

    with pytest.raises(ValueError, match="1024 bits; 2048"):
        public_key(pem(weak))
    assert isinstance(parse_key_set({"keys": [jwk(weak, "weak")]}), str)


@pytest.mark.parametrize("header", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_a_token_brings_along_is_not_used(header: str) -> None:
    """The sender of a token would choose the key that checks it."""
    brought = {
        "jwk": json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(ec_key.public_key())),
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/certificate",
        "x5c": ["AAAA"],
    }
    known = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(
        {"exp": NOW_S + 60}, ec_key, "ES256", headers={header: brought[header], "kid": "a"}
    )

    for keys in (public_key(pem(known)), parsed("a", known)):
        assert isinstance(verifier(keys).verify(token, NOW_MS), Refused)


def parsed(key_id: str, key: Any) -> KeySet:
    found = parse_key_set({"keys": [jwk(key, key_id)]})
    assert isinstance(found, KeySet)
    return found


def test_a_private_key_is_refused_as_a_public_one() -> None:
    private = rsa_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    with pytest.raises(ValueError, match="private"):
        public_key(private)
    with pytest.raises(ValueError, match="no public key"):
        public_key("nonsense")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        secret_key("short")


def test_issuer_and_audience_must_be_those_that_are_set() -> None:
    rules = TokenRules(("HS256",), issuer="https://login.example/", audience="pillowcast")
    checks = verifier(rules=rules)
    right: dict[str, Any] = {"iss": "https://login.example/", "aud": ["other", "pillowcast"]}
    assert isinstance(checks.verify(token(**right), NOW_MS), Grant)
    assert "issuer" in reason(checks.verify(token(**{**right, "iss": "evil"}), NOW_MS))
    assert "audience" in reason(checks.verify(token(**{**right, "aud": "other"}), NOW_MS))
    for missing in right:
        rest = {name: value for name, value in right.items() if name != missing}
        assert isinstance(checks.verify(token(**rest), NOW_MS), Refused)


def test_a_token_expires_by_the_time_that_is_given() -> None:
    assert isinstance(verifier().verify(token(), NOW_MS + 89_000), Grant)
    assert "expired" in reason(verifier().verify(token(), NOW_MS + 91_000))


def test_an_unknown_key_may_be_known_later() -> None:
    foreign = jwt.encode({"exp": NOW_S + 60}, rsa_key, algorithm="RS256", headers={"kid": "new"})
    assert verifier(KeySet(), fetches=True).verify(foreign, NOW_MS) == Refused(
        "no key is known for this token", may_pass_later=True
    )


def test_a_share_link_permits_its_pillows_until_it_is_revoked() -> None:
    revocations = Revocations()
    revocations.complete()
    checks = verifier(revocations=revocations)
    scope = Scope(frozenset({"cloud-1"}))
    share = make_share(SHARE_ID, scope, SHARE_SECRET, now_s=NOW_S, lasts_s=60)
    assert checks.verify(share.token, NOW_MS) == Grant(scope, NOW_MS + 60_000, SHARE_ID)
    assert "expired" in reason(checks.verify(share.token, NOW_MS + 60_000))
    assert revocations.receive(SHARE_ID, b"{}")
    assert "revoked" in reason(checks.verify(share.token, NOW_MS))
    assert not revocations.receive(SHARE_ID, b"")
    assert isinstance(checks.verify(share.token, NOW_MS), Grant)


def test_a_share_link_permits_nothing_before_the_revoked_ones_are_known() -> None:
    revocations = Revocations()
    checks = verifier(revocations=revocations)
    scope = Scope(frozenset({"cloud-1"}))
    share = make_share(SHARE_ID, scope, SHARE_SECRET, now_s=NOW_S, lasts_s=60)
    outcome = checks.verify(share.token, NOW_MS)
    assert isinstance(outcome, Refused)
    assert outcome.may_pass_later
    revocations.receive(SHARE_ID, b"{}")
    outcome = checks.verify(share.token, NOW_MS)
    assert isinstance(outcome, Refused)
    assert not outcome.may_pass_later
    # Another token needs no list of revoked ones.
    assert isinstance(checks.verify(token(), NOW_MS), Grant)


def test_a_share_link_is_signed_with_the_key_of_share_links() -> None:
    scope = Scope(frozenset({"cloud-1"}))
    foreign = make_share(SHARE_ID, scope, SECRET, now_s=NOW_S, lasts_s=60)
    assert isinstance(verifier().verify(foreign.token, NOW_MS), Refused)
    # Nor does that key sign other tokens.
    assert isinstance(verifier().verify(token(SHARE_SECRET), NOW_MS), Refused)
    assert isinstance(verifier().verify(token(SHARE_SECRET, aud=SHARE_AUDIENCE), NOW_MS), Refused)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda data: data.decode("latin-1")))
def test_no_text_raises(text: str) -> None:
    assert isinstance(verifier().verify(text, NOW_MS), Refused)


@given(st.integers(0, 400), st.characters(codec="latin-1"))
def test_a_changed_token_permits_nothing_else(place: int, character: str) -> None:
    original = token(pillows=["cloud-1"])
    place %= len(original)
    changed = original[:place] + character + original[place + 1 :]
    outcome = verifier().verify(changed, NOW_MS)
    if isinstance(outcome, Grant):  # the last character of a signature has unused bits
        assert outcome.scope == Scope(frozenset({"cloud-1"}))


def test_an_empty_token_is_none_at_all() -> None:
    """A page without a token sends it, to be told at once."""
    assert verifier().verify("", NOW_MS) == Refused("a token is needed")


def test_a_long_token_is_not_parsed() -> None:
    assert str(MAX_TOKEN_BYTES) in reason(verifier().verify("a" * 100_000, NOW_MS))


def test_deeply_nested_claims_do_not_raise() -> None:
    body = urlsafe_b64encode(b'{"a":' + b"[" * 3000).rstrip(b"=").decode()
    assert isinstance(verifier().verify(f"{body}.{body}.x", NOW_MS), Refused)
