"""Somebody in the attestation service's place, who passes evidence on and asks for a token of his own."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import pytest
from cs_harness import World
from support import DEFAULT_AUDIENCE, push, shell_image, verified_claims

FAILURE = 1
MINE = "https://attacker.example"


class Relay:
    """Answers as the verifier does, but asks it for tokens of another audience; `tokens` is what it gets.

    `hides_binding`: the launcher is not told that the verifier binds requests.
    """

    def __init__(self, world: World, *, audience: str | None, hides_binding: bool) -> None:
        self.tokens: list[str] = []
        self.refusals: list[str] = []
        outer = self
        trusted = ssl.create_default_context(cafile=str(world.authority.certificate))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                is_verify = self.path.endswith(":verifyConfidentialSpace")
                if is_verify and audience is not None:
                    changed = json.loads(body)
                    changed["options"]["audience"] = audience
                    body = json.dumps(changed).encode()
                request = urllib.request.Request(f"{world.verifier.url}{self.path}", body or None, method=self.command)
                request.add_header("Content-Type", "application/json")
                try:
                    with urllib.request.urlopen(request, context=trusted) as response:
                        status, answer = response.status, response.read()
                except urllib.error.HTTPError as error:
                    status, answer = error.code, error.read()
                    outer.refusals.append(answer.decode())
                if is_verify and status == 200:
                    outer.tokens.append(json.loads(answer)["attestationToken"])
                if self.path.endswith("/challenges") and hides_binding:
                    answer = answer.replace(b"requestBinding", b"somethingElse")
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = pass_on

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


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
