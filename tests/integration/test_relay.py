"""Somebody in the attestation service's place, who passes evidence on and asks for a token of his own."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json

import pytest
from cs_harness import GoBetween, World
from cs_harness.go_between import CHALLENGES, VERIFY
from support import DEFAULT_AUDIENCE, STAY, push, shell_image, verified_claims

FAILURE = 1
MINE = "https://attacker.example"


class Relay(GoBetween):
    """Answers as the verifier does, but asks it for tokens of another audience; `tokens` is what it gets.

    `hides_binding`: the launcher is not told that the verifier binds requests.
    """

    def __init__(self, world: World, *, audience: str | None, hides_binding: bool) -> None:
        super().__init__(world)
        self.tokens: list[str] = []
        self.refusals: list[str] = []
        self._world = world
        self._audience = audience
        self._hides_binding = hides_binding

    def on_request(self, path: str, body: bytes) -> bytes | int:
        """Ask for a token of its own."""
        if not path.endswith(VERIFY) or self._audience is None:
            return body
        changed = json.loads(body)
        changed["options"]["audience"] = self._audience
        return json.dumps(changed).encode()

    def on_answer(self, path: str, status: int, answer: bytes) -> bytes:
        """Keep what it gets."""
        if status != http.client.OK:
            self.refusals.append(answer.decode())
        elif path.endswith(VERIFY):
            self.tokens.append(json.loads(answer)["attestationToken"])
        return super().on_answer(path, status, answer) if self._hides_binding else answer


class Substitute(Relay):
    """Has the launcher quote, as if it were a nonce, what binds evidence to a request of the relay's own."""

    def on_answer(self, path: str, status: int, answer: bytes) -> bytes:
        """Put it in the nonce's place."""
        if not path.endswith(CHALLENGES):
            return super().on_answer(path, status, answer)
        challenge = json.loads(answer)
        nonce = base64.b64decode(challenge["tpmNonce"])
        bound = bound_qualifying_data(nonce, self._world.verifier.url, MINE)
        del challenge["requestBinding"]
        return json.dumps({**challenge, "tpmNonce": base64.b64encode(bound).decode()}).encode()


def bound_qualifying_data(nonce: bytes, service: str, audience: str) -> bytes:
    """Return what evidence/request_binding.h describes, for an OIDC token without nonces."""

    def element(content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + content

    none = bytes(4)
    parts = [element(nonce), element(service.encode()), element(audience.encode()), none, element(b"OIDC"), none]
    return b"\xc5\xb1" + hashlib.sha256(b"cs-request-binding-v1\0" + b"".join(parts)).digest()


def launch(world: World, verifier: str) -> int:
    """Launch with this verifier; returns the exit code."""
    image = push(world.registry, shell_image())
    options = {"--verifier": verifier, "--wait": "0"}
    with world.launcher({"tee-image-reference": image.by_tag}, options=options) as launcher:
        return launcher.wait(60)


@pytest.mark.parametrize("audience", [None, MINE])
def test_evidence_that_was_made_for_the_relay_is_of_no_use_to_it(world: World, audience: str | None) -> None:
    """Neither for a token of another audience nor for the very one that the workload wants."""
    with Relay(world, audience=audience, hides_binding=False) as relay:
        assert launch(world, relay.url) == FAILURE
    assert relay.tokens == []
    assert len(relay.refusals) == 1


def test_where_binding_is_not_required_a_relay_that_hides_it_gets_tokens(world: World) -> None:
    """What the requirement is for: the public services do not know the field, so launchers do without it."""
    with Relay(world, audience=MINE, hides_binding=True) as relay:
        launch(world, relay.url)
    claims = verified_claims(world, relay.tokens[0], MINE)
    assert claims["aud"] == MINE


def test_a_relay_that_puts_what_is_bound_in_the_nonces_place_gets_nothing(world: World) -> None:
    """The launcher quotes nothing of that form that it has not hashed itself."""
    with Substitute(world, audience=MINE, hides_binding=True) as relay:
        assert launch(world, relay.url) == FAILURE
    assert relay.tokens == []
    assert relay.refusals == []  # it never had evidence to ask with


def test_a_verifier_that_requires_binding_gives_a_relay_nothing(world: World) -> None:
    """And still gives launchers that call it themselves their tokens."""
    world.verifier.require_request_binding = True
    world.verifier.write_configuration()
    world.verifier.reload()
    try:
        with Relay(world, audience=MINE, hides_binding=True) as relay:
            assert launch(world, relay.url) == FAILURE
        assert relay.tokens == []
        assert "requestBinding" in relay.refusals[0]
        image = push(world.registry, shell_image())
        with world.launcher({"tee-image-reference": image.by_tag}) as launcher:
            token = launcher.wait_token()
            assert launcher.wait(60) == 0, launcher.process.last_words()
        assert verified_claims(world, token)["aud"] == DEFAULT_AUDIENCE
    finally:
        world.verifier.require_request_binding = False
        world.verifier.write_configuration()
        world.verifier.reload()


def test_no_evidence_where_the_verifier_chooses_what_is_quoted(world: World) -> None:
    """Whoever may have any bytes quoted could pass for the workload (Q 15)."""
    image = push(world.registry, shell_image(STAY))
    with GoBetween(world) as verifier:
        attributes = {"tee-image-reference": image.by_tag}
        with world.launcher(attributes, options={"--verifier": verifier.url}) as launcher:
            launcher.wait_ready()
            answer = launcher.tee.request("POST", "/v1/evidence", {"challenge": "Yw=="})
            assert answer.status == 500
            assert "attestation evidence is disabled" in answer.text
            assert launcher.tee.custom_token("https://rp.example", "0123456789").status == 200
