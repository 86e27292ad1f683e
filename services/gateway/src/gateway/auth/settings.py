"""The settings of who may look: tokens and share links."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from gateway.auth.keys import KeySet, checked_algorithms, public_key, secret_key
from gateway.auth.verifier import TokenRules
from runtime.settings import CommonSettings, Names


def _checked_secret(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None:
        secret_key(secret.get_secret_value())
    return secret


def _checked_public_key(pem: SecretStr | None) -> SecretStr | None:
    if pem is not None:
        public_key(pem.get_secret_value())
    return pem


def _checked_key_url(url: str) -> str:
    parts = urlsplit(url)
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if url and (not parts.hostname or (parts.scheme != "https" and not is_local)):
        # A party that can change the response could add a key of its own.
        raise ValueError("is no https:// URL; http:// is for localhost only")
    if "@" in parts.netloc:
        raise ValueError("has a user or a password, which are not sent; give the URL without them")
    return url


Secret = Annotated[SecretStr | None, AfterValidator(_checked_secret)]


class AuthSettings(CommonSettings):
    """How clients authenticate; each description is the sentence of `.env.example`."""

    auth: Literal["none", "jwt"] = Field(
        "none",
        alias="GATEWAY_AUTH",
        description="How clients authenticate: none lets all see everything, jwt asks for a JSON "
        "Web Token or a share link.",
    )
    jwt_secret: Secret = Field(
        None,
        alias="GATEWAY_JWT_SECRET",
        description="The secret of tokens with HS256, at least 32 bytes.",
    )
    jwt_public_key: Annotated[SecretStr | None, AfterValidator(_checked_public_key)] = Field(
        None,
        alias="GATEWAY_JWT_PUBLIC_KEY",
        description="The public key of tokens with RS256 or ES256, in PEM; a file is the easy way.",
    )
    jwt_key_url: Annotated[str, AfterValidator(_checked_key_url)] = Field(
        "",
        alias="GATEWAY_JWT_JWKS_URL",
        description="The https:// URL of a JSON Web Key Set, as identity providers have one; it "
        "is fetched at the start, every ten minutes, and for a key that is not known.",
    )
    jwt_algorithms: Annotated[Names, AfterValidator(checked_algorithms)] = Field(
        (),
        alias="GATEWAY_JWT_ALGORITHMS",
        description="The algorithms that tokens may have, separated by commas: HS256, RS256, "
        "ES256. Unless set, HS256 with a secret, and RS256 and ES256 with a public key or a URL.",
    )
    jwt_issuer: str = Field(
        "",
        alias="GATEWAY_JWT_ISSUER",
        description="The issuer (iss) that tokens must have; any unless set.",
    )
    jwt_audience: str = Field(
        "",
        alias="GATEWAY_JWT_AUDIENCE",
        description="The audience (aud) that tokens must have; any unless set.",
    )
    jwt_leeway: float = Field(
        30,
        alias="GATEWAY_JWT_LEEWAY",
        ge=0,
        le=600,
        allow_inf_nan=False,
        description="Seconds by which the clocks of issuer and gateway may differ.",
    )
    share_key: Secret = Field(
        None,
        alias="GATEWAY_SHARE_KEY",
        description="The secret that share links are signed with, at least 32 bytes; without it "
        "there are none.",
    )

    @model_validator(mode="after")
    def _some_token_can_be_accepted(self) -> Self:
        if self.auth == "jwt" and not self.allowed_algorithms and self.share_key is None:
            raise ValueError(
                "GATEWAY_AUTH = 'jwt' needs GATEWAY_JWT_SECRET, GATEWAY_JWT_PUBLIC_KEY, "
                "GATEWAY_JWT_JWKS_URL or GATEWAY_SHARE_KEY"
            )
        if self.jwt_algorithms and "HS256" in self.jwt_algorithms and self.jwt_secret is None:
            raise ValueError("GATEWAY_JWT_ALGORITHMS has HS256, which needs GATEWAY_JWT_SECRET")
        return self

    @property
    def allowed_algorithms(self) -> tuple[str, ...]:
        """The algorithms that tokens may have."""
        if self.jwt_algorithms:
            return self.jwt_algorithms
        by_secret = ("HS256",) if self.jwt_secret is not None else ()
        by_public_key = (
            ("RS256", "ES256") if self.jwt_public_key is not None or self.jwt_key_url else ()
        )
        return by_secret + by_public_key

    @property
    def token_rules(self) -> TokenRules:
        """What tokens must have."""
        return TokenRules(
            self.allowed_algorithms,
            self.jwt_issuer or None,
            self.jwt_audience or None,
            round(self.jwt_leeway * 1000),
        )

    @property
    def configured_keys(self) -> KeySet:
        """The keys that need no fetching."""
        keys = KeySet()
        if self.jwt_secret is not None:
            keys += secret_key(self.jwt_secret.get_secret_value())
        if self.jwt_public_key is not None:
            keys += public_key(self.jwt_public_key.get_secret_value())
        return keys

    @property
    def share_keys(self) -> KeySet:
        """The keys of share links: one or none."""
        return KeySet() if self.share_key is None else secret_key(self.share_key.get_secret_value())
