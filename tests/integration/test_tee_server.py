"""The workload's door, knocked at from the host (contract 4, cases S)."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cs_harness import Launcher, Machine, World
from support import STAY, container_claims, push, shell_image, verified_claims

AUDIENCE = "https://rp.example"


@pytest.fixture(scope="module")
def launcher(world: World) -> Iterator[Launcher]:
    """Yield a launcher whose workload stays."""
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}) as running:
        yield running.wait_ready()


def test_get_gives_the_default_token(world: World, launcher: Launcher) -> None:
    """Plain JWT bytes, labelled as what they are, and cached."""
    answer = launcher.tee.request()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/jwt"
    claims = verified_claims(world, answer.text)
    assert "eat_nonce" not in claims
    again = launcher.tee.request()
    assert again.text == answer.text
    assert int(again.headers["Age"]) >= 0
    assert "max-age" in again.headers["Cache-Control"]
    assert again.headers["ETag"] == answer.headers["ETag"]


def test_get_with_etag_saves_the_body(launcher: Launcher) -> None:
    """A client that has the token already is told so."""
    tag = launcher.tee.request().headers["ETag"]
    answer = launcher.tee.request(headers={"If-None-Match": tag})
    assert (answer.status, answer.body) == (304, b"")


def test_get_with_no_cache_gives_a_fresh_token(world: World, launcher: Launcher) -> None:
    """A client that insists gets a new attestation."""
    before = launcher.tee.request().text
    while time.time() < verified_claims(world, before)["iat"] + 1:
        time.sleep(0.05)  # claims count in seconds, and the same claims have the same signature
    answer = launcher.tee.request(headers={"Cache-Control": "no-cache"})
    assert answer.status == 200
    assert answer.text != before
    verified_claims(world, answer.text)


def test_post_gives_a_token_for_an_audience_with_nonces(world: World, launcher: Launcher) -> None:
    """One nonce is a string, several are an array (contract 5.2), and the container claims are those of the default."""
    default = container_claims(verified_claims(world, launcher.tee.request().text))
    one = verified_claims(world, launcher.tee.custom_token(AUDIENCE, "nonce-number-1").text, AUDIENCE)
    assert (one["aud"], one["eat_nonce"]) == (AUDIENCE, "nonce-number-1")
    two = verified_claims(world, launcher.tee.custom_token(AUDIENCE, "nonce-number-1", "nonce-number-2").text, AUDIENCE)
    assert two["eat_nonce"] == ["nonce-number-1", "nonce-number-2"]
    none = verified_claims(world, launcher.tee.custom_token(AUDIENCE).text, AUDIENCE)
    assert "eat_nonce" not in none
    assert container_claims(one) == container_claims(two) == container_claims(none) == default


def test_a_token_type_that_the_verifier_does_not_issue(launcher: Launcher) -> None:
    """This verifier has no PKI; the request goes to it all the same, and its own word comes back."""
    answer = launcher.tee.custom_token(AUDIENCE, "0123456789", token_type="PKI")
    assert answer.status == 400
    assert answer.text.startswith("failed to retrieve custom attestation service token: ")
    assert "FAILED_PRECONDITION" in answer.text


def test_concurrent_requests_are_all_answered(world: World, launcher: Launcher) -> None:
    """Every one gets the token it asked for."""
    nonces = [f"concurrent-{number:03}" for number in range(12)]
    with ThreadPoolExecutor(max_workers=6) as pool:
        answers = list(pool.map(lambda nonce: launcher.tee.custom_token(AUDIENCE, nonce), nonces))
    claims = [verified_claims(world, answer.text, AUDIENCE)["eat_nonce"] for answer in answers]
    assert claims == nonces


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "failed to parse POST body as TokenOptions: "),
        (b"[]", "failed to parse POST body as TokenOptions: "),
        (
            {"audience": AUDIENCE, "token_type": "OIDC", "eat_nonce": ["x"]},
            "failed to parse POST body as TokenOptions: ",
        ),
        ({"audience": 1, "token_type": "OIDC"}, "failed to parse POST body as TokenOptions: "),
        ({"audience": "", "token_type": "OIDC"}, "use GET request for the default identity token"),
        ({"token_type": "OIDC"}, "use GET request for the default identity token"),
        ({"audience": AUDIENCE}, "token_type is a required parameter"),
        ({"audience": AUDIENCE, "token_type": ""}, "token_type is a required parameter"),
        (
            {"audience": AUDIENCE, "token_type": "OIDC", "nonces": ["short"]},
            "failed to retrieve custom attestation service token: ",
        ),
        (
            {"audience": AUDIENCE, "token_type": "OIDC", "nonces": [f"nonce-{n:05}" for n in range(7)]},
            "failed to retrieve custom attestation service token: ",
        ),
        (
            {"audience": "a" * 513, "token_type": "OIDC", "nonces": ["0123456789"]},
            "failed to retrieve custom attestation service token: ",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else json.dumps(value, default=repr)[:50],
)
def test_a_post_that_is_wrong(launcher: Launcher, body: Any, text: str) -> None:
    """The client is told what is wrong with its request (contract 4.2), and it is the client's fault."""
    answer = launcher.tee.request("POST", body=body)
    assert answer.status == 400, answer.text
    assert answer.text.startswith(text)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_method_that_there_is_not(launcher: Launcher, method: str) -> None:
    """The text is the one that clients know; the status says what it means, and which methods there are."""
    answer = launcher.tee.request(method, body=b"")
    assert (answer.status, answer.text) == (405, f"TEE server received an invalid HTTP method: {method}")
    assert answer.headers["Allow"] == "GET, POST"


