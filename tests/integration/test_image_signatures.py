"""Signatures of the image, from a registry through the launcher into tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cs_harness import Launcher, World
from cs_harness.cosign import (
    SigningKey,
    push_bundle,
    push_simple_signatures,
    simple_signing_payload,
)
from cs_harness.registry import PushedImage
from support import STAY, push, shell_image, verified_claims

ALGORITHMS = ("ECDSA_P256_SHA256", "RSASSA_PKCS1V15_SHA256", "RSASSA_PSS_SHA256")
AUDIENCE = "https://sts.example"
TAGS = "https://aws.amazon.com/tags"


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    """Yield services."""
    with World(folder) as services:
        yield services


@pytest.fixture(scope="module")
def image(world: World) -> PushedImage:
    """Return an image that stays."""
    return push(world.registry, shell_image(STAY))


@pytest.fixture(scope="module")
def keys() -> list[SigningKey]:
    """Return a key of each algorithm."""
    return [SigningKey(algorithm) for algorithm in ALGORITHMS]


@pytest.fixture(scope="module")
def launcher(world: World, image: PushedImage, keys: list[SigningKey]) -> Iterator[Launcher]:
    """Yield a launcher that looks for signatures in two repositories, and in one that there is not."""
    good = []
    for key in keys:
        payload = simple_signing_payload(key, image.digest)
        good.append((payload, key.sign(payload)))
    of_another_image = simple_signing_payload(keys[0], "sha256:" + "0" * 64)
    bad = [(of_another_image, keys[0].sign(of_another_image)), (good[0][0], b"no signature")]
    push_simple_signatures(world.registry, "signatures", image.digest, good + bad)
    repositories = [f"{world.registry.address}/{name}" for name in ("signatures", "bundles", "missing")]
    attributes = {"tee-image-reference": image.by_tag, "tee-signed-image-repos": ",".join(repositories)}
    with world.launcher(attributes) as running:
        running.wait_ready()
        yield running


def signatures_in(claims: dict[str, Any]) -> list[dict[str, str]]:
    """Return the claim."""
    return claims["submods"]["container"]["image_signatures"]


def test_good_signatures_are_claims_and_bad_ones_partial_errors(
    world: World, launcher: Launcher, keys: list[SigningKey]
) -> None:
    """Each algorithm counts; the other two are told and change nothing."""
    found = signatures_in(verified_claims(world, launcher.token))
    assert [(each["key_id"], each["signature_algorithm"]) for each in found] == [
        (key.key_id, key.algorithm) for key in keys
    ]
    assert "image signature 3: payload: is of another image" in launcher.log_text
    assert "image signature 4: signature: does not verify" in launcher.log_text
    assert any(line.message.startswith("Found container image signatures") for line in launcher.log)


def test_tags_of_aws_name_the_keys_that_have_signed(world: World, launcher: Launcher, keys: list[SigningKey]) -> None:
    """Those that were asked for, sorted; three of them fit, and the digest is not there."""
    asked = [key.key_id for key in keys]
    options = {"allowed_principal_tags": {"container_image_signatures": {"key_ids": [*asked, "0" * 64]}}}
    body = {"audience": AUDIENCE, "token_type": "AWS_PRINCIPALTAGS", "aws_principal_tag_options": options}
    answer = launcher.tee.request("POST", body=body)
    assert answer.status == 200, answer.text
    tags = verified_claims(world, answer.text, AUDIENCE)[TAGS]["principal_tags"]
    assert tags["container.signatures.key_ids"] == ["=".join(sorted(asked))]
    assert "container.image_digest" not in tags


def test_a_new_signature_is_in_the_next_default_token(
    world: World, image: PushedImage, launcher: Launcher, keys: list[SigningKey]
) -> None:
    """A bundle of cosign 3, and a fourth key, whose id does not fit into a tag beside the others."""
    fourth = SigningKey("ECDSA_P256_SHA256")
    push_bundle(world.registry, "bundles", image, fourth)
    answer = launcher.tee.request("GET", headers={"Cache-Control": "no-cache"})
    found = signatures_in(verified_claims(world, answer.text))
    assert [each["key_id"] for each in found] == [key.key_id for key in [*keys, fourth]]
    options = {"allowed_principal_tags": {"container_image_signatures": {"key_ids": [each["key_id"] for each in found]}}}
    body = {"audience": AUDIENCE, "token_type": "AWS_PRINCIPALTAGS", "aws_principal_tag_options": options}
    answer = launcher.tee.request("POST", body=body)
    assert answer.status == 400
    assert "AWS tag container.signatures.key_ids: 259 characters, and AWS takes 256" in answer.text
