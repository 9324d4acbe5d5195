#!/usr/bin/python3
"""Corporation Corp's key release service: hands a key to programs that prove what they are, and to nobody else.

It is a relying party and knows nothing of the launcher or the machine. It trusts one attestation service, the issuer,
fetches that service's signing keys over TLS, and compares the claims of a token with a policy:

    {"issuer": "https://...", "audience": "https://keys.corporation.example",
     "image_digest": "sha256:...", "minimum_swversion": 260100, "hwmodels": ["GCP_INTEL_TDX"]}

POST /nonce                          -> {"nonce": TEXT}                    a nonce that is good for one token
POST /key   {"token", "nonce"}       -> {"key": BASE64, "ticket": TEXT}    or 403 {"claim", "found", "expected"}
POST /order {"ticket", "order"}      -> {}                                 the result, from a program that got the key

Every decision is printed on standard output, one line each.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import secrets
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt

MAXIMUM_BODY = 64 * 1024
MAXIMUM_DOCUMENT = 1024 * 1024
MAXIMUM_NONCES = 1000
NONCE_SECONDS = 120
FETCH_SECONDS = 10
REQUEST_SECONDS = 10
CLOCK_LEEWAY_SECONDS = 10


@dataclass
class Denied(Exception):
    """A token is not good enough; names the claim that is to blame."""

    claim: str
    found: object
    expected: object

    def as_json(self) -> dict[str, object]:
        """Return the answer to the program that was denied."""
        return {"claim": self.claim, "found": self.found, "expected": self.expected}


class BadRequest(Exception):
    """The request itself makes no sense."""


class IssuerUnusable(Exception):
    """The issuer can't be reached or does not talk sense; not the program's fault."""


class Issuer:
    """The attestation service: its signing keys, found by OpenID Connect discovery."""

    def __init__(self, url: str, authority: Path | None) -> None:
        self.url = url
        self._context = ssl.create_default_context(cafile=str(authority) if authority else None)
        self._keys: dict[str, Any] = {}

    def key(self, key_id: str) -> object:
        """Return the key with an id, fetching the key set when the id is new."""
        if key_id not in self._keys:
            try:
                self._keys = self._fetch_keys()
            except (OSError, ValueError, KeyError, jwt.PyJWTError) as error:
                raise IssuerUnusable(f"{self.url} gives no usable keys: {error}") from error
        if key_id not in self._keys:
            raise Denied("kid", key_id, "a key of the issuer")
        return self._keys[key_id]

    def _fetch_keys(self) -> dict[str, Any]:
        discovery = self._fetch(self.url.rstrip("/") + "/.well-known/openid-configuration")
        if discovery["issuer"] != self.url:
            raise ValueError(f"its discovery document is that of {discovery['issuer']}")
        key_set = jwt.PyJWKSet.from_dict(self._fetch(discovery["jwks_uri"]))
        return {key.key_id: key.key for key in key_set.keys if key.key_id}

    def _fetch(self, url: str) -> dict[str, Any]:
        if not url.startswith("https://"):
            raise ValueError(f"{url} is not an https address")
        with urllib.request.urlopen(url, timeout=FETCH_SECONDS, context=self._context) as response:
            return json.loads(response.read(MAXIMUM_DOCUMENT))


def claim(claims: dict[str, Any], path: str) -> Any:
    """Return the claim at a dotted path, None when it is absent."""
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def verified_claims(token: str, issuer: Issuer, audience: str) -> dict[str, Any]:
    """Check everything that makes a JWT one for us; return its claims."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256":
            raise Denied("alg", header.get("alg"), "RS256")
        return jwt.decode(
            token,
            issuer.key(str(header.get("kid"))),
            algorithms=["RS256"],
            audience=audience,
            issuer=issuer.url,
            leeway=CLOCK_LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise Denied("exp", "a time that has passed", "a time to come") from error
    except jwt.ImmatureSignatureError as error:
        raise Denied("nbf", "a time to come", "a time that has passed") from error
    except jwt.InvalidAudienceError as error:
        raise Denied("aud", unverified(token, "aud"), audience) from error
    except jwt.InvalidIssuerError as error:
        raise Denied("iss", unverified(token, "iss"), issuer.url) from error
    except jwt.MissingRequiredClaimError as error:
        raise Denied(error.claim, None, "present") from error
    except jwt.InvalidSignatureError as error:
        raise Denied("signature", "a signature that does not verify", "one by a key of the issuer") from error
    except jwt.InvalidTokenError as error:
        raise Denied("token", str(error), "a JSON Web Token") from error


def unverified(token: str, name: str) -> object:
    """Return a claim of a token that was rejected, to say what was wrong with it."""
    return jwt.decode(token, options={"verify_signature": False}).get(name)


def appraise(claims: dict[str, Any], policy: dict[str, Any], nonce: str) -> list[tuple[str, object]]:
    """Compare the claims with the policy; return what convinced us, or raise `Denied` for the first that did not."""

    def contains(item: str) -> Callable[[Any], bool]:
        return lambda value: isinstance(value, list) and item in value

    def contains_or_is(item: str) -> Callable[[Any], bool]:
        return lambda value: value == item or (isinstance(value, list) and item in value)

    def at_least(minimum: int) -> Callable[[Any], bool]:
        return lambda value: (
            isinstance(value, list) and len(value) == 1 and str(value[0]).isdecimal() and int(value[0]) >= minimum
        )

    def one_of(allowed: list[str]) -> Callable[[Any], bool]:
        return lambda value: value in allowed

    def equal(wanted: object) -> Callable[[Any], bool]:
        return lambda value: value == wanted

    container = "submods.container"
    support = "submods.confidential_space.support_attributes"
    minimum = int(policy["minimum_swversion"])
    checks: list[tuple[str, object, Callable[[Any], bool]]] = [
        ("eat_nonce", nonce, contains_or_is(nonce)),
        ("swname", "CONFIDENTIAL_SPACE", equal("CONFIDENTIAL_SPACE")),
        ("swversion", f"at least {minimum}", at_least(minimum)),
        ("dbgstat", "disabled-since-boot", equal("disabled-since-boot")),
        ("secboot", True, equal(True)),
        ("hwmodel", policy["hwmodels"], one_of(policy["hwmodels"])),
        (support, "STABLE among them", contains("STABLE")),
        (f"{container}.image_digest", policy["image_digest"], equal(policy["image_digest"])),
        (f"{container}.cmd_override", "none", lambda value: not value),
        (f"{container}.env_override", "none", lambda value: not value),
        (f"{container}.restart_policy", "Never", equal("Never")),
    ]
    convinced = []
    for path, expected, good in checks:
        found = claim(claims, path)
        if not good(found):
            raise Denied(path, found, expected)
        convinced.append((path, found))
    return convinced


class KeyRelease:
    """The service's memory and its three requests."""

    def __init__(self, policy: dict[str, Any], issuer: Issuer, key: bytes) -> None:
        self._policy = policy
        self._issuer = issuer
        self._key = key
        self._lock = threading.Lock()
        self._nonces: dict[str, float] = {}
        self._tickets: dict[str, str] = {}

    def nonce(self, _request: dict[str, Any]) -> dict[str, object]:
        """Make a nonce; it is forgotten after use or after a while."""
        now = time.monotonic()
        with self._lock:
            self._nonces = {nonce: end for nonce, end in self._nonces.items() if end > now}
            if len(self._nonces) >= MAXIMUM_NONCES:
                raise BadRequest("too many nonces are waiting to be used")
            nonce = secrets.token_urlsafe(32)
            self._nonces[nonce] = now + NONCE_SECONDS
        return {"nonce": nonce}

    def key(self, request: dict[str, Any]) -> dict[str, object]:
        """Release the key against a token, or say why not."""
        token, nonce = text_member(request, "token"), text_member(request, "nonce")
        with self._lock:
            end = self._nonces.pop(nonce, 0.0)
        try:
            if end <= time.monotonic():
                raise Denied("eat_nonce", nonce, "a nonce that this service gave out a moment ago")
            claims = verified_claims(token, self._issuer, str(self._policy["audience"]))
            convinced = appraise(claims, self._policy, nonce)
        except Denied as denied:
            found, expected = json.dumps(denied.found), json.dumps(denied.expected)
            say("denied", f"claim {denied.claim}: found {found}, expected {expected}")
            raise
        ticket = secrets.token_urlsafe(16)
        with self._lock:
            self._tickets[ticket] = str(claims["sub"])
        say("granted", f"the key goes to {claims['sub']}")
        for path, found in convinced:
            say("because", f"{path} = {json.dumps(found)}")
        return {"key": base64.b64encode(self._key).decode(), "ticket": ticket}

    def order(self, request: dict[str, Any]) -> dict[str, object]:
        """Take the order from a program that was given the key."""
        order = request.get("order")
        with self._lock:
            sender = self._tickets.pop(text_member(request, "ticket"), None)
        if sender is None:
            say("denied", "an order without a ticket")
            raise Denied("ticket", "an unknown ticket", "the one that came with the key")
        if not isinstance(order, dict) or not all(isinstance(count, int) for count in order.values()):
            raise BadRequest("order must be an object of counts")
        say("order", ", ".join(f"{count} x {dish}" for dish, count in sorted(order.items())))
        return {}


def text_member(request: dict[str, Any], name: str) -> str:
    """Return a member that must be text."""
    value = request.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"{name} must be text")
    return value