def test_a_path_that_there_is_not(launcher: Launcher) -> None:
    """An unknown path is not found."""
    for path in ("/", "/v1", "/v1/tokens", "/v1/token/x", "/v2/token"):
        assert launcher.tee.request(target=path).status == 404, path


def test_a_token_type_that_there_is_not(launcher: Launcher) -> None:
    """It is refused by name; it never quietly gives another kind of token."""
    answer = launcher.tee.custom_token(AUDIENCE, "0123456789", token_type="SAML")
    assert answer.status == 400
    assert '"SAML"' in answer.text


def test_a_client_that_leaves_in_the_middle_harms_nobody(world: World, launcher: Launcher) -> None:
    """Half a request, and a whole one whose answer nobody waits for; then another client."""
    request = json.dumps({"audience": AUDIENCE, "token_type": "OIDC", "nonces": ["0123456789"]}).encode()
    head = b"POST /v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(request)
    for data in (b"POST /v1/to", head, head + request[:10], head + request):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(launcher.socket))
            client.sendall(data)
    verified_claims(world, launcher.tee.custom_token(AUDIENCE, "afterwards-1").text, AUDIENCE)


def test_a_second_instance_leaves_the_first_alone(world: World, launcher: Launcher, folder: Path) -> None:
    """It refuses to start, and the first one's socket and workload live on."""
    image = push(world.registry, shell_image(), tag="second")
    with (
        Machine(folder / "second", world.metadata.instance) as machine,
        world.launcher(
            {"tee-image-reference": image.by_tag},
            machine=machine,
            reboot=False,
            runtime_directory=launcher.runtime_directory,
        ) as second,
    ):
        assert second.wait() != 0
    assert launcher.process.running
    assert "workload task ended" not in launcher.log_text
    verified_claims(world, launcher.tee.request().text)


def test_sigterm_ends_everything_in_bounded_time(world: World, launcher: Launcher) -> None:
    """Comes last: the workload is stopped, the socket removed, the container gone."""
    launcher.terminate()
    launcher.wait(20)
    assert not launcher.socket.exists()
    assert world.containerd.containers() == []


def test_a_stale_socket_is_replaced(world: World, folder: Path) -> None:
    """What a crashed launcher left is no obstacle."""
    runtime = folder / "stale"
    runtime.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(runtime / "teeserver.sock"))
        stale.listen()
    image = push(world.registry, shell_image(STAY))
    with world.launcher({"tee-image-reference": image.by_tag}, runtime_directory=runtime) as fresh:
        fresh.wait_ready()
        assert fresh.tee.request().status == 200
