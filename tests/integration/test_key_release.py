"""The demonstration's key release service against tokens that are wrong in one claim each."""

from __future__ import annotations

import copy
import http.client
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cs_harness import CertificateAuthority, Process
from cs_harness.process import REPOSITORY
from cs_harness.serving import Handler, Serving
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "https://keys.corporation.example"
DIGEST = "sha256:" + "a" * 64
PROGRAM = REPOSITORY / "examples/mealcorp/key_release.py"


class Issuer(Serving):
    """An attestation service's public half: discovery document and keys, with a private key to sign anything."""

    def __init__(self, folder: Path) -> None:
        self.authority = CertificateAuthority(folder / "issuer-tls")
        server = self.authority.issue()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = {**json.loads(RSAAlgorithm.to_jwk(self.key.public_key())), "kid": "k1", "use": "sig", "alg": "RS256"}
        issuer = self

        class Documents(Handler):
            def do_GET(self) -> None:
                documents = {
                    "/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"},
                    "/keys": {"keys": [public]},
                }
                body = json.dumps(documents.get(self.path)).encode()
                self.reply(200 if self.path in documents else 404, body)

        super().__init__(Documents)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.certificate, server.private_key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.port}"

    def claims(self, nonce: object) -> dict[str, Any]:
        """Return the claims of a good token."""
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/i",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "eat_nonce": nonce,
            "secboot": True,
            "swname": "CONFIDENTIAL_SPACE",
            "swversion": ["260100"],
            "dbgstat": "disabled-since-boot",
            "hwmodel": "GCP_INTEL_TDX",
            "submods": {
                "confidential_space": {"support_attributes": ["LATEST", "STABLE", "USABLE"]},
                "container": {"image_digest": DIGEST, "restart_policy": "Never", "args": ["/x"], "env": {}},
            },
        }

    def sign(self, claims: dict[str, Any], key: Any = None, **header: str) -> str:
        """Sign claims, with another key if wanted."""
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": "k1", **header})


class Service:
    """The running key release service."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.port = int(process.wait_for("^listening: ", 20).rpartition(":")[2])

    def post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        """Post JSON and return status and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", path, json.dumps(body))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def nonce(self) -> str:
        """Ask for a nonce."""
        return self.post("/nonce", {})[1]["nonce"]


@pytest.fixture(scope="module")
def issuer(folder: Path) -> Iterator[Issuer]:
    """Yield an issuer of tokens."""
    with Issuer(folder) as made:
        yield made


@pytest.fixture(scope="module")
def service(folder: Path, issuer: Issuer) -> Iterator[Service]:
    """Yield a key release service that trusts the issuer."""
    policy = {
        "issuer": issuer.url,
        "audience": AUDIENCE,
        "image_digest": DIGEST,
        "minimum_swversion": 260100,
        "hwmodels": ["GCP_AMD_SEV", "GCP_INTEL_TDX"],
    }
    (folder / "policy.json").write_text(json.dumps(policy))
    (folder / "key").write_bytes(bytes(range(32)))
    command = ["/usr/bin/python3", PROGRAM, "--policy", folder / "policy.json", "--key", folder / "key"]
    with Process([*command, "--issuer-ca", issuer.authority.certificate]) as process:
        yield Service(process)


@pytest.mark.parametrize("as_array", [False, True])
def test_a_good_token_gets_the_key_once(issuer: Issuer, service: Service, as_array: bool) -> None:
    """The nonce may be text or one of several, and is used up."""
    nonce = service.nonce()
    token = issuer.sign(issuer.claims(["another-nonce", nonce] if as_array else nonce))
    status, answer = service.post("/key", {"token": token, "nonce": nonce})
    assert (status, answer["key"]) == (200, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    status, again = service.post("/key", {"token": token, "nonce": nonce})
    assert (status, again["claim"]) == (403, "eat_nonce")
    order = {"ticket": answer["ticket"], "order": {"soup": 2}}
    assert service.post("/order", order) == (200, {})
    assert service.post("/order", order)[0] == 403
    service.process.wait_for("^order: 2 x soup$", 10)


def setter(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Return a function that sets (or with None removes) the claim at a dotted path."""

    def change(claims: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            claims = claims[parent]
        if value is None:
            del claims[last]
        else:
            claims[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("iss", "https://other.example"),
        ("iss", None),
        ("aud", "https://other.example"),
        ("aud", None),
        ("exp", 1000),
        ("exp", None),
        ("nbf", 4102444800),
        ("sub", None),
        ("eat_nonce", "another-nonce"),
        ("eat_nonce", None),
        ("swname", "GCE"),
        ("swversion", ["250100"]),
        ("swversion", []),
        ("swversion", ["new"]),
        ("hwmodel", "GCP_SHIELDED_VM"),
        ("hwmodel", None),
        ("dbgstat", "enabled"),
        ("secboot", False),
        ("submods.confidential_space.support_attributes", ["USABLE"]),
        ("submods.confidential_space.support_attributes", "UNSTABLE STABLE"),
        ("submods.confidential_space.support_attributes", None),
        ("submods.container.image_digest", "sha256:" + "b" * 64),
        ("submods.container.image_digest", None),
        ("submods.container.cmd_override", ["/bin/sh"]),
        ("submods.container.env_override", {"A": "B"}),
        ("submods.container.restart_policy", "Always"),
    ],
)
def test_one_wrong_claim_is_named(issuer: Issuer, service: Service, path: str, value: object) -> None:
    """Whatever is wrong, the answer and the service's own record name it."""
    nonce = service.nonce()
    claims = copy.deepcopy(issuer.claims(nonce))
    setter(path, value)(claims)
    status, answer = service.post("/key", {"token": issuer.sign(claims), "nonce": nonce})
    assert (status, answer["claim"]) == (403, path)
    service.process.wait_for(re.escape(f"denied: claim {path}: found "), 10)


def test_tokens_that_the_issuer_did_not_sign(issuer: Issuer, service: Service) -> None:
    """Another key, an unknown key id, no signature at all, no token at all."""
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    tokens = {
        "signature": lambda claims: issuer.sign(claims, stranger),
        "kid": lambda claims: issuer.sign(claims, kid="k2"),
        "alg": lambda claims: jwt.encode(claims, None, algorithm="none"),  # type: ignore[arg-type]
        "token": lambda claims: "not a token",
    }
    for claim, make in tokens.items():
        nonce = service.nonce()
        status, answer = service.post("/key", {"token": make(issuer.claims(nonce)), "nonce": nonce})
        assert (status, answer["claim"]) == (403, claim)


@pytest.mark.parametrize("body", [[], {}, {"token": 1, "nonce": "x"}, {"token": "x"}])
def test_requests_that_make_no_sense(service: Service, body: object) -> None:
    """They are the client's fault and end nothing."""
    assert service.post("/key", body)[0] == 400
    assert service.post("/elsewhere", body)[0] == 404
    assert service.nonce()