def say(what: str, text: str) -> None:
    """Print one line for the people at Corporation Corp; control characters of others don't reach their terminal."""
    print(f"{what}: {''.join(c if c.isprintable() else '?' for c in text)}", flush=True)


def handler_for(service: KeyRelease) -> type[BaseHTTPRequestHandler]:
    """Return the request handler of a service."""
    routes = {"/nonce": service.nonce, "/key": service.key, "/order": service.order}

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS

        def do_POST(self) -> None:
            route = routes.get(self.path)
            if route is None:
                self._answer(404, {"error": "no such path"})
                return
            try:
                self._answer(200, route(self._body()))
            except Denied as denied:
                self._answer(403, denied.as_json())
            except BadRequest as error:
                self._answer(400, {"error": str(error)})
            except IssuerUnusable as error:
                say("error", str(error))
                self._answer(503, {"error": "the token issuer gives no usable answer"})

        def _body(self) -> dict[str, Any]:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > MAXIMUM_BODY:
                raise BadRequest(f"a body of at most {MAXIMUM_BODY} bytes is needed")
            try:
                body = json.loads(self.rfile.read(int(length)))
            except ValueError as error:
                raise BadRequest(f"not JSON: {error}") from error
            if not isinstance(body, dict):
                raise BadRequest("the body must be an object")
            return body

        def _answer(self, status: int, answer: dict[str, object]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def read_policy(file: Path) -> dict[str, Any]:
    """Read a policy; ends the program with one line about what is wrong with it."""
    try:
        policy = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        sys.exit(f"key_release.py: {file}: {reason}")
    types = {"issuer": str, "audience": str, "image_digest": str, "minimum_swversion": int, "hwmodels": list}
    for name, wanted in types.items():
        if not isinstance(policy, dict) or not isinstance(policy.get(name), wanted):
            sys.exit(f"key_release.py: {file}: {name} is missing, or no {wanted.__name__}")
    return policy


def read_key(file: Path) -> bytes:
    """Read the key; the same."""
    try:
        return file.read_bytes()
    except OSError as error:
        sys.exit(f"key_release.py: {file}: {error.strerror}")


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--policy", type=Path, required=True, help="JSON file with the policy")
    parser.add_argument("--key", type=Path, required=True, help="file with the 32 bytes of the key to release")
    parser.add_argument("--issuer-ca", type=Path, help="PEM file of the authority behind the issuer's TLS certificate")
    parser.add_argument("--port", type=int, default=0, help="loopback port (default: a free one)")
    arguments = parser.parse_args()

    policy, key = read_policy(arguments.policy), read_key(arguments.key)
    service = KeyRelease(policy, Issuer(policy["issuer"], arguments.issuer_ca), key)
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), handler_for(service))
    server.daemon_threads = True
    say("listening", f"http://127.0.0.1:{server.server_address[1]}")
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
