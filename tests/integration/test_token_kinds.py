"""Tokens of every kind, through the workload's socket."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cs_harness import Launcher, World
from support import STAY, push, shell_image, verified_claims

AUDIENCE = "https://sts.example"
TAGS = "https://aws.amazon.com/tags"
AWS_TOKEN_LENGTH = 20000


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    """Yield services with an authority for PKI tokens."""
    with World(folder, pki=True) as services:
        yield services


@pytest.fixture(scope="module")
def launcher(world: World) -> Iterator[Launcher]:
    """Yield a launcher whose workload has as much to say of itself as a launch may have."""
    long = [f"LONG_{number}={'x' * 100_000}" for number in range(6)]
    image = push(world.registry, shell_image(STAY, env=long))
    with world.launcher({"tee-image-reference": image.by_tag}) as running:
        running.wait_ready(120)
        yield running


def ask(launcher: Launcher, token_type: str, **more: object) -> str:
    """Return a token of a type, for the audience of all of these."""
    answer = launcher.tee.request("POST", body={"audience": AUDIENCE, "token_type": token_type, **more})
    assert answer.status == 200, answer.text
    return answer.text


@pytest.fixture(scope="module")
def verify_pki(world: World, folder: Path) -> Callable[[str], dict[str, Any]]:
    """Return what checks a PKI token in a language that is not ours, with the root that the service publishes."""
    if shutil.which("go") is None and "CS_REQUIRE_SERVICES" not in os.environ:
        pytest.skip("go is not installed")
    source = Path(__file__).parent / "pki_token"
    program = folder / "pki_token"
    # Its cache goes with the folder, and nothing is fetched: the standard library is all that it uses.
    env = {**os.environ, "GOCACHE": str(folder / "go-cache"), "GOPATH": str(folder / "go"), "GOPROXY": "off"}
    subprocess.run(["go", "build", "-o", program, "."], cwd=source, env=env, check=True)
    uri = str(world.verifier.get("/.well-known/attestation-pki-root")["root_ca_uri"])
    root = folder / "published-root.pem"
    root.write_bytes(world.verifier.fetch(uri.removeprefix(world.verifier.url))[0])

    def verify(token: str, trusted: Path = root) -> dict[str, Any]:
        done = subprocess.run([program, trusted], input=token, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ValueError(done.stderr)
        return json.loads(done.stdout)

    return verify


def test_a_pki_token_is_verified_by_its_root_alone(
    world: World, launcher: Launcher, verify_pki: Callable[..., dict[str, Any]]
) -> None:
    """It says what the OIDC token says; another root, and any change, is noticed."""
    token = ask(launcher, "PKI", nonces=["0123456789"])
    claims = verify_pki(token)
    oidc = verified_claims(world, ask(launcher, "OIDC", nonces=["0123456789"]), AUDIENCE)
    timeless = {name: value for name, value in claims.items() if name not in ("iat", "nbf", "exp")}
    assert timeless == {name: oidc[name] for name in timeless}
    assert claims["eat_nonce"] == "0123456789"
    with pytest.raises(ValueError, match="the root is another one"):
        verify_pki(token, world.authority.certificate)
    head, payload, signature = token.split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "dbgstat": "enabled"}).encode()).rstrip(b"=").decode()
    assert forged != payload
    with pytest.raises(ValueError, match="verification error"):
        verify_pki(f"{head}.{forged}.{signature}")


@pytest.mark.parametrize(
    ("token_type", "more"),
    [("AWS_PRINCIPALTAGS", {"aws_principal_tag_options": {}}), ("LIMITED_AWS", {}), ("AWS", {})],
)
def test_a_token_for_aws(world: World, launcher: Launcher, token_type: str, more: dict[str, object]) -> None:
    """Its tags are what a policy of AWS's can be about, whatever the size of the launch."""
    token = ask(launcher, token_type, **more)
    assert len(token) <= AWS_TOKEN_LENGTH
    claims = verified_claims(world, token, AUDIENCE)
    assert list(claims[TAGS]) == ["principal_tags"]
    tags = claims[TAGS]["principal_tags"]
    assert tags == {
        "confidential_space.support_attributes": ["LATEST=STABLE=USABLE"],
        "container.image_digest": [launcher_digest(launcher)],
        "gce.project_id": [world.metadata.instance.project_id],
        "gce.zone": [world.metadata.instance.zone],
        "hwmodel": ["SOFTWARE_TPM"],
        "swname": ["CONFIDENTIAL_SPACE"],
        "swversion": ["260100"],
    }
    for (value,) in tags.values():
        assert len(value) <= 256
        assert re.fullmatch(r"[A-Za-z0-9 _.:/=+\-@]*", value)


def launcher_digest(launcher: Launcher) -> str:
    """Return the digest of the image that runs, as the default token has it."""
    claims = jwt.decode(launcher.token, options={"verify_signature": False})
    return str(claims["submods"]["container"]["image_digest"])


def test_tags_by_signature_keys_that_have_not_signed(world: World, launcher: Launcher) -> None:
    """Neither digest nor keys: a policy on either is not met."""
    options = {"allowed_principal_tags": {"container_image_signatures": {"key_ids": ["0" * 64]}}}
    claims = verified_claims(world, ask(launcher, "AWS_PRINCIPALTAGS", aws_principal_tag_options=options), AUDIENCE)
    tags = claims[TAGS]["principal_tags"]
    assert "container.image_digest" not in tags
    assert "container.signatures.key_ids" not in tags


def test_principal_tags_need_their_options(launcher: Launcher) -> None:
    """A clear error, where the public launcher once broke."""
    answer = launcher.tee.request("POST", body={"audience": AUDIENCE, "token_type": "AWS_PRINCIPALTAGS"})
    assert answer.status == 400
    assert "aws_principal_tag_options is a required parameter" in answer.text


def test_overrides_are_claims_when_there_are_none(world: World, launcher: Launcher) -> None:
    """Conditions on them hold or fail, and are never errors; the entry that matched is named."""
    claims = verified_claims(world, launcher.token)
    container = claims["submods"]["container"]
    assert container["cmd_override"] == []
    assert container["env_override"] == {}
    assert container["image_signatures"] == []
    assert claims["submods"]["confidential_space"]["reference_value"] == {"name": "confidential-space-260100"}
