"""What a verifier may answer instead of a token, for every kind of token (T 18)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from cs_harness import GoBetween, TeeClient, World
from cs_harness.go_between import VERIFY
from cs_harness.verifier import unverified_claims
from support import STAY, push, shell_image

AUDIENCE = "https://rp.example"
KINDS: dict[str, dict[str, object]] = {
    "OIDC": {},
    "PKI": {},
    "AWS_PRINCIPALTAGS": {"aws_principal_tag_options": {}},
    "LIMITED_AWS": {},
}
YEAR_9999 = 253402300799
TEN_MEBIBYTES = 10 << 20


def segment(content: dict[str, Any]) -> str:
    """Return a part of a JWS."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def with_claims(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """Return what changes the claims of the token in an answer; nobody but a relying party checks its signature."""

    def changed(answer: bytes) -> bytes:
        document = json.loads(answer)
        head, payload, signature = document["attestationToken"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        change(claims)
        return json.dumps({**document, "attestationToken": f"{head}.{segment(claims)}.{signature}"}).encode()

    return changed


def unsigned(answer: bytes) -> bytes:
    """Have the token say that nobody signed it."""
    payload = json.loads(answer)["attestationToken"].split(".")[1]
    return json.dumps({"attestationToken": f"{segment({'alg': 'none'})}.{payload}."}).encode()


@dataclass(frozen=True)
class Fault:
    """What the answer becomes, or which status stands in its place, and what the workload is told of it."""

    error: str
    answer: Callable[[bytes], bytes] | None = None
    status: int = 0


FAULTS = {
    "too many requests": Fault("RESOURCE_EXHAUSTED", status=429),
    "internal error": Fault("INTERNAL", status=500),
    "unavailable": Fault("UNAVAILABLE", status=503),
    "truncated JSON": Fault("answer: not valid JSON", lambda answer: answer[: len(answer) // 2]),
    "too long": Fault("sent more than is accepted", lambda _: b" " * TEN_MEBIBYTES),
    "no JWT": Fault("token: ", lambda _: b'{"attestationToken":"no token"}'),
    "no token": Fault("answer.attestationToken: is missing", lambda _: b"{}"),
    "alg none": Fault("token: ", unsigned),
    "wrong audience": Fault("token.aud: is not the audience asked for", with_claims(lambda c: c.update(aud="other"))),
    "no exp": Fault("token.exp: is missing", with_claims(lambda c: c.pop("exp"))),
    "exp in the past": Fault("token.exp: is in the past", with_claims(lambda c: c.update(iat=1, nbf=1, exp=3600))),
    "exp before iat": Fault("token.exp: is not after iat", with_claims(lambda c: c.update(exp=c["iat"] - 1))),
    "exp in the year 9999": Fault("token.exp: is more than a day", with_claims(lambda c: c.update(exp=YEAR_9999))),
    "nbf in the future": Fault("token.nbf: is in the future", with_claims(lambda c: c.update(nbf=c["exp"] - 1))),
}


class WrongVerifier(GoBetween):
    """Answers verification calls as `fault` says, if there is one."""

    fault: Fault | None = None

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Answer with a status."""
        return self.fault.status or body if self.fault and path.endswith(VERIFY) else body

    def on_answer(self, path: str, status: int, answer: bytes) -> bytes:
        """Answer with something else."""
        if self.fault and self.fault.answer and path.endswith(VERIFY):
            return self.fault.answer(answer)
        return super().on_answer(path, status, answer)


@pytest.fixture(scope="module")
def world(folder: Any) -> Iterator[World]:
    """Yield services with an authority for PKI tokens."""
    with World(folder, pki=True) as services:
        yield services


@pytest.fixture(scope="module")
def verifier(world: World) -> Iterator[WrongVerifier]:
    """Yield what stands in the verifier's place."""
    with WrongVerifier(world) as verifier:
        yield verifier


@pytest.fixture(scope="module")
def workload(world: World, verifier: WrongVerifier) -> Iterator[TeeClient]:
    """Yield the socket of a workload that runs."""
    image = push(world.registry, shell_image(STAY))
    options = {"--verifier": verifier.url, "--verifier-ca": None}
    with world.launcher({"tee-image-reference": image.by_tag}, options=options) as launcher:
        launcher.wait_ready()
        yield TeeClient(launcher.socket)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_answer_is_one_clear_error(
    verifier: WrongVerifier, workload: TeeClient, kind: str, name: str
) -> None:
    """It names what is wrong, and the next token is a good one."""
    wanted = {"audience": AUDIENCE, "token_type": kind, **KINDS[kind]}
    verifier.fault = FAULTS[name]
    answer = workload.request("POST", body=wanted)
    verifier.fault = None
    assert answer.status == 500, answer.text
    assert FAULTS[name].error in answer.text
    after = workload.request("POST", body=wanted)
    assert after.status == 200, after.text
    assert unverified_claims(after.text)["aud"] == AUDIENCE
