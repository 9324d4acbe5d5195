"""Signing keys on a PKCS #11 token: SoftHSM behind a socket, taken out and put back while the service runs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cs_harness import HarnessError, SoftToken, TeeClient, Verifier, World, binary
from cs_harness.pkcs11 import PIN
from cs_harness.process import run

AUDIENCE = "https://rp.example"
PUBLICATION_SECONDS = 2
WRONG_PIN_STATUS = 78  # EX_CONFIG, for which the unit starts nothing anew


@pytest.fixture(scope="module")
def token(folder: Path) -> Iterator[SoftToken]:
    """Yield a token that is in its slot."""
    with SoftToken(folder / "hsm") as token:
        yield token


@pytest.fixture(scope="module")
def world(folder: Path, token: SoftToken) -> Iterator[World]:
    """Yield services of which the verifier has its keys on the token."""
    settings = {**token.settings, "key_publication_seconds": PUBLICATION_SECONDS}
    with World(folder, verifier_settings=settings, verifier_environment=token.environment) as services:
        yield services


def verified_key(world: World, workload: TeeClient) -> str:
    """Ask for a token, verify it as a relying party does, and return the id of its key."""
    answer = workload.custom_token(AUDIENCE)
    assert answer.status == 200, answer.text
    header = jwt.get_unverified_header(answer.text)
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(world.verifier.keys()).keys}
    jwt.decode(answer.text, keys[header["kid"]].key, algorithms=["RS256"], audience=AUDIENCE)
    return header["kid"]


def stored_keys(folder: Path) -> list[dict[str, object]]:
    """Return what the service keeps of its keys."""
    return json.loads((folder / "verifier/state/signing-keys.json").read_text())["keys"]


def test_tokens_are_signed_on_the_token(world: World, workload: TeeClient, folder: Path) -> None:
    """What is in the state folder signs nothing by itself."""
    (key,) = stored_keys(folder)
    assert not {"d", "p", "q", "dp", "dq", "qi"} & key.keys()
    assert verified_key(world, workload) == key["kid"]


def test_a_token_that_was_away_signs_again(world: World, workload: TeeClient, token: SoftToken) -> None:
    """Requests fail for as long as it is away, with an answer that says that they may pass; nothing is started anew."""
    before = verified_key(world, workload)
    token.stop()
    answer = workload.custom_token(AUDIENCE)
    assert "UNAVAILABLE (HTTP 503): the key that signs tokens can't be had at the moment" in answer.text
    assert "pkcs11:token=signing" in world.verifier.wait_for("there is trouble with the signing keys")
    assert before in {key["kid"] for key in world.verifier.keys()["keys"]}
    pid = world.verifier.pid
    token.start()
    world.verifier.wait_for("the signing keys are well again")
    assert verified_key(world, workload) == before
    assert world.verifier.pid == pid


def test_a_token_that_never_answers(world: World, workload: TeeClient, token: SoftToken) -> None:
    """It takes nobody with it: requests end, commands end, and so does the service, which also starts."""
    token.hang()
    try:
        assert "UNAVAILABLE" in workload.custom_token(AUDIENCE).text
        with pytest.raises(HarnessError, match="the token does not answer"):
            world.verifier.manage_keys("add", "--pkcs11-id", "c0ffee")
        world.verifier.stop()
        world.verifier.start()
        assert "the key that signs tokens can't be had yet" in "\n".join(world.verifier.lines)
    finally:
        token.go_on()
    world.verifier.wait_for("the signing keys are well again")
    verified_key(world, workload)


def test_a_start_without_the_token(world: World, workload: TeeClient, token: SoftToken) -> None:
    """The service begins with what it has, and signs as soon as the token is there."""
    token.stop()
    world.verifier.stop()
    world.verifier.start()
    assert "the key that signs tokens can't be had yet" in "\n".join(world.verifier.lines)
    assert "UNAVAILABLE" in workload.custom_token(AUDIENCE).text
    token.start()
    world.verifier.wait_for("the signing keys are well again")
    verified_key(world, workload)


def test_keys_change_by_command(world: World, workload: TeeClient, token: SoftToken, folder: Path) -> None:
    """Made on the token or taken over from it, promoted, and destroyed there when they are retired."""
    (first,) = world.verifier.key_states()
    second = world.verifier.manage_keys("add").split()[0]
    world.verifier.manage_keys("promote", second)
    world.verifier.wait_for(f"another key signs tokens.*key_id={second}")
    assert verified_key(world, workload) == second
    world.verifier.manage_keys("retire", first, "--now")
    assert list(world.verifier.key_states()) == [second]

    key = folder / "ceremony.pem"
    run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-out", key)
    token.use("--import", key, "--token", "signing", "--label", "ceremony", "--id", "C0FFEE", "--pin", PIN)
    third = world.verifier.manage_keys("add", "--pkcs11-id", "c0ffee").split()[0]
    world.verifier.manage_keys("promote", third)
    world.verifier.wait_for(f"another key signs tokens.*key_id={third}")
    assert verified_key(world, workload) == third
    with pytest.raises(HarnessError, match="the token has no key of this id"):
        world.verifier.manage_keys("add", "--pkcs11-id", "c0ffef")


def test_a_wrong_pin_is_tried_once(world: World, token: SoftToken, folder: Path) -> None:
    """The service ends with a status of its own: tokens lock themselves after some wrong ones."""
    verifier = Verifier(
        folder / "wrong-pin",
        world.authority,
        attestation_roots=[world.machine.attestation_root],
        reference_values=[],
        settings=token.settings,
    )
    command = [binary("cs-verifier"), "serve", "--config", verifier.write_configuration()]
    token.set_pin("654321")
    try:
        end = subprocess.run(
            command, env=os.environ | token.environment, capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        token.set_pin(PIN)
    assert end.returncode == WRONG_PIN_STATUS
    assert "pkcs11:token=signing" in end.stderr
