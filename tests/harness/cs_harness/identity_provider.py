"""What a cloud knows of an OpenID Connect provider: who it is, and the keys that it publishes."""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Callable, Collection
from typing import Any

import jwt

CLOCK_SKEW_SECONDS = 60
WITH_SLASH = "https://confidentialcomputing.googleapis.com"  # is written so, though its tokens have none
REQUIRED_CLAIMS = ("iss", "sub", "aud", "exp", "iat")


class Why(enum.Enum):
    """Why a token is refused."""

    FORM = "form"
    ISSUER = "issuer"
    KEYS = "keys"
    KEY = "key"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    TIME = "time"
    AUDIENCE = "audience"


class TokenRefused(Exception):
    """A token is not one of the provider's, or not for the one who was shown it."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why


def issuer_of(token: str) -> str:
    """Return who is said to have issued a token, before anything is checked."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError as error:
        raise TokenRefused(Why.FORM, f"it is no JSON Web Token: {error}") from error
    if not isinstance(issuer, str):
        raise TokenRefused(Why.FORM, "it names no issuer")
    return issuer


class IdentityProvider:
    """`fetch` gets what is at a URL. Keys are fetched for each token: a cloud keeps them for a while.

    With `refuses_x5c` no key set is taken that has certificates in it, as Google Cloud does.
    """

    def __init__(
        self,
        issuer: str,
        audiences: Collection[str],
        fetch: Callable[[str], bytes],
        *,
        refuses_x5c: bool = False,
    ) -> None:
        self.issuer = issuer.rstrip("/") if issuer.startswith(WITH_SLASH) else issuer
        self.audiences = set(audiences)
        self._fetch = fetch
        self._refuses_x5c = refuses_x5c

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token of this provider's, for one of the audiences."""
        issuer = issuer_of(token)
        if issuer != self.issuer:
            raise TokenRefused(Why.ISSUER, f'its issuer is "{issuer}", not "{self.issuer}"')
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256":
            raise TokenRefused(Why.FORM, f"its algorithm is {header.get('alg')!r}, not 'RS256'")
        key = self._key(str(header.get("kid")))
        options = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            claims = jwt.decode(token, key, algorithms=["RS256"], options={**options, "require": REQUIRED_CLAIMS})
        except jwt.InvalidSignatureError as error:
            raise TokenRefused(Why.SIGNATURE, "its signature is not by the key that it names") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefused(Why.FORM, str(error)) from error
        self._check_times(claims)
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if not self.audiences & set(audiences):
            raise TokenRefused(Why.AUDIENCE, f"it is for {audiences}, not for {sorted(self.audiences)}")
        return claims

    def _key(self, key_id: str) -> Any:
        try:
            discovery = json.loads(self._fetch(self.issuer + "/.well-known/openid-configuration"))
            if discovery["issuer"] != self.issuer:
                raise TokenRefused(Why.KEYS, f'the discovery document is that of "{discovery["issuer"]}"')
            published = json.loads(self._fetch(discovery["jwks_uri"]))
            if self._refuses_x5c and any({"x5c", "x5t"} & set(key) for key in published["keys"]):
                raise TokenRefused(Why.KEYS, f"the keys of {self.issuer} have x5c")
            keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(published).keys}
        except (OSError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            raise TokenRefused(Why.KEYS, f"the keys of {self.issuer} can't be had: {error}") from error
        if key_id not in keys:
            raise TokenRefused(Why.KEY, f'no key "{key_id}" is published by {self.issuer}')
        return keys[key_id]

    @staticmethod
    def _check_times(claims: dict[str, Any]) -> None:
        now = time.time()
        for name in ("exp", "iat", "nbf"):
            if not isinstance(claims.get(name, 0), int | float):
                raise TokenRefused(Why.FORM, f"its {name} is no number")
        if claims["exp"] <= now:
            raise TokenRefused(Why.EXPIRED, f"it has expired {now - claims['exp']:.0f} s ago")
        for name in ("iat", "nbf"):
            if claims.get(name, 0) > now + CLOCK_SKEW_SECONDS:
                raise TokenRefused(Why.TIME, f"its {name} lies in the future")
