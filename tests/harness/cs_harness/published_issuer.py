"""An issuer of tokens that a test makes: right ones, and such as no honest service would issue."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


class PublishedIssuer:
    """`documents` is what it publishes, by URL; `fetch` gets them, as a cloud would."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key_id = "first"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        keys = f"{url}/keys"
        self.documents: dict[str, Any] = {
            f"{url}/.well-known/openid-configuration": {"issuer": url, "jwks_uri": keys},
            keys: {"keys": [{**json.loads(RSAAlgorithm.to_jwk(self._key.public_key())), "kid": "first", "alg": "RS256"}]},
        }

    @property
    def jwk(self) -> dict[str, Any]:
        """The key that it publishes."""
        return self.documents[f"{self.url}/keys"]["keys"][0]

    def fetch(self, url: str) -> bytes:
        """Return what is at a URL."""
        if url not in self.documents:
            raise OSError(f"there is nothing at {url}")
        return json.dumps(self.documents[url]).encode()

    def token(self, audience: str, *, key_id: str | None = None, key: Any = None, **claims: Any) -> str:
        """Return a token that is good for an hour, with claims added or replaced; those that are None are left out."""
        now = int(time.time())
        all_claims = {"iss": self.url, "sub": "machine", "aud": audience, "iat": now, "nbf": now, "exp": now + 3600, **claims}
        present = {name: value for name, value in all_claims.items() if value is not None}
        return jwt.encode(present, key or self._key, "RS256", {"kid": key_id or self.key_id})
