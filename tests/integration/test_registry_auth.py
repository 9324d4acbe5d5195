"""A registry that lets nobody in but who has an account: with what an operator brings, or the machine has."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cs_harness import PushedImage, Registry, World
from cs_harness.registry import REGISTRY_ACCOUNT
from support import shell_image, verified_claims

FAILURE = 1


@pytest.fixture
def private(folder: Path) -> Iterator[tuple[Registry, PushedImage]]:
    """Yield a private registry with an image in it."""
    with Registry(folder / "private", private=True) as registry:
        yield registry, registry.push(shell_image(), "secret")


def config_for(host: str, password: str = REGISTRY_ACCOUNT[1]) -> str:
    """Return what `docker login` leaves behind."""
    pair = base64.b64encode(f"{REGISTRY_ACCOUNT[0]}:{password}".encode()).decode()
    return json.dumps({"auths": {host: {"auth": pair}}})


def encoded(config: str) -> str:
    """Return a configuration as an operator brings it."""
    return base64.b64encode(config.encode()).decode()


def test_the_operator_brings_a_credential(world: World, private: tuple[Registry, PushedImage]) -> None:
    """It opens the registry, and is in no log, event or claim."""
    registry, image = private
    secret = encoded(config_for(registry.address))
    attributes = {"tee-image-reference": image.by_tag, "tee-registry-auth": secret}
    with world.launcher(attributes, options={"--log-level": "debug"}) as launcher:
        token = launcher.wait_token()
        assert launcher.wait(60) == 0, launcher.process.last_words()
        assert '"RegistryAuth":"[REDACTED]"' in launcher.log_text.replace("\\", "")
    pair = base64.b64encode(":".join(REGISTRY_ACCOUNT).encode()).decode()
    for canary in (secret, pair, REGISTRY_ACCOUNT[1]):
        assert canary not in launcher.log_text
        assert canary not in json.dumps(verified_claims(world, token))


def test_the_machine_has_a_credential(world: World, private: tuple[Registry, PushedImage], folder: Path) -> None:
    """A file of the machine's image, where the operator brings nothing."""
    registry, image = private
    file = folder / "config.json"
    file.write_text(config_for(registry.address))
    with world.launcher({"tee-image-reference": image.by_tag}, options={"--registry-auth": file}) as launcher:
        assert launcher.wait(60) == 0, launcher.process.last_words()


@pytest.mark.parametrize("host", ["other.example", "localhost"])
def test_a_credential_for_another_registry_is_not_shown(
    world: World, private: tuple[Registry, PushedImage], host: str
) -> None:
    """Not even where only the port differs."""
    _, image = private
    attributes = {"tee-image-reference": image.by_tag, "tee-registry-auth": encoded(config_for(host))}
    with world.launcher(attributes) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "asks for a credential, and there is none for it" in launcher.log_text


def test_a_wrong_password_is_refused_by_the_registry(world: World, private: tuple[Registry, PushedImage]) -> None:
    """Once, and not again and again."""
    registry, image = private
    attributes = {
        "tee-image-reference": image.by_tag,
        "tee-registry-auth": encoded(config_for(registry.address, "wrong")),
    }
    with world.launcher(attributes) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "the registry answered 401" in launcher.log_text


@pytest.mark.parametrize("text", ["no base64!", encoded("canary"), encoded('{"auths":{"registry":{"auth":"canary"}}}')])
def test_a_credential_that_is_none_is_named_and_not_shown(world: World, text: str) -> None:
    """Before anything is pulled."""
    attributes = {"tee-image-reference": "registry.invalid/x", "tee-registry-auth": text}
    with world.launcher(attributes) as launcher:
        assert launcher.wait(60) == FAILURE
        assert "failed to get launchspec: tee-registry-auth" in launcher.log_text
        assert "canary" not in launcher.log_text
